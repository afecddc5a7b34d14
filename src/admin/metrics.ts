import type { Histogram, ListenerStatus, PeerState, PeerStatus, Status } from './model.js'
import type { VirtualRouterState, VirtualRouterStatus } from './model.js'

/**
 * Every metric, read from one status. Names and units follow the conventions of Prometheus; labels
 * take their values from the configuration or from the lists in here, so that nobody who sends
 * requests or advertisements can make more of them. docs/metrics.md explains each one.
 */

export interface Metric {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly read: (status: Status) => readonly Sample[]
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number | Histogram
}

/** keepalived's counters by its names, and what each of them counts. */
export const VRRP_COUNTERS: Readonly<Record<string, string>> = {
  advert_rcvd: 'Advertisements of others that were received.',
  advert_sent: 'Advertisements that were sent.',
  become_master: 'Times that the virtual router became master.',
  release_master: 'Times that the virtual router ceased to be master.',
  packet_len_err: 'Advertisements discarded for their length.',
  advert_interval_err: 'Advertisements discarded for their interval.',
  ip_ttl_err: 'Advertisements discarded because their TTL was not 255.',
  invalid_type_rcvd: 'Packets discarded because they were no advertisements.',
  addr_list_err: 'Advertisements with other addresses than configured.',
  invalid_authtype: 'Advertisements discarded for an unknown kind of authentication.',
  authtype_mismatch: 'Advertisements discarded for another kind of authentication than configured.',
  auth_failure: 'Advertisements discarded because their authentication was wrong.',
  auth_ext_missing: 'Advertisements discarded because the HMAC was missing.',
  auth_ext_malformed: 'Advertisements discarded because the HMAC was malformed.',
  auth_ext_unknown_key: 'Advertisements discarded because the key of the HMAC is unknown.',
  auth_ext_invalid_hmac: 'Advertisements discarded because the HMAC was wrong.',
  auth_ext_stale: 'Advertisements discarded because the HMAC was too old.',
  auth_ext_replay: 'Advertisements discarded because the HMAC had been seen before.',
  pri_zero_rcvd: 'Advertisements of priority 0 that were received.',
  pri_zero_sent: 'Advertisements of priority 0 that were sent.',
  vers_err: 'Advertisements discarded for their version.',
  chk_err: 'Advertisements discarded for their checksum.'
}

const STATES: readonly VirtualRouterState[] = ['initialize', 'backup', 'master', 'fault']
const PEER_STATES: readonly PeerState[] = ['up', 'out', 'down', 'drain']
const WORKER_STATES = ['starting', 'listening', 'ending'] as const

const DIRECTOR: readonly Metric[] = [
  one('tsha_build_info', 'The version that runs; always 1.', ['version'], (status) => [
    { labels: { version: status.version }, value: 1 }
  ]),
  simple('tsha_start_time_seconds', 'When the director process started, since 1970.', (status) =>
    instant(status.started_at)
  ),
  simple(
    'tsha_problems',
    'Things that are not as they should be, as tsha status lists them.',
    (status) => status.problems.length
  ),
  one(
    'tsha_configuration_info',
    'Hash of the configuration in use; always 1.',
    ['hash'],
    ({ configuration }) => [{ labels: { hash: configuration.hash }, value: 1 }]
  ),
  simple(
    'tsha_configuration_loaded_timestamp_seconds',
    'When the configuration in use was loaded, since 1970.',
    ({ configuration }) => instant(configuration.loaded_at)
  ),
  simple(
    'tsha_configuration_last_reload_successful',
    'Whether the last reload was taken; 1 before the first one.',
    ({ configuration }) => flag(configuration.last_reload?.ok ?? true)
  ),
  one(
    'tsha_check_passes',
    'Whether a check passes; absent before its first result.',
    ['kind', 'check'],
    ({ checks }) =>
      checks.flatMap(({ kind, name, passes }) =>
        passes === null ? [] : [{ labels: { kind, check: name }, value: flag(passes) }]
      )
  )
]

const VRRP: readonly Metric[] = [
  one(
    'tsha_vrrp_state',
    '1 for the state that the virtual router is in.',
    ['router', 'state'],
    (status) =>
      status.virtual_routers.flatMap(({ name, state }) =>
        STATES.map((each) => ({
          labels: { router: name, state: each },
          value: flag(each === state)
        }))
      )
  ),
  router('tsha_vrrp_master', 'Whether this director is master.', ({ state }) =>
    flag(state === 'master')
  ),
  router(
    'tsha_vrrp_last_change_timestamp_seconds',
    'When the state changed last, since 1970.',
    ({ since }) => instant(since)
  ),
  router(
    'tsha_vrrp_effective_priority',
    'Priority with what checks add to it.',
    (each) => each.effective_priority
  ),
  router(
    'tsha_vrrp_configured_priority',
    'Priority in the configuration.',
    (each) => each.configured_priority
  ),
  router(
    'tsha_vrrp_stepped_down',
    'Whether an administrator has the virtual router stand back.',
    (each) => flag(each.stepped_down)
  ),
  ...Object.entries(VRRP_COUNTERS).map(([counter, help]) =>
    router(`tsha_vrrp_${counter}_total`, help, ({ counters }) => counters[counter] ?? 0, 'counter')
  ),
  router(
    'tsha_vrrp_advert_lateness_seconds',
    'How long after their time advertisements left.',
    ({ lateness }) => lateness,
    'histogram'
  ),
  router(
    'tsha_vrrp_advert_lateness_max_seconds',
    'The latest that an advertisement left since the start.',
    ({ lateness }) => lateness.max_s
  )
]

