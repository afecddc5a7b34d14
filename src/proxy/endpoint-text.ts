/** Writes a host and a port as in a URL: `192.0.2.1:80`, `[2001:db8::1]:80`, `web1.example.org:80`. */
export function formatEndpoint({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
