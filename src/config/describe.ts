import { formatEndpoint, isHostName } from '../proxy/endpoint.js'
import type {
  Balance,
  ProxyConfig,
  Route,
  Upstream,
  UpstreamCheck,
  UpstreamKeepalive,
  UpstreamServer,
  VirtualServer
} from '../proxy/model.js'
import { describeElections } from './describe-routers.js'
import type { Config, LoadedConfig } from './model.js'
import { formatDuration } from './units.js'

/**
 * A short summary of a configuration for people: what is elected, tracked, listened on and proxied
 * to, what was ignored, and the notes. Ends without a line end. Never has a secret in it.
 */
export function describeConfig(loaded: LoadedConfig): string {
  const { config, ignored, notes } = loaded
  const lines = [
    `director ${config.routerId}${config.role === null ? '' : `, role ${config.role}`}`,
    ...describeElections(config),
    ...describeProxy(config)
  ]
  if (ignored.length > 0) lines.push(`ignored: ${ignored.join(', ')}`)
  lines.push(...notes.map((note) => `note: ${note}`))
  return lines.join('\n')
}

function describeProxy({ proxy }: Config): string[] {
  if (!proxy) return []
  const user = proxy.user === null ? '' : ` as user ${proxy.user}`
  const workers = proxy.workers === 1 ? '1 worker' : `${proxy.workers} workers`
  const errorLog = proxy.errorLog
    ? `, error log ${proxy.errorLog.path} (${proxy.errorLog.level})`
    : ''
  return [
    `proxy: ${workers}${user}, ${proxy.workerConnections} connections each${errorLog}`,
    ...proxy.servers.flatMap(describeServer),
    ...proxy.upstreams.flatMap(describeUpstream),
    ...describeNames(proxy)
  ]
}

function describeNames({ upstreams, resolveIntervalMs }: ProxyConfig): string[] {
  const hosts = upstreams.flatMap(({ servers }) => servers.map(({ host }) => host))
  const names = [...new Set(hosts.filter(isHostName))]
  if (names.length === 0) return []
  return [`  host names ${names.join(', ')}: resolved every ${formatDuration(resolveIntervalMs)}`]
}

function describeServer(server: VirtualServer): string[] {
  const names = server.names.length === 0 ? '' : `, names ${server.names.join(' ')}`
  const isDefault = server.isDefault ? ', default' : ''
  const limit = server.maxConnectionsPerClient
  const perClient = limit === 0 ? '' : `, ${limit} connections per client and worker`
  const bareLf = server.acceptBareLf ? ', accepts LF alone' : ''
  return [
    `  listener ${formatEndpoint(server.listen)}${isDefault}${names}${perClient}${bareLf}`,
    ...server.routes.map(describeRoute)
  ]
}

function describeRoute(route: Route): string {
  const logs = route.accessLogs.map(({ path }) => path)
  const timeouts = [route.connectTimeoutMs, route.sendTimeoutMs, route.readTimeoutMs]
  const upgrade =
    route.tunnelTimeoutMs === null
      ? ''
      : `upgrade, tunnel ${formatDuration(route.tunnelTimeoutMs)}; `
  const nextUpstream = route.nextUpstream.length === 0 ? 'off' : route.nextUpstream.join(' ')
  return (
    `    ${route.exact ? '= ' : ''}${route.path} -> ${route.upstream}; ` +
    `timeouts ${timeouts.map(formatDuration).join('/')}; ${upgrade}next upstream ${nextUpstream}; ` +
    (route.requestBuffering ? '' : 'request buffering off; ') +
    `access log ${logs.length === 0 ? 'off' : logs.join(', ')}`
  )
}

function describeUpstream(upstream: Upstream): string[] {
  const servers = upstream.servers.map(describeUpstreamServer)
  return [
    `  upstream ${[`${upstream.name}: ${servers.join(', ')}`, ...settingsOf(upstream)].join('; ')}`,
    `    ${describeKeepalive(upstream.keepalive)}`,
    ...(upstream.check ? [describeCheck(upstream.check)] : [])
  ]
}

function describeKeepalive(keepalive: UpstreamKeepalive): string {
  const { connections, timeoutMs, requests, lifetimeMs } = keepalive
  if (connections === 0) return 'keepalive off'
  return (
    `keepalive ${connections} connections to each server, timeout ${formatDuration(timeoutMs)}, ` +
    `${requests} requests, lifetime ${formatDuration(lifetimeMs)}`
  )
}

function describeUpstreamServer(server: UpstreamServer): string {
  const parts = [
    `max_fails ${server.maxFails} fail_timeout ${formatDuration(server.failTimeoutMs)}`,
    ...(server.weight === 1 ? [] : [`weight ${server.weight}`]),
    ...(server.maxConns === 0 ? [] : [`max_conns ${server.maxConns}`]),
    ...(server.slowStartMs === 0 ? [] : [`slow_start ${formatDuration(server.slowStartMs)}`]),
    ...(server.backup ? ['backup'] : []),
    ...(server.down ? ['down'] : [])
  ]
  return `${formatEndpoint(server)} (${parts.join(' ')})`
}

/** What is not as it is by default. */
function settingsOf(upstream: Upstream): string[] {
  const { servers, balance, queue, lastResort, retryBudget, acceptBareLf } = upstream
  const { percent, min } = retryBudget
  return [
    ...(balance.method === 'round_robin' ? [] : [`balance ${describeBalance(balance)}`]),
    ...(queue ? [`queue ${queue.requests} timeout ${formatDuration(queue.timeoutMs)}`] : []),
    ...(lastResort ? [] : ['no last resort']),
    ...(percent === 20 && min === 3 ? [] : [`retry budget ${percent}%, at least ${min}`]),
    ...(servers.some(({ recovery }) => recovery === 'request') ? ['recovery by a request'] : []),
    ...(acceptBareLf ? ['LF alone is accepted'] : [])
  ]
}

function describeBalance(balance: Balance): string {
  if (balance.method !== 'hash') return balance.method
  return `hash ${balance.key}${balance.consistent ? ' consistent' : ''}`
}

function describeCheck(check: UpstreamCheck): string {
  const statuses = check.expectStatus.map(([first, last]) =>
    first === last ? `${first}` : `${first}-${last}`
  )
  const body = check.expectBody === null ? '' : `, body with ${JSON.stringify(check.expectBody)}`
  const what =
    check.type === 'tcp'
      ? 'tcp'
      : `http ${check.path}, host ${check.host}, status ${statuses.join(' ')}${body}`
  const intervals = [check.intervalMs, check.fastIntervalMs, check.timeoutMs].map(formatDuration)
  const [interval = '', fast = '', timeout = ''] = intervals
  return (
    `    check ${what}: every ${interval}, ${fast} while it fails, timeout ${timeout}, ` +
    `fall ${check.fall}, rise ${check.rise}`
  )
}
