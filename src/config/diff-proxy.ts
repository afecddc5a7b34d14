import { formatEndpoint } from '../proxy/endpoint-text.js'
import type { ProxyConfig, Upstream, UpstreamServer, VirtualServer } from '../proxy/model.js'
import { changesOf } from './diff-fields.js'
import { isSame } from './same.js'

type Lines = readonly string[]

/**
 * One line for each change of the proxy. Any of them needs new workers: a worker serves by the
 * configuration that it was started with.
 */
export function proxyChanges(before: ProxyConfig | null, after: ProxyConfig | null): Lines {
  if (before === null || after === null) {
    if (before === after) return []
    return [`proxy: ${before === null ? 'added' : 'removed'}`]
  }
  return [
    ...changesOf('proxy', before, after, SETTINGS),
    ...listChanges('upstream', before.upstreams, after.upstreams, ({ name }) => name, ofUpstream),
    ...listenerChanges(before, after),
    ...listChanges('server', before.servers, after.servers, nameOfServer, ofServer)
  ]
}

/** All but the two lists. A new field has to be named here. */
const SETTINGS: Readonly<Record<Exclude<keyof ProxyConfig, 'upstreams' | 'servers'>, string>> = {
  workers: 'workers',
  user: 'user',
  group: 'group',
  workerConnections: 'worker_connections',
  bodyTempPath: 'body_temp_path',
  resolveIntervalMs: 'resolve_interval',
  errorLog: 'error_log'
}

const UPSTREAM: Readonly<Record<Exclude<keyof Upstream, 'name' | 'servers'>, string>> = {
  acceptBareLf: 'accept_bare_lf',
  keepalive: 'keepalive',
  balance: 'balance',
  queue: 'queue',
  lastResort: 'last_resort',
  retryBudget: 'retry_budget',
  check: 'check'
}

const UPSTREAM_SERVER: Readonly<Record<keyof UpstreamServer, string>> = {
  host: 'host',
  port: 'port',
  writtenAs: 'spelling',
  weight: 'weight',
  maxConns: 'max_conns',
  maxFails: 'max_fails',
  failTimeoutMs: 'fail_timeout',
  down: 'down',
  backup: 'backup',
  slowStartMs: 'slow_start',
  recovery: 'recovery'
}

const SERVER: Readonly<Record<keyof VirtualServer, string>> = {
  listen: 'listen',
  isDefault: 'default',
  names: 'names',
  acceptBareLf: 'accept_bare_lf',
  maxConnectionsPerClient: 'max_connections_per_client',
  routes: 'routes',
  keepaliveTimeoutMs: 'keepalive_timeout',
  keepaliveRequests: 'keepalive_requests',
  clientHeaderTimeoutMs: 'client_header_timeout',
  clientBodyTimeoutMs: 'client_body_timeout',
  sendTimeoutMs: 'send_timeout',
  accessLogs: 'access_logs'
}

function ofUpstream(label: string, before: Upstream, after: Upstream): Lines {
  const what = `${label} server`
  return [
    ...changesOf(label, before, after, UPSTREAM),
    ...listChanges(what, before.servers, after.servers, formatEndpoint, (each, old, now) =>
      changesOf(each, old, now, UPSTREAM_SERVER)
    )
  ]
}

function ofServer(label: string, before: VirtualServer, after: VirtualServer): Lines {
  return changesOf(label, before, after, SERVER)
}

function nameOfServer({ listen, names }: VirtualServer): string {
  return [formatEndpoint(listen), ...names].join(' ')
}

function listenerChanges(before: ProxyConfig, after: ProxyConfig): Lines {
  const [old, now] = [before, after].map((proxy) => listensOf(proxy))
  return [
    ...[...(old ?? [])].filter((each) => !now?.has(each)).map((each) => `listen ${each}: closed`),
    ...[...(now ?? [])].filter((each) => !old?.has(each)).map((each) => `listen ${each}: opened`)
  ]
}

function listensOf({ servers }: ProxyConfig): ReadonlySet<string> {
  return new Set(servers.map(({ listen }) => formatEndpoint(listen)))
}

function listChanges<Item>(
  what: string,
  before: readonly Item[],
  after: readonly Item[],
  nameOf: (item: Item) => string,
  describe: (label: string, before: Item, after: Item) => Lines
): Lines {
  const [old, now] = [byName(before, nameOf), byName(after, nameOf)]
  const lines = [
    ...[...old.keys()].filter((name) => !now.has(name)).map((name) => `${what} ${name}: removed`),
    ...[...now].flatMap(([name, item]) => {
      const known = old.get(name)
      return known === undefined
        ? [`${what} ${name}: added`]
        : describe(`${what} ${name}`, known, item)
    })
  ]
  if (lines.length > 0 || isSame(before, after)) return lines
  return [`${what} list: order changed`]
}

/** The same name may be there more than once: the second one is told as `name (2)`. */
function byName<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string
): ReadonlyMap<string, Item> {
  const named = new Map<string, Item>()
  for (const item of items) {
    const name = nameOf(item)
    let unique = name
    for (let i = 2; named.has(unique); i += 1) unique = `${name} (${i})`
    named.set(unique, item)
  }
  return named
}