const PROXY: readonly Metric[] = [
  one('tsha_proxy_running', 'Whether the proxy serves.', [], ({ proxy }) =>
    proxy === null ? [] : [{ labels: {}, value: flag(proxy.state === 'running') }]
  ),
  one('tsha_workers', 'Worker processes by what they do.', ['state'], ({ proxy }) =>
    proxy === null
      ? []
      : WORKER_STATES.map((state) => ({
          labels: { state },
          value: proxy.workers.filter((worker) => worker.state === state).length
        }))
  ),
  listener(
    'tsha_http_connections_accepted_total',
    'Connections of clients that were accepted.',
    ({ traffic }) => traffic.connections_accepted,
    'counter'
  ),
  listener(
    'tsha_http_connections',
    'Connections of clients that are open.',
    ({ traffic }) => traffic.connections_active
  ),
  one(
    'tsha_http_requests_total',
    'Requests by the status that the access log has for them.',
    ['listen', 'code'],
    ({ proxy }) =>
      (proxy?.listeners ?? []).flatMap(({ listen, traffic }) =>
        Object.entries(traffic.requests).map(([code, value]) => ({
          labels: { listen, code },
          value
        }))
      ),
    'counter'
  ),
  listener(
    'tsha_http_received_bytes_total',
    'Bytes of requests.',
    ({ traffic }) => traffic.bytes_received,
    'counter'
  ),
  listener(
    'tsha_http_sent_bytes_total',
    'Bytes of responses.',
    ({ traffic }) => traffic.bytes_sent,
    'counter'
  ),
  listener(
    'tsha_http_request_duration_seconds',
    'From the first byte of a request to the last one of its response; without tunnels.',
    ({ traffic }) => traffic.duration,
    'histogram'
  ),
  peer('tsha_upstream_peer_up', 'Whether the peer takes requests.', ({ state }) =>
    flag(state === 'up')
  ),
  one(
    'tsha_upstream_peer_state',
    '1 for the state that the peer is in.',
    ['upstream', 'peer', 'state'],
    (status) =>
      peersOf(status).flatMap(({ labels, peer }) =>
        PEER_STATES.map((state) => ({
          labels: { ...labels, state },
          value: flag(peer.state === state)
        }))
      )
  ),
  peer('tsha_upstream_peer_weight', 'Weight in the balancing.', ({ weight }) => weight),
  peer('tsha_upstream_peer_fails', 'Failures counted towards max_fails.', ({ fails }) => fails),
  peer(
    'tsha_upstream_in_flight',
    'Requests that have the peer now.',
    ({ traffic }) => traffic.in_flight
  ),
  one(
    'tsha_upstream_attempts_total',
    'Attempts by their result: a status, or why there was none.',
    ['upstream', 'peer', 'result'],
    (status) =>
      peersOf(status).flatMap(({ labels, peer }) =>
        Object.entries(peer.traffic.attempts).map(([result, value]) => ({
          labels: { ...labels, result },
          value
        }))
      ),
    'counter'
  ),
  peer(
    'tsha_upstream_sent_bytes_total',
    'Bytes sent to the peer.',
    ({ traffic }) => traffic.bytes_sent,
    'counter'
  ),
  peer(
    'tsha_upstream_received_bytes_total',
    'Bytes received from the peer.',
    ({ traffic }) => traffic.bytes_received,
    'counter'
  ),
  peer(
    'tsha_upstream_latency_seconds',
    'From the beginning of an attempt to the first byte of its answer.',
    ({ traffic }) => traffic.latency,
    'histogram'
  )
]

export const METRICS: readonly Metric[] = [...DIRECTOR, ...VRRP, ...PROXY]

function one(
  name: string,
  help: string,
  labels: readonly string[],
  read: Metric['read'],
  type: Metric['type'] = 'gauge'
): Metric {
  return { name, type, help, labels, read }
}

function simple(name: string, help: string, read: (status: Status) => number): Metric {
  return one(name, help, [], (status) => [{ labels: {}, value: read(status) }])
}

function router(
  name: string,
  help: string,
  read: (router: VirtualRouterStatus) => number | Histogram,
  type: Metric['type'] = 'gauge'
): Metric {
  const samples: Metric['read'] = ({ virtual_routers }) =>
    virtual_routers.map((each) => ({ labels: { router: each.name }, value: read(each) }))
  return one(name, help, ['router'], samples, type)
}

function listener(
  name: string,
  help: string,
  read: (listener: ListenerStatus) => number | Histogram,
  type: Metric['type'] = 'gauge'
): Metric {
  const samples: Metric['read'] = ({ proxy }) =>
    (proxy?.listeners ?? []).map((each) => ({ labels: { listen: each.listen }, value: read(each) }))
  return one(name, help, ['listen'], samples, type)
}

function peer(
  name: string,
  help: string,
  read: (peer: PeerStatus) => number | Histogram,
  type: Metric['type'] = 'gauge'
): Metric {
  const samples: Metric['read'] = (status) =>
    peersOf(status).map(({ labels, peer }) => ({ labels, value: read(peer) }))
  return one(name, help, ['upstream', 'peer'], samples, type)
}

interface NamedPeer {
  readonly labels: { readonly upstream: string; readonly peer: string }
  readonly peer: PeerStatus
}

/** Every peer once: an address that an upstream has twice is counted as one. */
function peersOf({ proxy }: Status): readonly NamedPeer[] {
  return (proxy?.upstreams ?? []).flatMap(({ name, peers }) =>
    [...new Map(peers.map((peer) => [peer.name, peer])).values()].map((peer) => ({
      labels: { upstream: name, peer: peer.name },
      peer
    }))
  )
}

function flag(isSo: boolean): number {
  return isSo ? 1 : 0
}

function instant(iso: string): number {
  return Date.parse(iso) / 1000
}
