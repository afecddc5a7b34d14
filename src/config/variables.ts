/** The access log format that nginx knows without a `log_format`. */
export const COMBINED_FORMAT =
  '$remote_addr - $remote_user [$time_local] "$request" ' +
  '$status $body_bytes_sent "$http_referer" "$http_user_agent"'

/** The format `main` of the `nginx.conf` that the distributions install. */
export const MAIN_FORMAT = `${COMBINED_FORMAT} "$http_x_forwarded_for"`

/**
 * The names of the variables in a template, `$name` and `${name}`, in order. A `$` that no name
 * follows, which nginx refuses, is given as ''.
 */
export function variablesIn(template: string): string[] {
  return Array.from(
    template.matchAll(/\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]*))/g),
    ([, braced, plain]) => braced ?? plain ?? ''
  )
}
