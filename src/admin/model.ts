/**
 * What tsha tells about itself, and what it can be told to do: the values behind the admin API. They
 * leave tsha as JSON, in the words of `tsha.yaml` and of keepalived's own dumps, so the names have
 * underscores. Times are ISO 8601 in UTC; durations and instants carry their unit. None of it holds a
 * secret.
 */

/** Everything about one director at one moment; `GET /v1/status`. */
export interface Status {
  readonly version: string
  readonly role: 'master' | 'backup' | null
  readonly router_id: string
  readonly pid: number
  readonly now: string
  readonly started_at: string
  readonly uptime_s: number
  /** What is not as it should be, as sentences, worst first; empty when all is well. */
  readonly problems: readonly string[]
  readonly configuration: ConfigurationStatus
  readonly virtual_routers: readonly VirtualRouterStatus[]
  readonly sync_groups: readonly SyncGroupStatus[]
  readonly checks: readonly CheckStatus[]
  /** Null for a director without a proxy. */
  readonly proxy: ProxyStatus | null
}

export interface ConfigurationStatus {
  /** The files that it was read from. */
  readonly files: readonly string[]
  /** A name of the whole configuration with its defaults, 12 hexadecimal digits; another one after any change. */
  readonly hash: string
  readonly loaded_at: string
  /** The last attempt to load it anew; null when there was none. */
  readonly last_reload: {
    readonly at: string
    readonly ok: boolean
    /** What changed; or, of a refused one, what is wrong. */
    readonly lines: readonly string[]
  } | null
}

export type VirtualRouterState = 'initialize' | 'backup' | 'master' | 'fault'

export interface VirtualRouterStatus {
  readonly name: string
  readonly interface: string
  readonly vrid: number
  readonly vrrp_version: 2 | 3
  readonly family: 'ipv4' | 'ipv6'
  readonly state: VirtualRouterState
  readonly since: string
  /** Code of the reason of the last change of state, as in the log (docs/vrrp-state-machine.md). */
  readonly reason: string | null
  /** The chain of causes of the present state, each one a sentence; the nearest first. */
  readonly because: readonly string[]
  /** Master that waits for the partner to take over. */
  readonly is_handing_over: boolean
  /** An administrator has it stand back until `resume`. */
  readonly stepped_down: boolean
  readonly addresses: readonly string[]
  readonly configured_priority: number
  /** Set by an administrator in the place of the configured one; null when it is not. */
  readonly priority_override: number | null
  readonly effective_priority: number
  /** What changes the configured priority, or keeps it out of the election. */
  readonly effects: readonly PriorityEffect[]
  /** Who was heard last as master; null when nobody was, or when it is this director. */
  readonly master: {
    readonly address: string
    readonly priority: number
    readonly last_heard_s: number
  } | null
  readonly timers: {
    readonly advert_interval_ms: number
    readonly skew_time_ms: number
    readonly master_down_interval_ms: number
    /** What the state machine waits for; null when it waits for nothing. */
    readonly next: { readonly what: string; readonly in_ms: number } | null
  }
  /** keepalived's names, `advert_rcvd` and so on. */
  readonly counters: Readonly<Record<string, number>>
  /** How late regular advertisements left. */
  readonly lateness: Histogram & { readonly max_s: number }
}

export interface PriorityEffect {
  /** Such as `the service check`, `script check-uplink`. */
  readonly what: string
  /** Such as `fails: connection refused`; null when nothing is known. */
  readonly detail: string | null
  /** What is added to the priority; 0 for a fault, which keeps it out of the election. */
  readonly added: number
  readonly is_fault: boolean
}

export interface SyncGroupStatus {
  readonly name: string
  readonly state: string
  readonly members: readonly string[]
}

export interface CheckStatus {
  readonly kind: 'service' | 'script' | 'process' | 'file' | 'interface'
  readonly name: string
  /** Null before the first result. */
  readonly passes: boolean | null
  readonly since: string | null
  /** What the last failure said, of a file also its number; null when it passes or nothing is known. */
  readonly detail: string | null
}

/** `running` serves; `stopping` and `stopped` are an administrator's wish. */
export type ProxyState = 'starting' | 'running' | 'stopping' | 'stopped'

export interface ProxyStatus {
  readonly state: ProxyState
  readonly workers: readonly WorkerStatus[]
  readonly listeners: readonly ListenerStatus[]
  readonly upstreams: readonly UpstreamStatus[]
}

export interface WorkerStatus {
  readonly pid: number
  readonly state: 'starting' | 'listening' | 'ending'
  readonly started_at: string
  /** Connections of clients that are open. */
  readonly connections: number
}

