import { IPV4_ADDRESS_LENGTH, readIpv4, writeIpv4 } from './ipv4.js'
import { IPV6_ADDRESS_LENGTH, readIpv6, writeIpv6 } from './ipv6.js'

export type Family = 'ipv4' | 'ipv6'

export function addressLength(family: Family): number {
  return family === 'ipv4' ? IPV4_ADDRESS_LENGTH : IPV6_ADDRESS_LENGTH
}

/** The address at `offset`: dotted decimal, or the canonical text of RFC 5952. */
export function readAddress(bytes: Uint8Array, offset: number, family: Family): string {
  return family === 'ipv4' ? readIpv4(bytes, offset) : readIpv6(bytes, offset)
}

/** `count` addresses from `offset` on. */
export function readAddresses(
  bytes: Uint8Array,
  offset: number,
  count: number,
  family: Family
): readonly string[] {
  const length = addressLength(family)
  return Array.from({ length: count }, (_, i) => readAddress(bytes, offset + i * length, family))
}

/** Writes addresses of one family one behind the other. */
export function writeAddresses(
  bytes: Uint8Array,
  offset: number,
  addresses: readonly string[],
  family: Family
): void {
  const write = family === 'ipv4' ? writeIpv4 : writeIpv6
  addresses.forEach((address, i) => {
    write(bytes, offset + i * addressLength(family), address)
  })
}

/** The text that `readAddress` gives for a valid address, however it was written. */
export function canonicalAddress(address: string): string {
  return readAddress(addressBytes(address), 0, familyOf(address))
}

/**
 * Orders two addresses of one family as numbers in network byte order, for the election between equal
 * priorities (RFC 3768 §6.4.3, RFC 9568 §6.4.3): less than 0 when `a` is the lesser one.
 */
export function compareAddresses(a: string, b: string): number {
  const [left, right] = [addressBytes(a), addressBytes(b)]
  for (let i = 0; i < left.length; i++) {
    const distance = (left[i] ?? 0) - (right[i] ?? 0)
    if (distance !== 0) return distance
  }
  return 0
}

/** A zone (`%eth0`) is left out. */
function addressBytes(address: string): Uint8Array {
  const family = familyOf(address)
  const bytes = new Uint8Array(addressLength(family))
  writeAddresses(bytes, 0, [address.replace(/%.*$/, '')], family)
  return bytes
}

function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}
