import { formatEndpoint } from '../../../src/proxy/endpoint.js'
import type { ProxyConfig, UpstreamServer } from '../../../src/proxy/model.js'
import { HEALTHY } from '../../../src/proxy/upstream/peer-status.js'
import type { PeerFacts, ProxyFacts } from '../../../src/director/status/status-proxy.js'
import type { RouterFacts } from '../../../src/director/status/status-router.js'
import type { StatusFacts } from '../../../src/director/status/status.js'
import { TrafficBook } from '../../../src/director/workers/traffic-book.js'
import { RouterWishes } from '../../../src/director/orders/router-wishes.js'
import { Counters } from '../../../src/vrrp/counters.js'
import { ROUTER } from '../elections/router-config.js'
import { StoryPlay } from './story-play.js'

/** What a virtual router knows at the end of a play. */
export function routerFacts(
  play: StoryPlay,
  config: Partial<typeof ROUTER> = {},
  others: Partial<RouterFacts> = {}
): RouterFacts {
  return {
    config: { ...ROUTER, ...config },
    rules: play.router,
    state: play.state,
    isGone: false,
    effects: play.effects,
    statistics: new Counters().statistics,
    lastLate: null,
    story: play.story.story,
    siblings: play.siblings,
    ...others
  }
}

export function server(host: string, others: Partial<UpstreamServer> = {}): UpstreamServer {
  return {
    host,
    port: 80,
    writtenAs: `${host}:80`,
    weight: 1,
    maxConns: 0,
    maxFails: 2,
    failTimeoutMs: 10_000,
    down: false,
    backup: false,
    slowStartMs: 0,
    recovery: 'probe',
    ...others
  }
}

/** A proxy with one upstream, as far as its status needs it. */
export function proxyFacts(
  servers: readonly UpstreamServer[],
  peers: readonly Partial<PeerFacts>[] = [],
  others: Partial<ProxyFacts> = {}
): ProxyFacts {
  const upstream = { name: 'web', servers, balance: { method: 'round_robin' } }
  const listen = { host: '0.0.0.0', port: 80 }
  const book = new TrafficBook(
    {
      listeners: ['0.0.0.0:80', '[::]:8080'],
      peers: servers.map((each) => ({ upstream: 'web', peer: formatEndpoint(each) }))
    },
    0
  )
  const config = {
    workers: 2,
    upstreams: [upstream],
    servers: [
      { listen, names: ['example.org'] },
      { listen, names: ['_'] },
      { listen: { host: '::', port: 8080 }, names: [] }
    ]
  } as unknown as ProxyConfig
  return {
    config,
    state: 'running',
    workers: [
      { pid: 11, state: 'listening', startedAt: 1000 },
      { pid: 12, state: 'listening', startedAt: 2000 }
    ],
    peers: servers.map(({ down, weight }, i) => ({
      failures: HEALTHY,
      since: null,
      detail: '',
      unresolved: null,
      wish: down ? ('down' as const) : ('up' as const),
      weight,
      ...peers[i]
    })),
    traffic: {
      listenerTraffic: (listen) => book.listenerTraffic(listen, 0),
      peerTraffic: (upstream, peer) => book.peerTraffic(upstream, peer, 0),
      connectionsOf: (pid) => book.connectionsOf(pid)
    },
    ...others
  }
}

/** A director of which nothing is known but what a test gives. */
export function statusFacts(facts: Partial<StatusFacts> = {}): StatusFacts {
  return {
    version: '1.2.3',
    role: 'master',
    routerId: 'director1',
    pid: 4711,
    startedAt: { wall: Date.parse('2026-03-01T12:00:00Z'), monotonic: 0 },
    configuration: {
      files: ['/etc/tsha/tsha.yaml'],
      hash: '0123456789ab',
      loaded_at: '2026-03-01T12:00:00.000Z',
      last_reload: null
    },
    elections: null,
    checks: [],
    proxy: null,
    wishes: new RouterWishes(),
    ...facts
  }
}
