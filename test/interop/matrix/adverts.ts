import { senderOf } from '../../netns/lab/frame.js'
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
export function readAdvert(packet: Packet): Advert | null {
  const { at, bytes } = packet
  const mac = senderOf(packet)
  const from = DIRECTORS.find((name) => macOf(ADDRESSES[name]) === mac)
  const start = startOf(bytes)
  if (from === undefined || start === null) return null
  return { at, from, vrid: bytes[start + 1] ?? 0, priority: bytes[start + 2] ?? 0 }
}

/** How soon after the first advertisement of a new master the old one may have its last word. */
const LAST_WORD_MS = 100

/** Who claimed mastership, one after the other. */
export interface Reigns {
  /** The first advertisement of each. */
  readonly firsts: readonly Advert[]
  /** How often a master that heard a new one advertised once more, and no more than once. */
  readonly lastWords: number
}

/** The reigns in the advertisements of one virtual router; priority 0 claims nothing. */
export function reignsOf(adverts: readonly Advert[]): Reigns {
  const claims = adverts.filter(({ priority }) => priority > 0)
  const changes = claims.filter(({ from }, index) => from !== claims[index - 1]?.from)
  const firsts: Advert[] = []
  let lastWords = 0
  for (const [index, change] of changes.entries()) {
    const winner = firsts.at(-1)
    if (change.from === winner?.from) continue
    const next = changes[index + 1]
    const isAnswer =
      firsts.length > 1 && winner !== undefined && change.at - winner.at <= LAST_WORD_MS
    const isOnce = claims[claims.indexOf(change) + 1] === next
    if (isAnswer && isOnce && next !== undefined) lastWords += 1
    else firsts.push(change)
  }
  return { firsts, lastWords }
}

function startOf(bytes: Buffer): number | null {
  const type = bytes.readUInt16BE(12)
  if (type === IPV4) return ETHERNET_BYTES + ((bytes[ETHERNET_BYTES] ?? 0) & 15) * 4
  return type === IPV6 ? ETHERNET_BYTES + IPV6_BYTES : null
}
