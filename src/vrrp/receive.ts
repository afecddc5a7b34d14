import type { VirtualRouter } from './model.js'
import {
  AUTH_NONE,
  AUTH_PASS,
  decodeAdvertisementV2,
  type DecodeDiscard
} from './wire/advertisement-v2.js'
import { internetChecksum } from './wire/checksum.js'
import { VRRP_GROUP, VRRP_PROTOCOL, VRRP_TTL, decodeIpv4 } from './wire/ipv4.js'

/** Why a received packet is dropped. Counted per reason, and logged once per reason and sender. */
export type Discard =
  | DecodeDiscard
  | 'ip-header'
  | 'protocol'
  /** Meant for another virtual router of the segment: not an error. */
  | 'vrid'
  | 'own-address'
  | 'ttl'
  | 'auth-type'
  | 'auth-data'
  | 'interval'
  | 'checksum'
  | 'destination'

/** The outcome of the receive checks. */
export type Verdict =
  | {
      readonly ok: true
      readonly priority: number
      readonly source: string
      /** Whether the sender's virtual addresses are ours; a difference is told, not punished. */
      readonly sameAddresses: boolean
    }
  | { readonly ok: false; readonly reason: Discard; readonly source: string | null }

/**
 * The ladder of checks that a packet has to pass before the state machine hears of it (RFC 3768 §7.1),
 * in keepalived's order: length, TTL, version, authentication, interval, type, checksum, destination.
 * A different address list is accepted, as keepalived does since 2.3.3: older ones discard it, and
 * then both directors are master.
 *
 * @param packet an IPv4 packet with its header
 */
export function receive(router: VirtualRouter, packet: Uint8Array): Verdict {
  const ip = decodeIpv4(packet)
  if (ip === null) return { ok: false, reason: 'ip-header', source: null }
  const { source, payload } = ip
  const discard = (reason: Discard): Verdict => ({ ok: false, reason, source })

  if (ip.protocol !== VRRP_PROTOCOL) return discard('protocol')
  if (payload.length > 1 && payload[1] !== router.vrid) return discard('vrid')
  if (source === router.primaryAddress) return discard('own-address')
  if (ip.ttl !== VRRP_TTL) return discard('ttl')

  const advertisement = decodeAdvertisementV2(payload)
  if (typeof advertisement === 'string') return discard(advertisement)
  const { authentication } = router
  if (advertisement.authType !== (authentication.type === 'pass' ? AUTH_PASS : AUTH_NONE)) {
    return discard('auth-type')
  }
  if (authentication.type === 'pass' && !equalBytes(advertisement.authData, authentication.data)) {
    return discard('auth-data')
  }
  if (advertisement.adverIntSeconds * 1000 !== router.adverInterval) return discard('interval')
  if (internetChecksum(payload) !== 0) return discard('checksum')
  if (ip.destination !== VRRP_GROUP) return discard('destination')

  return {
    ok: true,
    priority: advertisement.priority,
    source,
    sameAddresses: isSameSet(advertisement.addresses, router.addresses)
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((address) => b.includes(address))
}
