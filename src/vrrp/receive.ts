import type { Discard } from './discards.js'
import type { Authentication, VirtualRouter } from './model.js'
import { isFresh, type ReplayMemory } from './stamp.js'
import type { Milliseconds } from './timing.js'
import { readAddresses } from './wire/address.js'
import { AUTH_AH, AUTH_NONE, AUTH_PASS } from './wire/advertisement-v2.js'
import { readIntervalV3 } from './wire/advertisement-v3.js'
import { internetChecksum } from './wire/checksum.js'
import {
  isKnownTrailer,
  readKeyId,
  readSeconds,
  readStamp,
  TRAILER_LENGTH,
  verifyTrailer
} from './wire/hmac.js'
import {
  AH_LENGTH,
  AH_PROTOCOL,
  decodeIpHeader,
  destinationOf,
  ipVersion,
  pseudoHeaderSum,
  sourceOf,
  type IpHeader
} from './wire/ip-header.js'
import { VRRP_PROTOCOL, VRRP_TTL } from './wire/ipv4.js'
import {
  AUTH_DATA_LENGTH,
  FIXED_LENGTH,
  messageLength,
  TYPE_ADVERTISEMENT,
  VRID_OFFSET
} from './wire/message.js'

export type { Discard } from './discards.js'

/** A short Ethernet frame is padded to 60 bytes: 46 behind its header, 4 less for each VLAN tag. */
const SHORTEST_PAYLOAD = 46
const VLAN_TAG_LENGTH = 4

/** The outcome of the receive checks. */
export type Verdict =
  | {
      readonly ok: true
      readonly priority: number
      readonly source: string
      /** The sender's; in VRRPv2 always ours. */
      readonly adverInterval: Milliseconds
      /** Whether the sender's virtual addresses are ours; a difference is told, not punished. */
      readonly sameAddresses: boolean
    }
  | { readonly ok: false; readonly reason: Discard; readonly source: string | null }

/** A packet for this virtual router, and where its parts are. */
interface Received {
  readonly packet: Uint8Array
  readonly ip: IpHeader
  readonly source: string
  /** Where the VRRP message begins, and where it ends: a trailer or padding may follow. */
  readonly from: number
  readonly to: number
  /** Of VRRP, as the packet says. */
  readonly version: number
  /** There is a trailer of HMAC authentication. */
  readonly isSigned: boolean
}

/**
 * The ladder of checks that a packet has to pass before the state machine hears of it (RFC 3768 §7.1,
 * RFC 5798 §7.1), in keepalived's order. Packets of other virtual routers leave first, since they may
 * be many. Another address list is accepted, as keepalived does since 2.3.3: older ones discard it,
 * and then both directors are master.
 *
 * @param packet an IPv4 or IPv6 packet with its header
 * @param replay what HMAC authentication remembers of senders; belongs to this router
 * @param wallTime since 1970; only HMAC authentication looks at it
 */
export function receive(
  router: VirtualRouter,
  packet: Uint8Array,
  replay: ReplayMemory,
  wallTime: Milliseconds
): Verdict {
  const ip = decodeIpHeader(packet)
  if (ip?.family !== router.family)
    return { ok: false, reason: noHeader(router, packet), source: null }
  const isBare = ip.protocol === VRRP_PROTOCOL
  if (!isBare && ip.protocol !== AH_PROTOCOL) return discard('protocol', packet, ip)
  const from = ip.headerLength + (isBare ? 0 : AH_LENGTH)
  if (packet.length < from + FIXED_LENGTH) return discard('short', packet, ip)
  if (packet[from + VRID_OFFSET] !== router.vrid) return discard('vrid', packet, ip)

  const source = sourceOf(packet, ip.family)
  const version = (packet[from] ?? 0) >>> 4
  const to = from + messageLength(version, ip.family, packet[from + 3] ?? 0)
  const arrived = arrivedLength(packet, ip)
  const isSigned = router.authentication.type === 'hmac' && arrived === to + TRAILER_LENGTH
  const received: Received = { packet, ip, source, from, to, version, isSigned }
  const reason =
    (source === router.primaryAddress ? 'own-address' : null) ??
    (isBare ? null : 'ah-header') ??
    checkEnvelope(router, received, arrived) ??
    checkSignature(router, received, replay, wallTime) ??
    (version === 2 ? checkVersion2(router, received) : null) ??
    checkContent(received, arrived) ??
    checkPath(router, received) ??
    (router.ignoresAdverts ? 'owner-ignores' : null)
  if (reason !== null) return { ok: false, reason, source }

  const addresses = readAddresses(packet, from + FIXED_LENGTH, packet[from + 3] ?? 0, ip.family)
  return {
    ok: true,
    priority: packet[from + 2] ?? 0,
    source,
    adverInterval:
      version === 2 ? (packet[from + 5] ?? 0) * 1000 : readIntervalV3(packet, from) * 10,
    sameAddresses: isSameSet(addresses, router.addresses)
  }
}

function discard(reason: Discard, packet: Uint8Array, ip: IpHeader): Verdict {
  return { ok: false, reason, source: sourceOf(packet, ip.family) }
}

function noHeader(router: VirtualRouter, packet: Uint8Array): Discard {
  const expected = router.family === 'ipv4' ? 4 : 6
  return packet.length > 0 && ipVersion(packet) === 10 - expected ? 'ip-version' : 'ip-header'
}

