import { isIP } from 'node:net'

/** Writes a host and a port as in a URL: `192.0.2.1:80`, `[2001:db8::1]:80`, `web1.example.org:80`. */
export function formatEndpoint({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether a host of the configuration is a name that has to be resolved, and no IP address. */
export function isHostName(host: string): boolean {
  return isIP(host) === 0
}

/** An IPv4 address as such, also where a socket of both families shows it mapped into IPv6. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
