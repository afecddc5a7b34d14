import type { Counter } from './counters.js'

/**
 * Why a received packet is dropped, in the order of the checks, and under which of keepalived's
 * counters it is counted; null where keepalived counts nothing.
 */
export const DISCARD_COUNTERS = {
  /** Too short for an IP header. */
  'ip-header': null,
  /** IPv6 for a virtual router of IPv4, or the reverse. */
  'ip-version': null,
  /** Neither VRRP nor an Authentication Header. */
  protocol: null,
  /** Too short for a VRRP header: nobody knows for which virtual router it was. */
  short: null,
  /** Meant for another virtual router of the segment: not an error. */
  vrid: null,
  /** It carries our own address as its source. */
  'own-address': null,
  /** There is an Authentication Header (RFC 4302); tsha has none. */
  'ah-header': 'authtype_mismatch',
  /** Bytes arrived that do not fit the count of addresses. */
  length: 'packet_len_err',
  /** A multicast packet whose TTL, or hop limit, is not 255. */
  ttl: 'ip_ttl_err',
  version: 'vers_err',
  /** No HMAC, though the mode is `enforce`. */
  'hmac-missing': 'auth_ext_missing',
  /** HMAC: a trailer of an unknown type. */
  'hmac-malformed': 'auth_ext_malformed',
  /** HMAC: the sender's clock is further from ours than the window. */
  'hmac-stale': 'auth_ext_stale',
  'hmac-unknown-key': 'auth_ext_unknown_key',
  'hmac-invalid': 'auth_ext_invalid_hmac',
  /** HMAC: a packet that was already heard, or one older than it. */
  'hmac-replay': 'auth_ext_replay',
  /** An authentication type that VRRPv2 does not have. */
  'auth-type-unknown': 'invalid_authtype',
  'auth-type': 'authtype_mismatch',
  'auth-data': 'auth_failure',
  /** VRRPv2: not our interval. VRRPv3: an interval of 0. */
  interval: 'advert_interval_err',
  type: 'invalid_type_rcvd',
  /** The IP header tells of more or less bytes than arrived. */
  'ip-length': 'packet_len_err',
  checksum: 'chk_err',
  /** Multicast for a virtual router that speaks unicast, or the reverse; or another group. */
  destination: 'addr_list_err',
  /** Unicast from somebody who is not one of the peers. */
  'unicast-source': null,
  /** Unicast with a TTL, or hop limit, outside the bounds of its peer. */
  'ttl-range': 'ip_ttl_err',
  /** We own the addresses, and are to ignore whoever else has them. */
  'owner-ignores': null
} as const satisfies Readonly<Record<string, Counter | null>>

/** Why a received packet is dropped. Counted per reason, and logged once per reason and sender. */
export type Discard = keyof typeof DISCARD_COUNTERS
