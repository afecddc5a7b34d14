import type { Packet } from './pcap.js'

/** EtherTypes and protocols by which the frames of a pair are told apart. */
const IPV4 = 0x0800
const ARP = 0x0806
const VRRP_PROTOCOL = 112

/** Whether a frame is a VRRP advertisement over IPv4. */
export function isAdvertisement({ bytes }: Packet): boolean {
  return bytes.length > 34 && bytes.readUInt16BE(12) === IPV4 && bytes[23] === VRRP_PROTOCOL
}

/** Priority of an advertisement with a 20 byte IP header. */
export function priorityOf({ bytes }: Packet): number {
  return bytes[36] ?? -1
}

/** IP Identification of an IPv4 packet. */
export function identificationOf({ bytes }: Packet): number {
  return bytes.readUInt16BE(18)
}

/** The hardware address that a frame came from, `aa:bb:cc:dd:ee:ff`. */
export function senderOf({ bytes }: Packet): string {
  return bytes.toString('hex', 6, 12).replace(/..(?!$)/g, '$&:')
}

/** Whether a frame is a gratuitous ARP for an IPv4 address. */
export function isGratuitousArp({ bytes }: Packet, address: string): boolean {
  return (
    bytes.length >= 42 &&
    bytes.readUInt16BE(12) === ARP &&
    bytes.subarray(28, 32).join('.') === address &&
    bytes.subarray(38, 42).join('.') === address
  )
}

/**
 * The frame in hexadecimal with everything that differs between senders and moments as `..`: the
 * sender's hardware address, and of an advertisement the IP Identification, the IP header checksum
 * and the source address.
 */
export function maskedAdvertisement({ bytes }: Packet): string {
  return mask(bytes, [
    [6, 12],
    [18, 20],
    [24, 30]
  ])
}

/** As above for an ARP frame: only the sender's hardware address differs, in two places. */
export function maskedArp({ bytes }: Packet): string {
  return mask(bytes, [
    [6, 12],
    [22, 28]
  ])
}

function mask(bytes: Buffer, ranges: readonly (readonly [number, number])[]): string {
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'))
  for (const [from, to] of ranges) pairs.fill('..', from, to)
  return pairs.join(' ')
}
