import type {
  AccessLog,
  Balance,
  ProxyConfig,
  Route,
  Upstream,
  VirtualServer
} from '../proxy/model.js'
import type { Machine } from './machine.js'
import type {
  Announcements,
  Config,
  ElectionConfig,
  Notify,
  Role,
  ScriptCheck,
  ServiceCheck,
  VirtualRouterConfig
} from './model.js'
import { SERVICE_CHECK } from './router-schema.js'
import type { ValidVirtualRouter } from './router-schema.js'
import type { ValidConfig, ValidListener, ValidRoute, ValidUpstream } from './schema.js'
import { splitCommand } from './command.js'

/** PASS authentication has eight bytes on the wire (RFC 2338 section 5.3.6.1); keepalived cuts there. */
export const PASSWORD_LENGTH = 8

/** Interval of the service check when the configuration names none. */
export const DEFAULT_SERVICE_INTERVAL_MS = 2000

/** The user of the workers when none is configured: nginx's compiled default. */
export const DEFAULT_USER = 'nobody'

/** Fewest workers that `auto` gives, so that one crash never leaves none. */
const MIN_AUTO_WORKERS = 2

const ADDRESS_DEFAULTS = {
  interface: null,
  broadcast: null,
  label: null,
  scope: null,
  noPrefixRoute: false,
  noTrack: false
}

/** keepalived's, captured from 2.2.7. */
const ANNOUNCEMENT_DEFAULTS: Announcements = {
  repeat: 5,
  delayMs: 5000,
  refreshMs: 0,
  refreshRepeat: 1,
  lowerPriorityRepeat: 5,
  lowerPriorityDelayMs: 5000,
  garpIntervalMs: 0,
  gnaIntervalMs: 0,
  gateway: null
}

const NO_NOTIFY: Notify = {
  master: null,
  backup: null,
  fault: null,
  stop: null,
  deleted: null,
  any: null,
  masterRxLowerPriority: null
}

const ELECTION_DEFAULTS: ElectionConfig = {
  startupDelayMs: 0,
  delayAfterBootMs: 0,
  notifyFifo: null,
  nice: -20,
  realtimePriority: 1,
  lockMemory: false,
  logUnknownVrids: false
}

/** What `resolve` needs besides the configuration. */
export interface Resolution {
  readonly role: Role | null
  readonly machine: Pick<Machine, 'isRoot' | 'cpuCount' | 'hostname'>
  /** Absolute paths of the programs of script checks, by name of the check. */
  readonly programs: ReadonlyMap<string, string>
}

/** Makes the model from a configuration in which every reference has been checked. Pure. */
export function resolve(valid: ValidConfig, resolution: Resolution): Config {
  const { role, machine, programs } = resolution
  const roleSettings = role === null ? undefined : valid.roles?.[role]
  const routers = Object.entries(valid.virtual_routers)
  return {
    role,
    routerId: roleSettings?.router_id ?? valid.router_id ?? machine.hostname,
    virtualRouters: routers.map(([name, router]) =>
      virtualRouterOf(name, router, role, roleSettings?.priority)
    ),
    syncGroups: [],
    election: ELECTION_DEFAULTS,
    scripts: scriptsOf(valid, programs),
    processes: [],
    files: [],
    serviceCheck: serviceCheckOf(valid),
    proxy: valid.listeners.length === 0 ? null : proxyOf(valid, machine),
    pidFile: valid.pid_file ?? null
  }
}

function virtualRouterOf(
  name: string,
  router: ValidVirtualRouter,
  role: Role | null,
  rolePriority: number | undefined
): VirtualRouterConfig {
  const own = router.priority
  const ownPriority = typeof own === 'object' ? (role === null ? undefined : own[role]) : own
  const priority = ownPriority ?? rolePriority
  if (priority === undefined) throw new RangeError(`no priority for virtual router ${name}`)
  return {
    name,
    interface: router.interface,
    vrid: router.vrid,
    version: 2,
    family: 'ipv4',
    priority,
    initialState: role ?? 'backup',
    advertIntervalMs: router.advert_interval,
    downTimerAdverts: 3,
    authentication: router.authentication
      ? { type: 'pass', password: router.authentication.password.slice(0, PASSWORD_LENGTH) }
      : null,
    checksumPseudoHeader: true,
    addresses: router.addresses.map((entry) => ({ ...entry, ...ADDRESS_DEFAULTS })),
    excludedAddresses: [],
    sourceAddress: null,
    multicastGroup: '224.0.0.18',
    unicast: null,
    preempt: true,
    preemptDelayMs: 0,
    answersLowerPriority: true,
    yieldsWithAdvert: false,
    tracksInterface: true,
    announcements: ANNOUNCEMENT_DEFAULTS,
    track: router.track.map(({ check, weight }) => ({
      kind: check === SERVICE_CHECK ? 'service' : 'script',
      check,
      weight,
      reverse: false
    })),
    notify: NO_NOTIFY,
    handOver: router.hand_over === 'keepalived' ? 'keepalived' : 'make-before-break',
    addressLeaseMs: router.address_lease === 'off' ? null : router.address_lease
  }
}

function scriptsOf(valid: ValidConfig, programs: ReadonlyMap<string, string>): ScriptCheck[] {
  const tracked = new Set(
    Object.values(valid.virtual_routers).flatMap(({ track }) => track.map(({ check }) => check))
  )
  return Object.entries(valid.checks)
    .filter(([name]) => tracked.has(name))
    .map(([name, check]) => {
      const [program = '', ...args] = splitCommand(check.command)
      return {
        name,
        command: [programs.get(name) ?? program, ...args],
        user: null,
        group: null,
        initFail: false,
        intervalMs: check.interval,
        timeoutMs: check.timeout ?? check.interval,
        rise: check.rise,
        fall: check.fall
      }
    })
}

