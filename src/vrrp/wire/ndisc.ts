import { readMac } from './arp.js'
import { internetChecksum } from './checksum.js'
import { pseudoHeaderSum } from './ip-header.js'
import { IPV6_HEADER_LENGTH, readIpv6, writeIpv6 } from './ipv6.js'

/** Neighbour discovery (RFC 4861) as far as a virtual router needs it: whole Ethernet frames. */

const ETHER_TYPE_IPV6 = 0x86dd
const ETHERNET_HEADER_LENGTH = 14
const ICMPV6_OFFSET = ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH
/** Type, code, checksum, flags and target. */
const MESSAGE_LENGTH = 24
const LINK_ADDRESS_OPTION_LENGTH = 8
const ICMPV6 = 58
/** A message with any other hop limit came through a router and is discarded (RFC 4861 §7.1). */
const HOP_LIMIT = 255

const SOLICITATION = 135
const ADVERTISEMENT = 136
const SOURCE_LINK_ADDRESS = 1
const TARGET_LINK_ADDRESS = 2

const ROUTER_FLAG = 0x80
const SOLICITED_FLAG = 0x40
const OVERRIDE_FLAG = 0x20

const ALL_NODES = 'ff02::1'
const UNSPECIFIED = '::'

/**
 * Encodes an unsolicited neighbour advertisement as keepalived 2.2.7 sends it (captured):
 *
 *   0  Ethernet: destination 33:33:00:00:00:01, source the interface's own MAC, type 0x86dd
 *   14 IPv6: payload length 32, next header 58, hop limit 255, source: the virtual address, destination ff02::1
 *   54 ICMPv6 type 136, code 0, checksum, flags: Override, and Router where the machine forwards
 *   62 target: the virtual address
 *   78 option 2, length 1 (8 bytes): the interface's MAC
 *
 * @param mac the interface's hardware address, 6 bytes
 * @param isRouter whether this machine forwards IPv6
 * @returns 86 bytes
 */
export function encodeUnsolicitedNa(
  mac: Uint8Array,
  address: string,
  isRouter: boolean
): Uint8Array {
  return encode({
    mac,
    source: address,
    destination: ALL_NODES,
    type: ADVERTISEMENT,
    flags: OVERRIDE_FLAG | (isRouter ? ROUTER_FLAG : 0),
    target: address,
    option: TARGET_LINK_ADDRESS
  })
}

/**
 * Encodes a question for the MAC of `target`, asked from `source`: who is asked also learns ours, and
 * overrides what it knew (RFC 4861 §7.2.3).
 *
 * @returns 86 bytes
 */
export function encodeNeighbourSolicitation(
  mac: Uint8Array,
  source: string,
  target: string
): Uint8Array {
  return encode({
    mac,
    source,
    destination: solicitedNode(target),
    type: SOLICITATION,
    flags: 0,
    target,
    option: SOURCE_LINK_ADDRESS
  })
}

/**
 * Encodes the question of duplicate address detection (RFC 4862 §5.4.2): it comes from the unspecified
 * address and tells no MAC, so that no neighbour changes its table for it.
 *
 * @returns 78 bytes
 */
export function encodeNeighbourProbe(mac: Uint8Array, target: string): Uint8Array {
  return encode({
    mac,
    source: UNSPECIFIED,
    destination: solicitedNode(target),
    type: SOLICITATION,
    flags: 0,
    target,
    option: null
  })
}

/** What a neighbour solicitation or advertisement says. */
export interface NeighbourFrame {
  readonly kind: 'solicitation' | 'advertisement'
  /** The MACs in the Ethernet header. */
  readonly from: string
  readonly to: string
  readonly source: string
  readonly destination: string
  readonly target: string
  /** Of an advertisement: it answers a question. */
  readonly isSolicited: boolean
  /** The MAC in the option that belongs to its kind; null without one. */
  readonly linkAddress: string | null
}

/**
 * Decodes an Ethernet frame with a neighbour solicitation or advertisement. Checked as RFC 4861 §7.1
 * says, checksum included; extension headers do not occur and are not read.
 *
 * @returns null when it is cut short, not valid or anything else
 */
