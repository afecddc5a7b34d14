/** IP protocol number of VRRP (RFC 3768 §5.2.4), in IPv6 the value of Next Header. */
export const VRRP_PROTOCOL = 112
/** IPv4 multicast group of VRRP (RFC 3768 §5.2.2). */
export const VRRP_GROUP = '224.0.0.18'
/** A multicast VRRP packet with any other TTL came through a router (RFC 3768 §5.2.3). */
export const VRRP_TTL = 255

/** Internetwork control, the type of service that keepalived 2.2.7 sends (captured). */
const TOS_INTERNETWORK_CONTROL = 0xc0
export const IPV4_HEADER_LENGTH = 20
export const IPV4_ADDRESS_LENGTH = 4

/** Dotted decimal to an unsigned 32-bit number, so that addresses can be ordered. */
export function ipv4ToNumber(address: string): number {
  let value = 0
  for (const part of address.split('.')) value = value * 256 + Number(part)
  return value
}

/** Four bytes at `offset` as dotted decimal. */
export function readIpv4(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset] ?? 0}.${bytes[offset + 1] ?? 0}.${bytes[offset + 2] ?? 0}.${bytes[offset + 3] ?? 0}`
}

/** Writes dotted decimal as four bytes at `offset`. */
export function writeIpv4(bytes: Uint8Array, offset: number, address: string): void {
  let at = offset
  for (const part of address.split('.')) bytes[at++] = Number(part)
}

/** What differs between the IPv4 headers of advertisements. */
export interface Ipv4Header {
  readonly source: string
  readonly destination: string
  /** 0 to 255. */
  readonly ttl: number
  /** 1 to 65535; the kernel replaces 0 by a number of its own. */
  readonly identification: number
}

/**
 * Writes the header of an IPv4 packet that fills `packet`, as keepalived 2.2.7 does (captured, by
 * multicast and by unicast):
 *
 *   0  version=4 | IHL=5     1  TOS 0xc0      2  total length
 *   4  identification        6  flags and fragment offset, 0: DF is clear
 *   8  TTL                   9  protocol 112  10 checksum, 0: the kernel fills it in (IP_HDRINCL)
 *   12 source                16 destination
 */
export function writeIpv4Header(packet: Uint8Array, header: Ipv4Header): void {
  packet[0] = 0x45
  packet[1] = TOS_INTERNETWORK_CONTROL
  packet[2] = packet.length >>> 8
  packet[3] = packet.length & 0xff
  packet[4] = header.identification >>> 8
  packet[5] = header.identification & 0xff
  packet[8] = header.ttl
  packet[9] = VRRP_PROTOCOL
  writeIpv4(packet, 12, header.source)
  writeIpv4(packet, 16, header.destination)
}
