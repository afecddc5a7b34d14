/** The directives that keep an nginx from writing outside of a directory. */
export function nginxTemporaryPaths(directory: string, name: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((module) => `${module}_temp_path ${directory}/${name}-${module};`)
    .join('\n  ')
}
