import { readIpv4, writeIpv4 } from './ipv4.js'

const ETHERNET_HEADER_LENGTH = 14
const ARP_LENGTH = 28
const MAC_LENGTH = 6
const ETHER_TYPE_ARP = 0x0806
const REQUEST = 1
const REPLY = 2

/** Sender address of an ARP probe: we do not have the address yet (RFC 5227 §1.1). */
const NO_ADDRESS = '0.0.0.0'

/** Six bytes from `aa:bb:cc:dd:ee:ff`. */
export function parseMac(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':'), (part) => Number.parseInt(part, 16))
}

/** Six bytes at `offset` as `aa:bb:cc:dd:ee:ff`. */
export function readMac(bytes: Uint8Array, offset: number): string {
  const pairs = Array.from(bytes.subarray(offset, offset + MAC_LENGTH), (byte) =>
    byte.toString(16).padStart(2, '0')
  )
  return pairs.join(':')
}

/**
 * Encodes a gratuitous ARP as keepalived 2.2.7 sends it (captured), a broadcast *request*:
 *
 *   0  Ethernet: destination ff:ff:ff:ff:ff:ff, source the interface's own MAC, type 0x0806
 *   14 hardware type 1, protocol type 0x0800, lengths 6 and 4, opcode 1
 *   22 sender MAC: the interface, sender address: the virtual address
 *   32 target MAC ff:ff:ff:ff:ff:ff, target address: the virtual address
 *
 * @param mac the interface's hardware address, 6 bytes
 * @returns 42 bytes
 */
export function encodeGratuitousArp(mac: Uint8Array, address: string): Uint8Array {
  const frame = encodeRequest(mac, address, address)
  frame.fill(0xff, 32, 38)
  return frame
}

/**
 * Encodes an ARP probe (RFC 5227 §2.1.1): who has the address, asked by nobody in particular, so
 * that no neighbour changes its table for it. The target MAC is zero.
 *
 * @returns 42 bytes
 */
export function encodeArpProbe(mac: Uint8Array, address: string): Uint8Array {
  return encodeRequest(mac, NO_ADDRESS, address)
}

/**
 * Encodes a question for the MAC of `target`, asked from `source`: who is asked also learns ours
 * (RFC 826, the table is updated before the opcode is looked at).
 *
 * @returns 42 bytes
 */
export function encodeArpRequest(mac: Uint8Array, source: string, target: string): Uint8Array {
  return encodeRequest(mac, source, target)
}

/** What an ARP frame for IPv4 over Ethernet says (RFC 826). */
export interface ArpFrame {
  readonly isReply: boolean
  /** The MAC in the Ethernet header, which is the sender's unless it lies. */
  readonly from: string
  readonly to: string
  readonly senderMac: string
  readonly senderAddress: string
  readonly targetMac: string
  readonly targetAddress: string
}

/**
 * Decodes an Ethernet frame with ARP for IPv4. Bytes behind it are link-layer padding.
 *
 * @returns null when it is cut short or anything else
 */
export function decodeArp(frame: Uint8Array): ArpFrame | null {
  if (frame.length < ETHERNET_HEADER_LENGTH + ARP_LENGTH) return null
  const word = (offset: number): number => ((frame[offset] ?? 0) << 8) | (frame[offset + 1] ?? 0)
  if (word(12) !== ETHER_TYPE_ARP || word(14) !== 1 || word(16) !== 0x0800) return null
  if (word(18) !== 0x0604) return null
  const opcode = word(20)
  if (opcode !== REQUEST && opcode !== REPLY) return null
  return {
    isReply: opcode === REPLY,
    from: readMac(frame, 6),
    to: readMac(frame, 0),
    senderMac: readMac(frame, 22),
    senderAddress: readIpv4(frame, 28),
    targetMac: readMac(frame, 32),
    targetAddress: readIpv4(frame, 38)
  }
}

function encodeRequest(mac: Uint8Array, source: string, target: string): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + ARP_LENGTH)
  frame.fill(0xff, 0, 6)
  frame.set(mac, 6)
  frame[12] = ETHER_TYPE_ARP >>> 8
  frame[13] = ETHER_TYPE_ARP & 0xff
  frame.set([0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, REQUEST], 14)
  frame.set(mac, 22)
  writeIpv4(frame, 28, source)
  writeIpv4(frame, 38, target)
  return frame
}