export interface ListenerStatus {
  /** Such as `0.0.0.0:80`. */
  readonly listen: string
  readonly servers: readonly string[]
  readonly traffic: ListenerTraffic
}

/** `up` takes requests; the director found `out` out; `down`, `drain` are an administrator's wish. */
export type PeerState = 'up' | 'out' | 'down' | 'drain'

export interface UpstreamStatus {
  readonly name: string
  readonly balance: string
  readonly peers: readonly PeerStatus[]
}

export interface PeerStatus {
  /** As the configuration has it, with its port: `192.168.64.143:80`. Its name in actions. */
  readonly name: string
  readonly state: PeerState
  readonly since: string | null
  /** Why it is not up, such as `2 failures: connection refused`. */
  readonly detail: string | null
  readonly backup: boolean
  readonly configured_weight: number
  readonly weight: number
  /** Failures counted towards max_fails. */
  readonly fails: number
  readonly max_fails: number
  readonly traffic: PeerTraffic
}

/** Counts of values up to each bound; the last count is of those above all bounds. */
export interface Histogram {
  readonly bounds_s: readonly number[]
  /** One more than `bounds_s`; not cumulative. */
  readonly counts: readonly number[]
  readonly sum_s: number
}

/** Since the start of the director, whichever workers did it. */
export interface ListenerTraffic {
  readonly connections_accepted: number
  readonly connections_active: number
  /** Requests by the status that the access log has for them; `000` is a request without a response. */
  readonly requests: Readonly<Record<string, number>>
  readonly bytes_received: number
  readonly bytes_sent: number
  readonly duration: Histogram
  readonly recent: RecentTraffic
}

export interface PeerTraffic {
  readonly in_flight: number
  /** Attempts by their result: a status such as `200`, or `connect`, `timeout`, `reset`, … */
  readonly attempts: Readonly<Record<string, number>>
  readonly bytes_sent: number
  readonly bytes_received: number
  /** From the beginning of the attempt to the first byte of its response. */
  readonly latency: Histogram
  readonly recent: RecentTraffic
}

/** Of the last 10 to 60 seconds; percentiles are null where nothing was measured. */
export interface RecentTraffic {
  readonly per_second: number
  readonly p50_ms: number | null
  readonly p99_ms: number | null
}

/** Something that happened: what the log says, kept for those who ask later. */
export interface AdminEvent {
  /** From 1, without gaps while the director lives. */
  readonly id: number
  readonly at: string
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  readonly kind: 'virtual-router' | 'sync-group' | 'check' | 'peer' | 'worker' | 'director'
  /** Name of the virtual router, the upstream server, …; null for the director itself. */
  readonly subject: string | null
  /** The message of the log line. */
  readonly text: string
  /** The other fields of the log line. */
  readonly details: Readonly<Record<string, unknown>>
}

/** What an administrator can tell a director to do. */
export type Command =
  | { readonly action: 'reload' }
  | { readonly action: 'reopen-logs' }
  | { readonly action: 'replace-workers' }
  /** Null means all virtual routers. */
  | { readonly action: 'step-down'; readonly router: string | null }
  | { readonly action: 'resume'; readonly router: string | null }
  /** 1 to 254; null goes back to the configured one. */
  | { readonly action: 'priority'; readonly router: string; readonly priority: number | null }
  | {
      readonly action: 'peer'
      readonly upstream: string
      readonly peer: string
      /** Absent leaves it as it is. */
      readonly state?: 'up' | 'down' | 'drain'
      /** 1 to 65535; null goes back to the configured one; absent leaves it as it is. */
      readonly weight?: number | null
    }
  | { readonly action: 'proxy'; readonly state: 'stop' | 'start' }

/** Codes of refused commands, each explained in `docs/errors.md`. */
export const COMMAND_CODES = [
  /** There is no virtual router, upstream or peer of that name. */
  'TSHA_E_UNKNOWN_NAME',
  /** It cannot be done in the present state: no proxy, stopping, reloading already. */
  'TSHA_E_CONFLICT',
  /** The new configuration is wrong; the old one stays. */
  'TSHA_E_CONFIG_REFUSED',
  /** The value cannot be used. */
  'TSHA_E_COMMAND'
] as const
export type CommandCode = (typeof COMMAND_CODES)[number]

export type CommandResult =
  /** Lines for people: what was done, and what it led to. */
  | { readonly ok: true; readonly lines: readonly string[] }
  /** Lines for people: what is wrong, all of it. */
  | { readonly ok: false; readonly code: CommandCode; readonly lines: readonly string[] }