export function decodeNeighbour(frame: Uint8Array): NeighbourFrame | null {
  if (frame.length < ICMPV6_OFFSET + MESSAGE_LENGTH) return null
  const word = (offset: number): number => ((frame[offset] ?? 0) << 8) | (frame[offset + 1] ?? 0)
  if (word(12) !== ETHER_TYPE_IPV6 || (frame[14] ?? 0) >>> 4 !== 6) return null
  const length = word(18)
  if (frame[20] !== ICMPV6 || frame[21] !== HOP_LIMIT || length < MESSAGE_LENGTH) return null
  if (ICMPV6_OFFSET + length > frame.length) return null
  const type = frame[ICMPV6_OFFSET] ?? 0
  if ((type !== SOLICITATION && type !== ADVERTISEMENT) || frame[ICMPV6_OFFSET + 1] !== 0)
    return null
  const message = frame.subarray(ICMPV6_OFFSET, ICMPV6_OFFSET + length)
  if (checksumOf(frame, message) !== 0) return null
  const wanted = type === SOLICITATION ? SOURCE_LINK_ADDRESS : TARGET_LINK_ADDRESS
  const linkAddress = findLinkAddress(message, wanted)
  if (linkAddress === undefined) return null
  return {
    kind: type === SOLICITATION ? 'solicitation' : 'advertisement',
    from: readMac(frame, 6),
    to: readMac(frame, 0),
    source: readIpv6(frame, 22),
    destination: readIpv6(frame, 38),
    target: readIpv6(message, 8),
    isSolicited: type === ADVERTISEMENT && ((message[4] ?? 0) & SOLICITED_FLAG) !== 0,
    linkAddress
  }
}

/** The MAC in an option; null when it is not there, undefined when the options are not well formed. */
function findLinkAddress(message: Uint8Array, wanted: number): string | null | undefined {
  let found: string | null = null
  for (let at = MESSAGE_LENGTH; at < message.length;) {
    const length = (message[at + 1] ?? 0) * 8
    if (length === 0 || at + length > message.length) return undefined
    if (message[at] === wanted && length === LINK_ADDRESS_OPTION_LENGTH)
      found ??= readMac(message, at + 2)
    at += length
  }
  return found
}

/** RFC 4291 §2.7.1: ff02::1:ff00:0 with the last three bytes of the address. */
function solicitedNode(address: string): string {
  const bytes = new Uint8Array(16)
  writeIpv6(bytes, 0, address)
  bytes.set([0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff])
  return readIpv6(bytes, 0)
}

function encode(fields: {
  readonly mac: Uint8Array
  readonly source: string
  readonly destination: string
  readonly type: number
  readonly flags: number
  readonly target: string
  readonly option: number | null
}): Uint8Array {
  const length = MESSAGE_LENGTH + (fields.option === null ? 0 : LINK_ADDRESS_OPTION_LENGTH)
  const frame = new Uint8Array(ICMPV6_OFFSET + length)
  frame.set(fields.mac, 6)
  frame.set([ETHER_TYPE_IPV6 >>> 8, ETHER_TYPE_IPV6 & 0xff, 0x60], 12)
  frame[19] = length
  frame[20] = ICMPV6
  frame[21] = HOP_LIMIT
  writeIpv6(frame, 22, fields.source)
  writeIpv6(frame, 38, fields.destination)
  // RFC 2464 §7: a multicast address goes to 33:33 and its last four bytes.
  frame.set([0x33, 0x33, ...frame.subarray(50, 54)], 0)
  const message = frame.subarray(ICMPV6_OFFSET)
  message[0] = fields.type
  message[4] = fields.flags
  writeIpv6(message, 8, fields.target)
  if (fields.option !== null) message.set([fields.option, 1, ...fields.mac], MESSAGE_LENGTH)
  const checksum = checksumOf(frame, message)
  message[2] = checksum >>> 8
  message[3] = checksum & 0xff
  return frame
}

/** Over the pseudo-header too (RFC 8200 §8.1): 0 where the message holds its own. */
function checksumOf(frame: Uint8Array, message: Uint8Array): number {
  const packet = frame.subarray(ETHERNET_HEADER_LENGTH)
  const sum = pseudoHeaderSum(packet, 'ipv6', message.length, ICMPV6)
  return internetChecksum(message, 0, message.length, sum)
}
