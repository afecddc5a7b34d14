import type {
  CheckStatus,
  ConfigurationStatus,
  Histogram,
  ListenerStatus,
  ListenerTraffic,
  PeerStatus,
  PeerTraffic,
  PriorityEffect,
  ProxyStatus,
  RecentTraffic,
  Status,
  SyncGroupStatus,
  UpstreamStatus,
  VirtualRouterStatus,
  WorkerStatus
} from './model.js'

/*
 * The JSON schema of a status, for openapi.json. The compiler sees to it that every property of
 * model.ts is here; what each one means is said there and in docs/admin-api.md.
 */

type Schema = Readonly<Record<string, unknown>>

/** An object with exactly the properties of `T`; all of them are always there. */
function object<T>(properties: Readonly<Record<keyof T, Schema>>): Schema {
  return { type: 'object', required: Object.keys(properties), properties }
}

function list(items: Schema): Schema {
  return { type: 'array', items }
}

function map(values: Schema): Schema {
  return { type: 'object', additionalProperties: values }
}

function oneOf(...values: readonly (string | number | null)[]): Schema {
  return { enum: values }
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] }
}

const text = { type: 'string' }
const textOrNull = { type: ['string', 'null'] }
const number = { type: 'number' }
const numberOrNull = { type: ['number', 'null'] }
const whole = { type: 'integer' }
const wholeOrNull = { type: ['integer', 'null'] }
const yes = { type: 'boolean' }
const at = { type: 'string', format: 'date-time' }
const atOrNull = { type: ['string', 'null'], format: 'date-time' }

const HISTOGRAM_PROPERTIES: Record<keyof Histogram, Schema> = {
  bounds_s: list(number),
  counts: { ...list(whole), description: 'one more than the bounds; not cumulative' },
  sum_s: number
}
const histogram = object<Histogram>(HISTOGRAM_PROPERTIES)

const configuration = object<ConfigurationStatus>({
  files: list(text),
  hash: text,
  loaded_at: at,
  last_reload: orNull(
    object<NonNullable<ConfigurationStatus['last_reload']>>({ at, ok: yes, lines: list(text) })
  )
})

type Timers = VirtualRouterStatus['timers']

const virtualRouter = object<VirtualRouterStatus>({
  name: text,
  interface: text,
  vrid: whole,
  vrrp_version: oneOf(2, 3),
  family: oneOf('ipv4', 'ipv6'),
  state: oneOf('initialize', 'backup', 'master', 'fault'),
  since: at,
  reason: textOrNull,
  because: list(text),
  is_handing_over: yes,
  stepped_down: yes,
  addresses: list(text),
  configured_priority: whole,
  priority_override: wholeOrNull,
  effective_priority: whole,
  effects: list(
    object<PriorityEffect>({ what: text, detail: textOrNull, added: whole, is_fault: yes })
  ),
  master: orNull(
    object<NonNullable<VirtualRouterStatus['master']>>({
      address: text,
      priority: whole,
      last_heard_s: number
    })
  ),
  timers: object<Timers>({
    advert_interval_ms: number,
    skew_time_ms: number,
    master_down_interval_ms: number,
    next: orNull(object<NonNullable<Timers['next']>>({ what: text, in_ms: number }))
  }),
  counters: map(whole),
  lateness: object<VirtualRouterStatus['lateness']>({ ...HISTOGRAM_PROPERTIES, max_s: number })
})

const recent = object<RecentTraffic>({
  per_second: number,
  p50_ms: numberOrNull,
  p99_ms: numberOrNull
})

const listener = object<ListenerStatus>({
  listen: text,
  servers: list(text),
  traffic: object<ListenerTraffic>({
    connections_accepted: whole,
    connections_active: whole,
    requests: map(whole),
    bytes_received: whole,
    bytes_sent: whole,
    duration: histogram,
    recent
  })
})

const peer = object<PeerStatus>({
  name: text,
  state: oneOf('up', 'out', 'down', 'drain'),
  since: atOrNull,
  detail: textOrNull,
  backup: yes,
  configured_weight: whole,
  weight: whole,
  fails: whole,
  max_fails: whole,
  traffic: object<PeerTraffic>({
    in_flight: whole,
    attempts: map(whole),
    bytes_sent: whole,
    bytes_received: whole,
    latency: histogram,
    recent
  })
})

export const STATUS_SCHEMA = object<Status>({
  version: text,
  role: oneOf('master', 'backup', null),
  router_id: text,
  pid: whole,
  now: at,
  started_at: at,
  uptime_s: number,
  problems: list(text),
  configuration,
  virtual_routers: list(virtualRouter),
  sync_groups: list(object<SyncGroupStatus>({ name: text, state: text, members: list(text) })),
  checks: list(
    object<CheckStatus>({
      kind: oneOf('service', 'script', 'process', 'file', 'interface'),
      name: text,
      passes: { type: ['boolean', 'null'] },
      since: atOrNull,
      detail: textOrNull
    })
  ),
  proxy: orNull(
    object<ProxyStatus>({
      state: oneOf('starting', 'running', 'stopping', 'stopped'),
      workers: list(
        object<WorkerStatus>({
          pid: whole,
          state: oneOf('starting', 'listening', 'ending'),
          started_at: at,
          connections: whole
        })
      ),
      listeners: list(listener),
      upstreams: list(object<UpstreamStatus>({ name: text, balance: text, peers: list(peer) }))
    })
  )
})
