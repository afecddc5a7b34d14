import { writeIpv4 } from './ipv4.js'

const ETHERNET_HEADER_LENGTH = 14
const ARP_LENGTH = 28
const ETHER_TYPE_ARP = 0x0806

/** Six bytes from `aa:bb:cc:dd:ee:ff`. */
export function parseMac(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':'), (part) => Number.parseInt(part, 16))
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
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + ARP_LENGTH)
  frame.fill(0xff, 0, 6)
  frame.set(mac, 6)
  frame[12] = ETHER_TYPE_ARP >>> 8
  frame[13] = ETHER_TYPE_ARP & 0xff
  frame.set([0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01], 14)
  frame.set(mac, 22)
  writeIpv4(frame, 28, address)
  frame.fill(0xff, 32, 38)
  writeIpv4(frame, 38, address)
  return frame
}