/** What arrived: IPv6 takes no notice of what is behind its payload, as the kernel does not. */
function arrivedLength(packet: Uint8Array, ip: IpHeader): number {
  return ip.family === 'ipv4' ? packet.length : Math.min(packet.length, ip.totalLength)
}

/** Length, TTL and version. */
function checkEnvelope(router: VirtualRouter, received: Received, arrived: number): Discard | null {
  const { ip, version } = received
  const expected = endOf(received)
  if (arrived !== expected && !isPadded(expected, arrived)) return 'length'
  if (router.destination.kind === 'multicast' && ip.ttl !== VRRP_TTL) return 'ttl'
  return version === router.version ? null : 'version'
}

/** Where message and trailer end. */
function endOf({ to, isSigned }: Received): number {
  return isSigned ? to + TRAILER_LENGTH : to
}

function isPadded(length: number, arrived: number): boolean {
  return (
    length < SHORTEST_PAYLOAD &&
    arrived > length &&
    arrived <= SHORTEST_PAYLOAD &&
    // Lengths of messages are multiples of 4 as well.
    (SHORTEST_PAYLOAD - arrived) % VLAN_TAG_LENGTH === 0
  )
}

/** HMAC authentication, before any field of the message is believed. */
function checkSignature(
  router: VirtualRouter,
  { packet, ip, source, from, to, isSigned }: Received,
  replay: ReplayMemory,
  wallTime: Milliseconds
): Discard | null {
  const { authentication, destination } = router
  if (authentication.type !== 'hmac') return null
  if (!isSigned) return authentication.mode === 'enforce' ? 'hmac-missing' : null
  if (
    destination.kind === 'unicast' &&
    !destination.peers.some((peer) => peer.address === source)
  ) {
    return 'unicast-source'
  }
  if (!isKnownTrailer(packet, to)) return 'hmac-malformed'
  // Before the digest, which costs most: a flood of recorded packets must not make us busy.
  const checksTime = authentication.antiReplay === 'time'
  if (checksTime && !isFresh(readSeconds(packet, to), wallTime, authentication.window)) {
    return 'hmac-stale'
  }
  const key = authentication.keys.find(({ id }) => id === readKeyId(packet, to))
  if (key === undefined) return 'hmac-unknown-key'
  if (!verifyTrailer(packet, ip.family, from, to, key.digest)) return 'hmac-invalid'
  return replay.admits(source, readStamp(packet, to), wallTime, authentication)
    ? null
    : 'hmac-replay'
}

/** Authentication and interval of VRRPv2. */
function checkVersion2(router: VirtualRouter, { packet, from, to }: Received): Discard | null {
  const { authentication } = router
  const authType = packet[from + 4] ?? 0
  if (authType > AUTH_AH) return 'auth-type-unknown'
  if (authType !== (authentication.type === 'pass' ? AUTH_PASS : AUTH_NONE)) return 'auth-type'
  if (!hasAuthData(packet, to - AUTH_DATA_LENGTH, authentication)) return 'auth-data'
  return (packet[from + 5] ?? 0) * 1000 === router.adverInterval ? null : 'interval'
}

function hasAuthData(packet: Uint8Array, at: number, authentication: Authentication): boolean {
  if (authentication.type !== 'pass') return true
  let difference = 0
  for (let i = 0; i < AUTH_DATA_LENGTH; i++) {
    difference |= (authentication.data[i] ?? 0) ^ (packet[at + i] ?? 0)
  }
  return difference === 0
}

/** Type, length by the IP header, VRRPv3's interval and the checksum. */
function checkContent(received: Received, arrived: number): Discard | null {
  const { packet, ip, from, version } = received
  if (((packet[from] ?? 0) & 0x0f) !== TYPE_ADVERTISEMENT) return 'type'
  if (ip.totalLength !== arrived && ip.totalLength !== endOf(received)) return 'ip-length'
  if (version === 3 && readIntervalV3(packet, from) === 0) return 'interval'
  return isChecksumRight(received) ? null : 'checksum'
}

/**
 * VRRPv2 covers no pseudo-header, VRRPv3 over IPv6 always one, and for VRRPv3 over IPv4 both forms are
 * in use: keepalived's default has one, Cisco, Juniper and RFC 9568 do without.
 */
function isChecksumRight(received: Received): boolean {
  const { packet, ip, from, to, version } = received
  if (ip.family === 'ipv4') {
    if (internetChecksum(packet, from, to) === 0) return true
    if (version === 2) return false
    return internetChecksum(packet, from, to, pseudoHeaderSum(packet, ip.family, to - from)) === 0
  }
  // Over IPv6 it is the kernel's, which does not know where the advertisement ends.
  const end = endOf(received)
  return internetChecksum(packet, from, end, pseudoHeaderSum(packet, ip.family, end - from)) === 0
}

/** Where it went, and by unicast where it comes from. */
function checkPath(router: VirtualRouter, { packet, ip, source }: Received): Discard | null {
  const { destination, primaryAddress } = router
  const sentTo = destinationOf(packet, ip.family)
  if (destination.kind === 'multicast') return sentTo === destination.group ? null : 'destination'
  if (sentTo !== primaryAddress) return 'destination'
  const peer = destination.peers.find(({ address }) => address === source)
  if (peer === undefined) return destination.checkSource ? 'unicast-source' : null
  const { ttl: bounds } = peer
  return bounds !== null && (ip.ttl < bounds.min || ip.ttl > bounds.max) ? 'ttl-range' : null
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((address) => b.includes(address))
}
