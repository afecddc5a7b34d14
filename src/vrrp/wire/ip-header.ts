import { addressLength, readAddress, type Family } from './address.js'
import { sumOfWords } from './checksum.js'
import { IPV4_HEADER_LENGTH, VRRP_PROTOCOL } from './ipv4.js'
import { IPV6_HEADER_LENGTH } from './ipv6.js'

/** IP protocol of the Authentication Header (RFC 4302), which VRRPv2 once could use. */
export const AH_PROTOCOL = 51
/** An Authentication Header as keepalived sends it: 12 bytes and HMAC-MD5-96. */
export const AH_LENGTH = 24

/** What the receive checks need of an IPv4 or IPv6 header. */
export interface IpHeader {
  readonly family: Family
  /** Where the payload begins. */
  readonly headerLength: number
  /** Of header and payload, as the header says; more or less bytes may have arrived. */
  readonly totalLength: number
  /** Hop Limit in IPv6. */
  readonly ttl: number
  /** Next Header in IPv6; extension headers are not looked through. */
  readonly protocol: number
}

/**
 * Decodes the header of an IPv4 or IPv6 packet.
 *
 * @returns null when it is neither, or when its header is cut short
 */
export function decodeIpHeader(packet: Uint8Array): IpHeader | null {
  const version = ipVersion(packet)
  if (version === 4) {
    const headerLength = ((packet[0] ?? 0) & 0x0f) * 4
    if (headerLength < IPV4_HEADER_LENGTH || packet.length < headerLength) return null
    return {
      family: 'ipv4',
      headerLength,
      totalLength: ((packet[2] ?? 0) << 8) | (packet[3] ?? 0),
      ttl: packet[8] ?? 0,
      protocol: packet[9] ?? 0
    }
  }
  if (version !== 6 || packet.length < IPV6_HEADER_LENGTH) return null
  return {
    family: 'ipv6',
    headerLength: IPV6_HEADER_LENGTH,
    totalLength: IPV6_HEADER_LENGTH + (((packet[4] ?? 0) << 8) | (packet[5] ?? 0)),
    ttl: packet[7] ?? 0,
    protocol: packet[6] ?? 0
  }
}

/** The first four bits. */
export function ipVersion(packet: Uint8Array): number {
  return (packet[0] ?? 0) >>> 4
}

export function sourceOf(packet: Uint8Array, family: Family): string {
  return readAddress(packet, sourceOffset(family), family)
}

export function destinationOf(packet: Uint8Array, family: Family): string {
  return readAddress(packet, sourceOffset(family) + addressLength(family), family)
}

/** Where the source address is; the destination follows it. */
export function sourceOffset(family: Family): number {
  return family === 'ipv4' ? 12 : 8
}

/**
 * The sum of the words of the pseudo-header that the checksums of VRRPv3 and ICMPv6 cover (RFC 5798
 * §5.2.8, RFC 8200 §8.1): source, destination, length of the message and protocol.
 */
export function pseudoHeaderSum(
  packet: Uint8Array,
  family: Family,
  messageLength: number,
  protocol = VRRP_PROTOCOL
): number {
  const from = sourceOffset(family)
  const addresses = sumOfWords(packet, from, from + 2 * addressLength(family))
  return addresses + messageLength + protocol
}
