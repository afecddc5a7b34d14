import type { Counter } from './counters.js'
import type { Discard } from './receive.js'

/** Under which of keepalived's counters a discarded packet is counted; null where it counts nothing. */
export const DISCARD_COUNTERS: Readonly<Record<Discard, Counter | null>> = {
  'ip-header': null,
  protocol: null,
  vrid: null,
  'own-address': null,
  ttl: 'ip_ttl_err',
  length: 'packet_len_err',
  version: 'vers_err',
  type: 'invalid_type_rcvd',
  'auth-type': 'authtype_mismatch',
  'auth-data': 'auth_failure',
  interval: 'advert_interval_err',
  checksum: 'chk_err',
  destination: 'addr_list_err'
}
