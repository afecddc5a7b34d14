import type { Milliseconds } from './timing.js'
import { addressLength, readAddresses, type Family } from './wire/address.js'
import { readIntervalV3 } from './wire/advertisement-v3.js'
import { internetChecksum } from './wire/checksum.js'
import { isKnownTrailer, readKeyId, TRAILER_LENGTH } from './wire/hmac.js'
import {
  AH_LENGTH,
  AH_PROTOCOL,
  decodeIpHeader,
  destinationOf,
  pseudoHeaderSum,
  sourceOf
} from './wire/ip-header.js'
import { VRRP_PROTOCOL } from './wire/ipv4.js'
import { AUTH_DATA_LENGTH, FIXED_LENGTH, messageLength } from './wire/message.js'

/** What a packet of VRRP says, whoever it is meant for. Holds no password. */
export interface PacketSummary {
  readonly family: Family
  readonly source: string
  readonly destination: string
  /** Hop limit in IPv6. */
  readonly ttl: number
  /** Anything; 2 and 3 are known. */
  readonly version: number
  /** 1 is an advertisement. */
  readonly type: number
  readonly vrid: number
  readonly priority: number
  readonly adverInterval: Milliseconds
  /** VRRPv2's Auth Type; null in other versions. */
  readonly authType: number | null
  /** VRRPv2's Authentication Data are not eight zeros. */
  readonly hasPassword: boolean
  /** An IPsec Authentication Header comes before the message. */
  readonly hasAuthenticationHeader: boolean
  /** The key of HMAC authentication; null without. */
  readonly hmacKeyId: number | null
  /** Those that are there, where the packet is cut short. */
  readonly addresses: readonly string[]
  /** Every byte that the count of addresses asks for is there. */
  readonly isWhole: boolean
  /** Whether the checksum is right, without and with a pseudo-header. */
  readonly checksum: { readonly plain: boolean; readonly pseudoHeader: boolean }
}

/**
 * Reads what a packet says without a virtual router to compare it with. Never throws.
 *
 * @param packet an IPv4 or IPv6 packet with its header
 * @returns null when it is no VRRP, or too short for a VRRP header
 */
export function summarize(packet: Uint8Array): PacketSummary | null {
  const ip = decodeIpHeader(packet)
  if (ip === null) return null
  const hasAuthenticationHeader = ip.protocol === AH_PROTOCOL
  if (!hasAuthenticationHeader && ip.protocol !== VRRP_PROTOCOL) return null
  const from = ip.headerLength + (hasAuthenticationHeader ? AH_LENGTH : 0)
  // Behind the IP packet there may be padding of the link.
  const end = Math.min(packet.length, ip.totalLength)
  if (end < from + FIXED_LENGTH) return null

  const { family } = ip
  const byte = (offset: number): number => packet[from + offset] ?? 0
  const version = byte(0) >>> 4
  const to = from + messageLength(version, family, byte(3))
  const isWhole = end >= to
  const room = Math.floor((end - from - FIXED_LENGTH) / addressLength(family))
  const hasTrailer = end === to + TRAILER_LENGTH && isKnownTrailer(packet, to)
  return {
    family,
    source: sourceOf(packet, family),
    destination: destinationOf(packet, family),
    ttl: ip.ttl,
    version,
    type: byte(0) & 0x0f,
    vrid: byte(1),
    priority: byte(2),
    adverInterval: version === 2 ? byte(5) * 1000 : readIntervalV3(packet, from) * 10,
    authType: version === 2 ? byte(4) : null,
    hasPassword:
      version === 2 &&
      family === 'ipv4' &&
      isWhole &&
      packet.subarray(to - AUTH_DATA_LENGTH, to).some((each) => each !== 0),
    hasAuthenticationHeader,
    hmacKeyId: hasTrailer ? readKeyId(packet, to) : null,
    addresses: readAddresses(packet, from + FIXED_LENGTH, Math.min(byte(3), room), family),
    isWhole,
    checksum: checksumOf(packet, family, from, family === 'ipv6' ? end : Math.min(to, end))
  }
}

function checksumOf(
  packet: Uint8Array,
  family: Family,
  from: number,
  to: number
): PacketSummary['checksum'] {
  const sum = pseudoHeaderSum(packet, family, to - from)
  return {
    plain: internetChecksum(packet, from, to) === 0,
    pseudoHeader: internetChecksum(packet, from, to, sum) === 0
  }
}