function serviceCheckOf(valid: ValidConfig): ServiceCheck | null {
  const tracks = Object.values(valid.virtual_routers)
    .flatMap(({ track }) => track)
    .filter(({ check }) => check === SERVICE_CHECK)
  if (tracks.length === 0) return null
  const given = <Key extends 'interval' | 'timeout' | 'rise' | 'fall'>(key: Key) =>
    tracks.find((track) => track[key] !== undefined)?.[key]
  const intervalMs = given('interval') ?? DEFAULT_SERVICE_INTERVAL_MS
  return {
    intervalMs,
    timeoutMs: given('timeout') ?? intervalMs,
    rise: given('rise') ?? 1,
    fall: given('fall') ?? 1
  }
}

function proxyOf(valid: ValidConfig, machine: Resolution['machine']): ProxyConfig {
  const { logs } = valid
  const accessLogs = logs.access === 'off' ? [] : [{ path: logs.access, format: logs.format }]
  const workers = valid.workers
  return {
    workers: workers === 'auto' ? Math.max(MIN_AUTO_WORKERS, machine.cpuCount) : workers,
    user: machine.isRoot ? (valid.user ?? DEFAULT_USER) : null,
    group: machine.isRoot ? (valid.group ?? null) : null,
    workerConnections: valid.worker_connections,
    bodyTempPath: valid.body_temp_path,
    resolveIntervalMs: valid.resolve_interval,
    errorLog: logs.error === 'off' ? null : { path: logs.error, level: logs.level },
    upstreams: Object.entries(valid.upstreams).map(([name, upstream]) =>
      upstreamOf(name, upstream)
    ),
    servers: valid.listeners.map((listener) => virtualServerOf(listener, accessLogs))
  }
}

function upstreamOf(name: string, upstream: ValidUpstream): Upstream {
  const { servers, keepalive, recovery, queue, check } = upstream
  return {
    name,
    acceptBareLf: upstream.accept_bare_lf,
    servers: servers.map((server) => ({
      host: server.address.host,
      port: server.address.port,
      writtenAs: server.address.writtenAs,
      weight: server.weight,
      maxConns: server.max_conns,
      maxFails: server.max_fails,
      failTimeoutMs: server.fail_timeout,
      down: server.down,
      backup: server.backup,
      slowStartMs: server.slow_start,
      recovery
    })),
    keepalive: {
      connections: keepalive.connections,
      timeoutMs: keepalive.timeout,
      requests: keepalive.requests,
      lifetimeMs: keepalive.lifetime
    },
    balance: balanceOf(upstream.balance),
    queue: queue ? { requests: queue.requests, timeoutMs: queue.timeout } : null,
    lastResort: upstream.last_resort,
    retryBudget: upstream.retry_budget,
    check: check
      ? {
          type: check.type,
          path: check.path,
          host: check.host ?? name,
          intervalMs: check.interval,
          fastIntervalMs: check.fast_interval,
          timeoutMs: check.timeout,
          rise: check.rise,
          fall: check.fall,
          expectStatus: check.expect_status,
          expectBody: check.expect_body ?? null
        }
      : null
  }
}

function balanceOf(balance: ValidUpstream['balance']): Balance {
  if (typeof balance === 'string') return { method: balance }
  return { method: 'hash', ...balance.hash }
}

function virtualServerOf(listener: ValidListener, inherited: readonly AccessLog[]): VirtualServer {
  const accessLogs = listener.access_logs ?? inherited
  return {
    listen: listener.address,
    isDefault: listener.default,
    names: listener.server_names.map((name) => name.toLowerCase()),
    acceptBareLf: listener.accept_bare_lf,
    maxConnectionsPerClient: listener.max_connections_per_client,
    routes: listener.routes.map((route) => routeOf(route, accessLogs)),
    keepaliveTimeoutMs: listener.keepalive_timeout,
    keepaliveRequests: listener.keepalive_requests,
    clientHeaderTimeoutMs: listener.client_header_timeout,
    clientBodyTimeoutMs: listener.client_body_timeout,
    sendTimeoutMs: listener.send_timeout,
    accessLogs
  }
}

function routeOf(route: ValidRoute, inherited: readonly AccessLog[]): Route {
  return {
    path: route.exact ?? route.path ?? '/',
    exact: route.exact !== undefined,
    upstream: route.upstream,
    setHeaders: headersOf(route.set_headers),
    connectTimeoutMs: route.timeouts.connect,
    sendTimeoutMs: route.timeouts.send,
    readTimeoutMs: route.timeouts.read,
    tunnelTimeoutMs: route.upgrade ? (route.timeouts.tunnel ?? route.timeouts.read) : null,
    nextUpstream: [...new Set(route.next_upstream)],
    nextUpstreamTries: route.next_upstream_tries,
    nextUpstreamTimeoutMs: route.next_upstream_timeout,
    maxBodySize: route.max_body_size,
    requestBuffering: route.request_buffering,
    bodyBufferSize: route.body_buffer_size,
    accessLogs: route.access_logs ?? inherited
  }
}

/**
 * nginx sends `Host: $proxy_host` unless Host is set; `Connection ""`, nginx's switch to keep
 * connections to upstream servers, is what tsha always does.
 */
function headersOf(setHeaders: Readonly<Record<string, string>>): [string, string][] {
  const headers = Object.entries(setHeaders).filter(
    ([name, value]) => !(name.toLowerCase() === 'connection' && value === '')
  )
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host')
  return hasHost ? headers : [['Host', '$proxy_host'], ...headers]
}
