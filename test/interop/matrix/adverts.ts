import { ADDRESSES, macOf } from '../../netns/lab/lab.js'
import type { Packet } from '../../netns/lab/pcap.js'
import { DIRECTORS, type DirectorName } from './features.js'

/** Lengths and offsets of an Ethernet frame with IPv4 or IPv6 in it. */
const ETHERNET_BYTES = 14
const IPV6_BYTES = 40
const IPV4 = 0x0800
const IPV6 = 0x86dd

/** Takes every advertisement of VRRP: protocol 112 of either family. */
export const ADVERTS_FILTER = 'ip proto 112 or ip6 proto 112'

/** An advertisement as it passed the switch. */
export interface Advert {
  /** In milliseconds since the epoch. */
  readonly at: number
  readonly from: DirectorName
  readonly vrid: number
  readonly priority: number
}

/** The advertisement in a captured frame, or null when it is none of a director. */
export function readAdvert({ at, bytes }: Packet): Advert | null {
  const mac = bytes.toString('hex', 6, 12)
  const from = DIRECTORS.find((name) => macOf(ADDRESSES[name]).replaceAll(':', '') === mac)
  const start = startOf(bytes)
  if (from === undefined || start === null) return null
  return { at, from, vrid: bytes[start + 1] ?? 0, priority: bytes[start + 2] ?? 0 }
}

function startOf(bytes: Buffer): number | null {
  const type = bytes.readUInt16BE(12)
  if (type === IPV4) return ETHERNET_BYTES + ((bytes[ETHERNET_BYTES] ?? 0) & 15) * 4
  return type === IPV6 ? ETHERNET_BYTES + IPV6_BYTES : null
}
