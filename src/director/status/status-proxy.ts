import type {
  ListenerStatus,
  ListenerTraffic,
  PeerStatus,
  PeerTraffic,
  ProxyStatus,
  UpstreamStatus,
  WorkerStatus
} from '../../admin/model.js'
import { formatEndpoint } from '../../proxy/endpoint.js'
import type { Balance, ProxyConfig, Upstream, UpstreamServer } from '../../proxy/model.js'
import {
  awaitsProbe,
  isDisabled,
  type FailureCause,
  type PeerStatus as PeerFailures
} from '../../proxy/upstream/peer-status.js'
import type { Instant } from './router-story.js'
import { toIso } from '../iso-time.js'

/** What the supervisor of the workers knows. */
export interface ProxyFacts {
  readonly config: ProxyConfig
  readonly state: ProxyStatus['state']
  readonly workers: readonly WorkerFacts[]
  /** In the order of the upstreams and their servers. */
  readonly peers: readonly PeerFacts[]
  readonly traffic: TrafficFacts
}

/** What the workers have counted. */
export interface TrafficFacts {
  /** @param listen such as `0.0.0.0:80` */
  listenerTraffic(listen: string): ListenerTraffic
  peerTraffic(upstream: string, peer: string): PeerTraffic
  /** Connections of clients that a worker has open. */
  connectionsOf(pid: number): number
}

export interface WorkerFacts {
  readonly pid: number
  readonly state: WorkerStatus['state']
  /** Monotonic. */
  readonly startedAt: number
}

export interface PeerFacts {
  readonly failures: PeerFailures
  /** Since when it is as it is, monotonic; null since the start. */
  readonly since: number | null
  /** What the check said that took it out; empty when nothing is known. */
  readonly detail: string
  /** Why its name has no address; null when it has one. */
  readonly unresolved: string | null
  /** What an administrator wants of it, or the configuration. */
  readonly wish: 'up' | 'down' | 'drain'
  /** The weight that counts. */
  readonly weight: number
}

const CAUSES: Readonly<Record<FailureCause, string>> = {
  connect: 'it took no connection',
  silent: 'it kept clients waiting without an answer',
  answer: 'it answered badly, too late or not to the end'
}

export function proxyStatus(
  { config, state, workers, peers, traffic }: ProxyFacts,
  now: Instant
): ProxyStatus {
  let index = 0
  const next = (): PeerFacts | undefined => peers[index++]
  return {
    state,
    workers: workers.map(({ pid, state, startedAt }) => ({
      pid,
      state,
      started_at: toIso(now.wall - (now.monotonic - startedAt)),
      connections: traffic.connectionsOf(pid)
    })),
    listeners: listenersOf(config, traffic),
    upstreams: config.upstreams.map((upstream): UpstreamStatus => ({
      name: upstream.name,
      balance: formatBalance(upstream.balance),
      peers: upstream.servers.map((server) => peerStatus(upstream, server, next(), traffic, now))
    }))
  }
}

/** Servers that share a listen address are one listener. */
function listenersOf({ servers }: ProxyConfig, traffic: TrafficFacts): readonly ListenerStatus[] {
  const names = new Map<string, readonly string[]>()
  for (const server of servers) {
    const listen = formatEndpoint(server.listen)
    names.set(listen, [...(names.get(listen) ?? []), ...server.names])
  }
  return [...names].map(([listen, servers]) => ({
    listen,
    servers,
    traffic: traffic.listenerTraffic(listen)
  }))
}

function formatBalance(balance: Balance): string {
  if (balance.method !== 'hash') return balance.method
  return `hash ${balance.key}${balance.consistent ? ' consistent' : ''}`
}

function peerStatus(
  upstream: Upstream,
  server: UpstreamServer,
  facts: PeerFacts | undefined,
  traffic: TrafficFacts,
  now: Instant
): PeerStatus {
  const name = formatEndpoint(server)
  const reason = facts ? whyOut(server, facts, now) : null
  const since = facts?.since ?? null
  return {
    name,
    ...stateOf(server, facts?.wish ?? 'up', reason),
    since: since === null ? null : toIso(now.wall - (now.monotonic - since)),
    backup: server.backup,
    configured_weight: server.weight,
    weight: facts?.weight ?? server.weight,
    fails: facts?.failures.fails ?? 0,
    max_fails: server.maxFails,
    traffic: traffic.peerTraffic(upstream.name, name)
  }
}

/** Who took it out, an administrator before everything else. */
function stateOf(
  { down }: UpstreamServer,
  wish: PeerFacts['wish'],
  reason: string | null
): Pick<PeerStatus, 'state' | 'detail'> {
  if (down && wish === 'down') return { state: 'down', detail: 'down in the configuration' }
  if (wish !== 'up') return { state: wish, detail: 'by an administrator' }
  return { state: reason === null ? 'up' : 'out', detail: reason }
}

/** Null when new requests may go to it. */
function whyOut(server: UpstreamServer, facts: PeerFacts, now: Instant): string | null {
  const { failures, detail, unresolved } = facts
  if (unresolved !== null) return `its name cannot be resolved: ${unresolved}`
  if (failures.isDown) return detail === '' ? 'its check fails' : `its check fails: ${detail}`
  if (!awaitsProbe(failures, server) && !isDisabled(failures, server, now.monotonic)) return null
  const { fails, cause } = failures
  return `${fails} ${fails === 1 ? 'failure' : 'failures'}: ${CAUSES[cause]}`
}
