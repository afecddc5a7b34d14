import type { VirtualRouter } from './model.js'
import { AUTH_NONE, AUTH_PASS, encodeAdvertisementV2 } from './wire/advertisement-v2.js'
import { encodeAdvertisementV3 } from './wire/advertisement-v3.js'
import { internetChecksum } from './wire/checksum.js'
import { TRAILER_LENGTH, writeTrailer, type Stamp } from './wire/hmac.js'
import { pseudoHeaderSum } from './wire/ip-header.js'
import { IPV4_HEADER_LENGTH, VRRP_TTL, writeIpv4Header } from './wire/ipv4.js'
import { IPV6_HEADER_LENGTH, writeIpv6Header } from './wire/ipv6.js'
import { AUTH_DATA_LENGTH, CHECKSUM_OFFSET } from './wire/message.js'

/** What differs between two advertisements of a virtual router. */
export interface AdvertisementToSend {
  /** 0 to 255. */
  readonly priority: number
  /** 1 to 65535, of IPv4; the copies for several partners have the same. */
  readonly identification: number
  /** The group, or the address of a partner. */
  readonly destination: string
  /** Of HMAC authentication, null without; the copies for several partners have the same. */
  readonly stamp: Stamp | null
}

/** Where each advertisement goes: to the group, or to every partner. */
export function targetsOf({ destination }: VirtualRouter): readonly string[] {
  return destination.kind === 'multicast'
    ? [destination.group]
    : destination.peers.map(({ address }) => address)
}

/**
 * A whole packet, IPv4 or IPv6 header included (IP_HDRINCL, IPV6_HDRINCL), as keepalived sends it. Only
 * the header checksum of IPv4 is left to the kernel.
 */
export function encodeAdvertisement(router: VirtualRouter, sent: AdvertisementToSend): Uint8Array {
  const { authentication, family } = router
  const message = encodeMessage(router, sent.priority)
  const signs = authentication.type === 'hmac' && authentication.mode !== 'receive-only'
  const from = family === 'ipv4' ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH
  const to = from + message.length
  const packet = new Uint8Array(to + (signs ? TRAILER_LENGTH : 0))
  writeHeader(packet, router, sent)
  packet.set(message, from)
  const [key] = signs ? authentication.keys : []
  if (key && sent.stamp !== null) writeTrailer(packet, family, from, to, key, sent.stamp)
  if (router.version === 3) writeChecksumV3(packet, router, from, to)
  return packet
}

function encodeMessage(router: VirtualRouter, priority: number): Uint8Array {
  const { vrid, adverInterval, addresses, authentication, family } = router
  if (router.version === 3) {
    const adverIntCentiseconds = Math.round(adverInterval / 10)
    return encodeAdvertisementV3({ vrid, priority, adverIntCentiseconds, addresses }, family)
  }
  const authData = authentication.type === 'pass' ? authentication.data : null
  return encodeAdvertisementV2({
    vrid,
    priority,
    authType: authData ? AUTH_PASS : AUTH_NONE,
    adverIntSeconds: Math.round(adverInterval / 1000),
    addresses,
    authData: authData ?? new Uint8Array(AUTH_DATA_LENGTH)
  })
}

function writeHeader(packet: Uint8Array, router: VirtualRouter, sent: AdvertisementToSend): void {
  const { family, primaryAddress: source } = router
  const { destination, identification } = sent
  const ttl = router.destination.kind === 'unicast' ? router.destination.ttl : VRRP_TTL
  if (family === 'ipv4') writeIpv4Header(packet, { source, destination, ttl, identification })
  else writeIpv6Header(packet, { source, destination, hopLimit: ttl })
}

/** Over IPv6 the checksum covers all that follows the header, over IPv4 the advertisement alone. */
function writeChecksumV3(
  packet: Uint8Array,
  router: VirtualRouter,
  from: number,
  to: number
): void {
  const { family, checksumPseudoHeader } = router
  const end = family === 'ipv4' ? to : packet.length
  const hasPseudoHeader = family === 'ipv6' || checksumPseudoHeader
  const sum = hasPseudoHeader ? pseudoHeaderSum(packet, family, end - from) : 0
  const checksum = internetChecksum(packet, from, end, sum)
  packet[from + CHECKSUM_OFFSET] = checksum >>> 8
  packet[from + CHECKSUM_OFFSET + 1] = checksum & 0xff
}
