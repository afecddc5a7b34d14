import { addressBytes } from './socket-address.js'
import {
  ACCEPT,
  advanceIndex,
  DROP,
  FOR_US,
  INDEX_BEHIND_IPV4,
  require,
  requireAny,
  requireBytes,
  requireRange,
  requireRoom,
  setIndex,
  type Steps
} from './bpf.js'

/**
 * What every advertisement that a virtual router can accept has in the same places. The kernel compares
 * it, so that a flood of others costs the director nothing. Null compares nothing.
 */
export interface ExpectedAdvertisement {
  readonly family: 'ipv4' | 'ipv6'
  readonly vrid: number
  readonly version: 2 | 3
  readonly destination: string | null
  /** IPv4 only: an IPv6 sender is left to the receive checks. */
  readonly sources: readonly string[] | null
  /** TTL or hop limit, both included. */
  readonly ttl: { readonly min: number; readonly max: number } | null
  /** VRRPv2 only. */
  readonly authType: number | null
  /** VRRPv2 only: the 8 bytes behind the addresses. */
  readonly authData: Uint8Array | null
  /** VRRPv2 only: seconds. */
  readonly adverInt: number | null
}

/** Two filters that never let the same packet through. */
export interface VrrpFilters {
  /** Packets that may be accepted. */
  readonly expected: Steps
  /** Packets that the receive checks will discard, and that are worth telling. */
  readonly deviating: Steps
}

const ADVERTISEMENT_TYPE = 1
const HEADER_LENGTH = 8
const AUTH_DATA_LENGTH = 8
const ADDRESS_LENGTHS = { ipv4: 4, ipv6: 16 }
const IPV6_LENGTH = 40
const VRRP = 112

const VERSION_AND_TYPE = { offset: 0, width: 1, indexed: true } as const
const VRID = { offset: 1, width: 1, indexed: true } as const
const ADDRESS_COUNT = 3
const AUTH_TYPE = { offset: 4, width: 1, indexed: true } as const
const ADVER_INT = { offset: 5, width: 1, indexed: true } as const

/**
 * Filters for sockets that get IPv4 or IPv6 packets of VRRP with their header.
 *
 * @param tellsForeign whether packets for other virtual routers are worth telling
 */
export function vrrpFilters(expected: ExpectedAdvertisement, tellsForeign: boolean): VrrpFilters {
  const build = (deviation: Steps, conformance: Steps): Steps => [
    ...atMessage(expected.family),
    ...require(VRID, expected.vrid, tellsForeign ? deviation : DROP),
    ...ipSteps(expected, deviation),
    ...messageSteps(expected, deviation),
    ...conformance
  ]
  return { expected: build(DROP, ACCEPT), deviating: build(ACCEPT, DROP) }
}

/** Every packet of VRRP. */
export function anyVrrpFilter(family: 'ipv4' | 'ipv6'): Steps {
  return [...atMessage(family), ...ACCEPT]
}

/** Sets the index to the VRRP message. The kernel gives an IPv4 raw socket its own protocol only. */
function atMessage(family: 'ipv4' | 'ipv6'): Steps {
  if (family === 'ipv4') return INDEX_BEHIND_IPV4
  return [...FOR_US, ...require({ offset: 6, width: 1 }, VRRP), ...setIndex(IPV6_LENGTH)]
}

function ipSteps(
  { family, destination, sources, ttl }: ExpectedAdvertisement,
  deviation: Steps
): Steps {
  const places = family === 'ipv4' ? { ttl: 8, to: 16 } : { ttl: 7, to: 24 }
  const steps: Steps[] = []
  if (ttl) steps.push(requireRange({ offset: places.ttl, width: 1 }, ttl.min, ttl.max, deviation))
  if (destination !== null)
    steps.push(requireBytes(places.to, addressBytes(destination), deviation))
  if (sources !== null && family === 'ipv4')
    steps.push(requireAny({ offset: 12, width: 4 }, sources.map(ipv4Number), deviation))
  return steps.flat()
}

function messageSteps(
  { family, version, authType, authData, adverInt }: ExpectedAdvertisement,
  deviation: Steps
): Steps {
  const steps: Steps[] = [
    requireRoom(HEADER_LENGTH, deviation),
    require(VERSION_AND_TYPE, (version << 4) | ADVERTISEMENT_TYPE, deviation)
  ]
  if (authType !== null) steps.push(require(AUTH_TYPE, authType, deviation))
  if (adverInt !== null) steps.push(require(ADVER_INT, adverInt, deviation))
  if (authData !== null)
    steps.push(
      advanceIndex(ADDRESS_COUNT, ADDRESS_LENGTHS[family]),
      requireRoom(HEADER_LENGTH + AUTH_DATA_LENGTH, deviation),
      requireBytes(HEADER_LENGTH, authData, deviation, true)
    )
  return steps.flat()
}

function ipv4Number(address: string): number {
  return Buffer.from(addressBytes(address)).readUInt32BE()
}
