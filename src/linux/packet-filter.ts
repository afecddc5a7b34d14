import {
  ACCEPT,
  acceptIfBytes,
  DROP,
  FOR_US,
  require,
  requireAny,
  requireBytes,
  type Steps
} from './bpf.js'

/** Filters for packet sockets: what must wake the director, and nothing of the traffic it proxies. */

/** Programs with one test for each address are kept far below the kernel's 4096 instructions. */
const MAX_ADDRESSES = 64

const ARP_OPERATION = { offset: 20, width: 2 } as const
const ARP_REPLY = 2
const ARP_SENDER_ADDRESS = 28
const ARP_TARGET_ADDRESS = 38
const NO_ADDRESS = new Uint8Array(4)

const ETHERNET_LENGTH = 14
const NEXT_HEADER = { offset: ETHERNET_LENGTH + 6, width: 1 } as const
const HOP_LIMIT = { offset: ETHERNET_LENGTH + 7, width: 1 } as const
const SOURCE = ETHERNET_LENGTH + 8
const DESTINATION = ETHERNET_LENGTH + 24
const ICMPV6_TYPE = { offset: ETHERNET_LENGTH + 40, width: 1 } as const
const ND_TARGET = ETHERNET_LENGTH + 48
const ICMPV6 = 58
const NEIGHBOUR_SOLICITATION = 135
const NEIGHBOUR_ADVERTISEMENT = 136
const UNSPECIFIED = new Uint8Array(16)

/**
 * ARP frames. With addresses only those that matter to who holds them: sent from one of them, answers
 * to one of them, and probes for one of them (RFC 5227 §2.1.1). The many requests of clients are not.
 *
 * @param addresses IPv4 addresses, 4 bytes each; none of them, or very many, pass every frame
 */
export function arpFilter(addresses: readonly Uint8Array[]): Steps {
  if (isUnbounded(addresses)) return [...FOR_US, ...ACCEPT]
  const sent = addresses.flatMap((address) => acceptIfBytes(ARP_SENDER_ADDRESS, address))
  const meant = addresses.flatMap((address) => acceptIfBytes(ARP_TARGET_ADDRESS, address))
  const isProbe = requireBytes(ARP_SENDER_ADDRESS, NO_ADDRESS)
  return [
    ...FOR_US,
    ...sent,
    ...require(ARP_OPERATION, ARP_REPLY, [...isProbe, ...meant, ...DROP]),
    ...meant,
    ...DROP
  ]
}

/**
 * Neighbour solicitations and advertisements that pass the first checks of RFC 4861 §7.1. With addresses
 * only advertisements that speak of or to one of them, and probes for one of them (RFC 4862 §5.4.3).
 *
 * @param addresses IPv6 addresses, 16 bytes each; none of them, or very many, pass every frame
 */
export function neighbourDiscoveryFilter(addresses: readonly Uint8Array[]): Steps {
  const valid = [
    ...FOR_US,
    ...require(NEXT_HEADER, ICMPV6),
    ...require(HOP_LIMIT, 255),
    ...requireAny(ICMPV6_TYPE, [NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT])
  ]
  if (isUnbounded(addresses)) return [...valid, ...ACCEPT]
  const about = addresses.flatMap((address) => acceptIfBytes(ND_TARGET, address))
  const to = addresses.flatMap((address) => acceptIfBytes(DESTINATION, address))
  const isProbe = requireBytes(SOURCE, UNSPECIFIED)
  return [
    ...valid,
    ...require(ICMPV6_TYPE, NEIGHBOUR_ADVERTISEMENT, [...isProbe, ...about, ...DROP]),
    ...about,
    ...to,
    ...DROP
  ]
}

function isUnbounded(addresses: readonly Uint8Array[]): boolean {
  return addresses.length === 0 || addresses.length > MAX_ADDRESSES
}
