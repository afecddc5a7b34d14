/** IP protocol number of VRRP (RFC 3768 §5.2.4). */
export const VRRP_PROTOCOL = 112
/** IPv4 multicast group of VRRP (RFC 3768 §5.2.2). */
export const VRRP_GROUP = '224.0.0.18'
/** A VRRP packet with any other TTL came through a router and is discarded (RFC 3768 §5.2.3). */
export const VRRP_TTL = 255

/** Internetwork control, the type of service that keepalived 2.2.7 sends (captured). */
const TOS_INTERNETWORK_CONTROL = 0xc0
const HEADER_LENGTH = 20

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

/**
 * Puts an IPv4 header before a VRRP message, as keepalived 2.2.7 writes it (captured):
 *
 *   0  version=4 | IHL=5     1  TOS 0xc0      2  total length
 *   4  identification        6  flags and fragment offset, 0: DF is clear
 *   8  TTL 255               9  protocol 112  10 checksum, 0: the kernel fills it in (IP_HDRINCL)
 *   12 source                16 destination 224.0.0.18
 *
 * @param identification 1 to 65535
 */
export function encodeVrrpPacket(
  source: string,
  identification: number,
  message: Uint8Array
): Uint8Array {
  const packet = new Uint8Array(HEADER_LENGTH + message.length)
  packet[0] = 0x45
  packet[1] = TOS_INTERNETWORK_CONTROL
  packet[2] = packet.length >>> 8
  packet[3] = packet.length & 0xff
  packet[4] = identification >>> 8
  packet[5] = identification & 0xff
  packet[8] = VRRP_TTL
  packet[9] = VRRP_PROTOCOL
  writeIpv4(packet, 12, source)
  writeIpv4(packet, 16, VRRP_GROUP)
  packet.set(message, HEADER_LENGTH)
  return packet
}

/** What the receive checks need of an IPv4 header, and the bytes that follow it. */
export interface Ipv4Packet {
  readonly source: string
  readonly destination: string
  readonly ttl: number
  readonly protocol: number
  readonly payload: Uint8Array
}

/**
 * Decodes an IPv4 packet. Bytes behind its total length are link-layer padding (short Ethernet frames
 * are padded to 60 bytes) and are left out.
 *
 * @returns null when the header or the packet is cut short, or when it is not IPv4
 */
export function decodeIpv4(bytes: Uint8Array): Ipv4Packet | null {
  if (bytes.length < HEADER_LENGTH) return null
  const first = bytes[0] ?? 0
  const headerLength = (first & 0x0f) * 4
  const totalLength = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)
  if (first >>> 4 !== 4 || headerLength < HEADER_LENGTH) return null
  if (totalLength < headerLength || totalLength > bytes.length) return null
  return {
    source: readIpv4(bytes, 12),
    destination: readIpv4(bytes, 16),
    ttl: bytes[8] ?? 0,
    protocol: bytes[9] ?? 0,
    payload: bytes.subarray(headerLength, totalLength)
  }
}
