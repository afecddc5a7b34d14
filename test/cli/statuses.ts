import type {
  CheckStatus,
  Histogram,
  ListenerStatus,
  PeerStatus,
  ProxyStatus,
  Status,
  VirtualRouterStatus
} from '../../src/admin/model.js'

/*
 * Statuses as literals: the pair of docs/examples as it is, and what is changed in it by a test.
 */

const NO_LATENCY: Histogram = { bounds_s: [0.001, 0.01], counts: [0, 0, 0], sum_s: 0 }

export const MASTER: VirtualRouterStatus = {
  name: 'nginx',
  interface: 'ens160',
  vrid: 51,
  vrrp_version: 2,
  family: 'ipv4',
  state: 'master',
  since: '2026-11-22T10:03:11.000Z',
  reason: 'priority-zero',
  because: ['192.168.64.134 advertised priority 0', 'its service check failed: connection refused'],
  is_handing_over: false,
  stepped_down: false,
  addresses: ['192.168.64.200/32'],
  configured_priority: 100,
  priority_override: null,
  effective_priority: 100,
  effects: [],
  master: null,
  timers: {
    advert_interval_ms: 1000,
    skew_time_ms: 609.375,
    master_down_interval_ms: 3609.375,
    next: { what: 'advertisement', in_ms: 412 }
  },
  counters: { advert_sent: 7800 },
  lateness: { ...NO_LATENCY, max_s: 0.002 }
}

export const BACKUP: VirtualRouterStatus = {
  ...MASTER,
  state: 'backup',
  since: '2026-11-21T22:10:00.000Z',
  reason: 'higher-priority',
  because: ['192.168.64.130 has the higher priority, 100 against 80'],
  effective_priority: 80,
  effects: [
    { what: 'the service check', detail: 'fails: connection refused', added: -20, is_fault: false }
  ],
  master: { address: '192.168.64.130', priority: 100, last_heard_s: 0.42 },
  timers: { ...MASTER.timers, next: { what: 'Master_Down_Timer', in_ms: 3100 } }
}

export const SERVICE_CHECK: CheckStatus = {
  kind: 'service',
  name: 'service',
  passes: true,
  since: '2026-11-22T10:03:05.000Z',
  detail: null
}

export const PEER: PeerStatus = {
  name: '192.168.64.143:80',
  state: 'up',
  since: '2026-11-22T10:03:05.000Z',
  detail: null,
  backup: false,
  configured_weight: 1,
  weight: 1,
  fails: 0,
  max_fails: 2,
  traffic: {
    in_flight: 3,
    attempts: { '200': 1000, '404': 10 },
    bytes_sent: 100_000,
    bytes_received: 5_000_000,
    latency: NO_LATENCY,
    recent: { per_second: 120.34, p50_ms: 1.23, p99_ms: 18.6 }
  }
}

export const OUT_PEER: PeerStatus = {
  ...PEER,
  name: '192.168.64.138:80',
  state: 'out',
  since: '2026-11-22T12:05:00.000Z',
  detail: '2 failures: connection refused',
  fails: 2,
  traffic: {
    ...PEER.traffic,
    in_flight: 0,
    attempts: { '200': 900, connect: 2 },
    recent: { per_second: 0, p50_ms: null, p99_ms: null }
  }
}

export const LISTENER: ListenerStatus = {
  listen: '0.0.0.0:80',
  servers: ['example.org', 'www.example.org'],
  traffic: {
    connections_accepted: 500,
    connections_active: 17,
    requests: { '200': 1900, '404': 10, '502': 2 },
    bytes_received: 90_000,
    bytes_sent: 9_000_000,
    duration: NO_LATENCY,
    recent: { per_second: 241.2, p50_ms: 1.31, p99_ms: 20.4 }
  }
}

export const PROXY: ProxyStatus = {
  state: 'running',
  workers: [
    { pid: 812, state: 'listening', started_at: '2026-11-22T10:03:05.000Z', connections: 9 },
    { pid: 813, state: 'listening', started_at: '2026-11-22T10:03:05.000Z', connections: 8 }
  ],
  listeners: [LISTENER],
  upstreams: [
    { name: 'web', balance: 'round-robin', peers: [PEER, { ...PEER, name: '192.168.64.138:80' }] }
  ]
}

/** A director of the pair that is well; what a test is about is changed. */
export function statusOf(changes: Partial<Status> = {}): Status {
  return {
    version: '0.1.0',
    role: 'master',
    router_id: 'director1',
    pid: 811,
    now: '2026-11-22T12:08:11.000Z',
    started_at: '2026-11-22T10:03:05.000Z',
    uptime_s: 7506,
    problems: [],
    configuration: {
      files: ['/etc/tsha/tsha.yaml'],
      hash: '3f2a91bc0d1e',
      loaded_at: '2026-11-22T10:03:05.000Z',
      last_reload: null
    },
    virtual_routers: [MASTER],
    sync_groups: [],
    checks: [SERVICE_CHECK],
    proxy: PROXY,
    ...changes
  }
}

/** The proxy of the pair with one web server out. */
export const PROXY_WITH_OUT: ProxyStatus = {
  ...PROXY,
  upstreams: [{ name: 'web', balance: 'round-robin', peers: [PEER, OUT_PEER] }]
}
