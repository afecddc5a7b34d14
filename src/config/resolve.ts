import type {
  AccessLog,
  Balance,
  ProxyConfig,
  Route,
  Upstream,
  VirtualServer
} from '../proxy/model.js'
import { adminOf } from './admin-rules.js'
import { boundedLinkDelay } from './link-delays.js'
import type { Machine } from './machine.js'
import type { Config, ElectionConfig, LinkDelay, VirtualRouterConfig } from './model.js'
import { commandOf, resolveRouters } from './resolve-routers.js'
import type { RouterResolution } from './resolve-routers.js'
import type { ValidConfig, ValidListener, ValidRoute, ValidUpstream } from './schema.js'

/** The user of the workers when none is configured: nginx's compiled default. */
export const DEFAULT_USER = 'nobody'

/** Fewest workers that `auto` gives, so that one crash never leaves none. */
const MIN_AUTO_WORKERS = 2

/** What `resolve` needs besides the configuration. */
export interface Resolution extends RouterResolution {
  readonly machine: Pick<Machine, 'isRoot' | 'cpuCount' | 'hostname'>
}

/** Makes the model from a configuration in which every reference has been checked. Pure. */
export function resolve(valid: ValidConfig, resolution: Resolution): Config {
  const { role, machine } = resolution
  const roleSettings = role === null ? undefined : valid.roles?.[role]
  const elections = resolveRouters(valid, resolution)
  return {
    role,
    routerId: roleSettings?.router_id ?? valid.router_id ?? machine.hostname,
    ...elections,
    election: electionOf(valid, elections.virtualRouters, resolution),
    proxy: valid.listeners.length === 0 ? null : proxyOf(valid, machine),
    pidFile: valid.pid_file ?? null,
    admin: adminOf(valid.admin)
  }
}

function electionOf(
  valid: ValidConfig,
  routers: readonly VirtualRouterConfig[],
  { programs }: Resolution
): ElectionConfig {
  const { notify_fifo: fifo, realtime_priority: realtime } = valid
  return {
    startupDelayMs: valid.startup_delay,
    delayAfterBootMs: valid.delay_after_boot,
    notifyFifo: fifo
      ? {
          path: fifo.path,
          user: fifo.user ?? null,
          group: fifo.group ?? null,
          reader: fifo.reader ? commandOf(fifo.reader, valid, programs) : null
        }
      : null,
    linkDelays: Object.entries(valid.link_delays).map(([name, delays]) =>
      linkDelayOf(name, delays, routers)
    ),
    nice: valid.nice,
    realtimePriority: realtime === 'off' ? null : realtime,
    lockMemory: valid.lock_memory,
    logUnknownVrids: valid.log_unknown_vrids
  }
}

function linkDelayOf(
  name: string,
  { down, up }: ValidConfig['link_delays'][string],
  routers: readonly VirtualRouterConfig[]
): LinkDelay {
  const own = routers.filter((router) => router.interface === name)
  return boundedLinkDelay({ interface: name, downMs: down, upMs: up }, own)
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
