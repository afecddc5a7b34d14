/** The `$variables` of header templates and access log formats, by nginx's names, without the `$`. */
export const VARIABLES = [
  'host',
  'http_host',
  'proxy_host',
  'remote_addr',
  'remote_port',
  'remote_user',
  'server_addr',
  'server_port',
  'server_name',
  'scheme',
  'request',
  'request_method',
  'request_uri',
  'uri',
  'args',
  'server_protocol',
  'status',
  'body_bytes_sent',
  'bytes_sent',
  'request_length',
  'request_time',
  'time_local',
  'time_iso8601',
  'msec',
  'proxy_add_x_forwarded_for',
  'connection',
  'connection_requests',
  'upstream_addr',
  'upstream_status',
  'upstream_response_time',
  'hostname',
  'pid'
] as const

/** Every request header is a variable too: `$http_user_agent` is `User-Agent`. */
export const HEADER_VARIABLE_PREFIX = 'http_'

/** The access log format that nginx knows without a `log_format`. */
export const COMBINED_FORMAT =
  '$remote_addr - $remote_user [$time_local] "$request" ' +
  '$status $body_bytes_sent "$http_referer" "$http_user_agent"'

/** The format `main` of the `nginx.conf` that the distributions install. */
export const MAIN_FORMAT = `${COMBINED_FORMAT} "$http_x_forwarded_for"`

/** True when tsha knows the variable; like nginx without regard to case. @param name without the `$` */
export function isVariable(name: string): boolean {
  const lowerName = name.toLowerCase()
  const isHeader =
    lowerName.startsWith(HEADER_VARIABLE_PREFIX) && lowerName.length > HEADER_VARIABLE_PREFIX.length
  return isHeader || (VARIABLES as readonly string[]).includes(lowerName)
}

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
