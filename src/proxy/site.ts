import type { VariableReader, ProcessFacts } from './variables.js'
import { compileRequestPlan, type RequestPlan } from './headers.js'
import { compileLogFormat } from './access-log.js'
import { ConnectionLimit } from './connection-limit.js'
import type { LineSink } from './error-log.js'
import type {
  AccessLog,
  ListenAddress,
  NextUpstreamCondition,
  ProxyConfig,
  Route,
  VirtualServer
} from './model.js'
import { HostTable, RouteTable } from './route.js'
import type { PeerGroup } from './upstream/peer-group.js'

/** An access log, compiled. */
export interface AccessLogger {
  readonly sink: LineSink
  readonly line: VariableReader
}

/** A route, compiled. */
export interface CompiledRoute {
  readonly config: Route
  readonly group: PeerGroup
  readonly plan: RequestPlan
  readonly conditions: ReadonlySet<NextUpstreamCondition>
  readonly loggers: readonly AccessLogger[]
}

/** A virtual server, compiled. */
export interface Site {
  readonly config: VirtualServer
  /** Its first name, '' if it has none. */
  readonly name: string
  readonly routes: RouteTable<CompiledRoute>
  readonly loggers: readonly AccessLogger[]
}

/** The sites of one address. */
export interface SiteTable {
  /** Number of the address: in the order in which the configuration names them first, from 0. */
  readonly index: number
  readonly hosts: HostTable<Site>
  readonly fallback: Site
}

/** One socket to listen on, and the sites behind it. */
export interface Listener {
  readonly address: ListenAddress
  readonly table: SiteTable
  /** Null if a client may have any number of connections. */
  readonly limit: ConnectionLimit | null
  /** Tables of single addresses that a wildcard listener answers for. */
  readonly byAddress: ReadonlyMap<string, SiteTable>
}

/** A listen address of the configuration and its sites. */
interface Entry {
  readonly index: number
  readonly address: ListenAddress
  readonly sites: Site[]
}

const WILDCARDS: readonly string[] = ['0.0.0.0', '::']

/**
 * Compiles the configuration to listeners. A wildcard address takes the single addresses of its port
 * and family with it, as nginx does: the kernel would refuse them beside it.
 * @throws {RangeError} for what cannot work: unknown variables, upstreams, fields
 */
export function compileListeners(
  config: ProxyConfig,
  groups: ReadonlyMap<string, PeerGroup>,
  facts: ProcessFacts,
  openLog: (path: string) => LineSink
): Listener[] {
  const byAddress = new Map<string, Entry>()
  for (const server of config.servers) {
    const key = addressKey(server.listen)
    const entry = byAddress.get(key) ?? { index: byAddress.size, address: server.listen, sites: [] }
    byAddress.set(key, entry)
    entry.sites.push(compileSite(server, config, groups, facts, openLog))
  }
  const entries = [...byAddress.values()]
  const isCovered = (address: ListenAddress): boolean =>
    !WILDCARDS.includes(address.host) && entries.some((entry) => covers(entry.address, address))
  return entries
    .filter(({ address }) => !isCovered(address))
    .map((entry) => ({
      address: entry.address,
      table: siteTable(entry),
      limit: connectionLimit(entry.sites),
      byAddress: new Map(
        entries
          .filter((other) => isCovered(other.address) && covers(entry.address, other.address))
          .map((other) => [other.address.host, siteTable(other)])
      )
    }))
}

function connectionLimit([site]: readonly Site[]): ConnectionLimit | null {
  const limit = site?.config.maxConnectionsPerClient ?? 0
  return limit === 0 ? null : new ConnectionLimit(limit)
}

function addressKey(address: ListenAddress): string {
  return `${address.host} ${address.port}`
}

function covers(wildcard: ListenAddress, address: ListenAddress): boolean {
  const isSameFamily = wildcard.host.includes(':') === address.host.includes(':')
  return WILDCARDS.includes(wildcard.host) && wildcard.port === address.port && isSameFamily
}

function siteTable({ index, sites }: Entry): SiteTable {
  const fallback = sites.find((site) => site.config.isDefault) ?? sites[0]
  if (fallback === undefined) throw new RangeError('a listen address without a server')
  const entries = sites.map((site) => ({ names: site.config.names, value: site }))
  return { index, hosts: new HostTable(fallback, entries), fallback }
}

function compileSite(
  server: VirtualServer,
  { upstreams }: Pick<ProxyConfig, 'upstreams'>,
  groups: ReadonlyMap<string, PeerGroup>,
  facts: ProcessFacts,
  openLog: (path: string) => LineSink
): Site {
  const compileLog = (log: AccessLog): AccessLogger => ({
    sink: openLog(log.path),
    line: compileLogFormat(log.format, facts)
  })
  const compileRoute = (route: Route): CompiledRoute => {
    const group = groups.get(route.upstream)
    if (group === undefined) throw new RangeError(`no upstream is named ${route.upstream}`)
    const upstream = upstreams.find(({ name }) => name === route.upstream)
    return {
      config: route,
      group,
      plan: compileRequestPlan(route.setHeaders, facts, upstream?.keepalive.connections === 0),
      conditions: new Set(route.nextUpstream),
      loggers: route.accessLogs.map(compileLog)
    }
  }
  return {
    config: server,
    name: server.names[0] ?? '',
    routes: new RouteTable(
      server.routes.map((route) => ({
        path: route.path,
        exact: route.exact,
        value: compileRoute(route)
      }))
    ),
    loggers: server.accessLogs.map(compileLog)
  }
}
