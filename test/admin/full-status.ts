import type { Histogram, PeerStatus, RecentTraffic, Status } from '../../src/admin/model.js'
import { COUNTERS } from '../../src/vrrp/counters.js'

const RECENT: RecentTraffic = { per_second: 1, p50_ms: 1, p99_ms: 2 }
const DURATIONS: Histogram = { bounds_s: [0.001, 0.01], counts: [3, 2, 1], sum_s: 0.25 }

function peer(name: string, state: PeerStatus['state']): PeerStatus {
  return {
    name,
    state,
    since: null,
    detail: null,
    backup: false,
    configured_weight: 1,
    weight: 3,
    fails: 2,
    max_fails: 2,
    traffic: {
      in_flight: 4,
      attempts: { '200': 5, connect: 2 },
      bytes_sent: 700,
      bytes_received: 900,
      latency: DURATIONS,
      recent: RECENT
    }
  }
}

/** A status with at least one of everything that is measured. */
export const FULL_STATUS: Status = {
  version: '1.2.3',
  role: 'master',
  router_id: 'director1',
  pid: 1,
  now: '2026-11-22T12:00:00.000Z',
  started_at: '2026-11-22T11:00:00.000Z',
  uptime_s: 3600,
  problems: ['one', 'two'],
  configuration: {
    files: ['/etc/tsha/tsha.yaml'],
    hash: '0123456789ab',
    loaded_at: '2026-11-22T11:00:00.000Z',
    last_reload: { at: '2026-11-22T11:30:00.000Z', ok: false, lines: ['line 3: what is this'] }
  },
  virtual_routers: [
    {
      name: 'VI_1',
      interface: 'eth0',
      vrid: 51,
      vrrp_version: 2,
      family: 'ipv4',
      state: 'master',
      since: '2026-11-22T11:00:05.500Z',
      reason: null,
      because: [],
      is_handing_over: false,
      stepped_down: false,
      addresses: ['192.168.64.200'],
      configured_priority: 100,
      priority_override: null,
      effective_priority: 90,
      effects: [],
      master: null,
      timers: {
        advert_interval_ms: 1000,
        skew_time_ms: 609,
        master_down_interval_ms: 3609,
        next: null
      },
      counters: Object.fromEntries(COUNTERS.map((counter, i) => [counter, i + 1])),
      lateness: { bounds_s: [0.001, 0.1], counts: [10, 1, 1], sum_s: 0.5, max_s: 0.4 }
    }
  ],
  sync_groups: [],
  checks: [
    { kind: 'service', name: 'service', passes: true, since: null, detail: null },
    { kind: 'script', name: 'say "hi"', passes: false, since: null, detail: 'exit 1' },
    { kind: 'file', name: 'unknown yet', passes: null, since: null, detail: null }
  ],
  proxy: {
    state: 'running',
    workers: [
      { pid: 2, state: 'listening', started_at: '2026-11-22T11:00:00.000Z', connections: 7 },
      { pid: 3, state: 'listening', started_at: '2026-11-22T11:00:00.000Z', connections: 8 },
      { pid: 4, state: 'ending', started_at: '2026-11-22T11:00:00.000Z', connections: 0 }
    ],
    listeners: [
      {
        listen: '0.0.0.0:80',
        servers: ['_'],
        traffic: {
          connections_accepted: 20,
          connections_active: 15,
          requests: { '200': 100, '502': 3 },
          bytes_received: 5_000_000_000,
          bytes_sent: 6_000_000_000,
          duration: DURATIONS,
          recent: RECENT
        }
      }
    ],
    upstreams: [
      {
        name: 'web',
        balance: 'round_robin',
        // The same address twice is what a configuration may have.
        peers: [
          peer('192.168.64.143:80', 'up'),
          peer('192.168.64.138:80', 'out'),
          peer('192.168.64.138:80', 'out')
        ]
      }
    ]
  }
}
