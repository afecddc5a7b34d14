import { VRRP_PROTOCOL } from './ipv4.js'

/** IPv6 multicast group of VRRP (RFC 5798 §5.1.2.2). */
export const VRRP_GROUP_IPV6 = 'ff02::12'

/** Version 6, traffic class 0xc0 as keepalived 2.2.7 sends it (captured), no flow label. */
const FIRST_WORD = [0x6c, 0x00, 0x00, 0x00]
export const IPV6_HEADER_LENGTH = 40
export const IPV6_ADDRESS_LENGTH = 16
const GROUPS = 8

/** What differs between the IPv6 headers of advertisements. */
export interface Ipv6Header {
  readonly source: string
  readonly destination: string
  /** 0 to 255. */
  readonly hopLimit: number
}

/**
 * Writes the header of an IPv6 packet that fills `packet` (RFC 8200 §3):
 *
 *   0  version=6 | traffic class 0xc0 | flow label, 0: keepalived leaves it to the kernel
 *   4  payload length        6  next header 112      7  hop limit
 *   8  source                24 destination
 */
export function writeIpv6Header(packet: Uint8Array, header: Ipv6Header): void {
  const payloadLength = packet.length - IPV6_HEADER_LENGTH
  packet.set(FIRST_WORD)
  packet[4] = payloadLength >>> 8
  packet[5] = payloadLength & 0xff
  packet[6] = VRRP_PROTOCOL
  packet[7] = header.hopLimit
  writeIpv6(packet, 8, header.source)
  writeIpv6(packet, 24, header.destination)
}

/** Writes an IPv6 address, which has to be a valid one, as 16 bytes at `offset`. */
export function writeIpv6(bytes: Uint8Array, offset: number, address: string): void {
  const [head = '', tail] = address.split('::')
  const before = bytesOf(head)
  const after = tail === undefined ? [] : bytesOf(tail)
  bytes.fill(0, offset, offset + IPV6_ADDRESS_LENGTH)
  bytes.set(before.slice(0, IPV6_ADDRESS_LENGTH), offset)
  const room = Math.min(after.length, IPV6_ADDRESS_LENGTH)
  bytes.set(after.slice(0, room), offset + IPV6_ADDRESS_LENGTH - room)
}

/** `1:2`, `1:192.0.2.1` or nothing as bytes. */
function bytesOf(groups: string): number[] {
  if (groups === '') return []
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >>> 8, value & 0xff]
  })
}

/**
 * Sixteen bytes at `offset` as the one text that RFC 5952 §4 allows: lower case, no leading zeros, the
 * first longest run of two or more zero groups as `::`. An IPv4 address in IPv6 (`::ffff:0:0/96`) ends
 * in dotted decimal, as the C library and `ip addr` write it.
 */
export function readIpv6(bytes: Uint8Array, offset: number): string {
  const groups: number[] = []
  for (let i = 0; i < GROUPS; i++) {
    groups.push(((bytes[offset + 2 * i] ?? 0) << 8) | (bytes[offset + 2 * i + 1] ?? 0))
  }
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return `::ffff:${bytes.subarray(offset + 12, offset + IPV6_ADDRESS_LENGTH).join('.')}`
  }
  const { start, length } = longestZeroRun(groups)
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':')
  if (length < 2) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  groups.forEach((group, i) => {
    if (group !== 0) start = i + 1
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start }
  })
  return best
}
