import { isIP } from 'node:net'

export { formatEndpoint } from './endpoint-text.js'

/** Whether a host of the configuration is a name that has to be resolved, and no IP address. */
export function isHostName(host: string): boolean {
  return isIP(host) === 0
}

/** An IPv4 address as such, also where a socket of both families shows it mapped into IPv6. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
