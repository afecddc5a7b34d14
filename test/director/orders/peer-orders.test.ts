import { pino } from 'pino'
import t from 'tap'
import { PeerOrders } from '../../../src/director/orders/peer-orders.js'
import { PeerWatches } from '../../../src/director/workers/peer-watches.js'
import { WATCH_PORTS } from '../../../src/director/workers/peer-watch.js'
import type { Balance, Upstream, UpstreamServer } from '../../../src/proxy/model.js'
import { proxyConfig } from '../../proxy/support/proxy.js'

const NOT_CHECKED = 'is down: it takes no new requests, and is not checked'

/** Orders for the peers 127.0.0.1:1, :2, … of one upstream, with nobody asking anything. */
function stage(servers: readonly Partial<UpstreamServer>[], upstream: Partial<Upstream> = {}) {
  let now = 1000
  const numbered = servers.map((server, i) => ({ port: i + 1, ...server }))
  const config = proxyConfig({ servers: numbered, upstream }, '/nonexistent')
  const wishes: unknown[] = []
  const watches = new PeerWatches(
    config,
    pino({ enabled: false }),
    { ...WATCH_PORTS, now: () => now, addressOf: () => null },
    { statusChanged: () => undefined, wishChanged: (index, wish) => wishes.push([index, wish]) }
  )
  t.teardown(() => {
    watches.stop()
  })
  const counts = new Map<number, number | null>()
  const orders = new PeerOrders({
    upstreams: config.upstreams,
    supervisor: {
      get peers() {
        return watches.all()
      },
      wantPeer: (index, change) => {
        watches.want(index, change)
      },
      inFlightOf: (index) => counts.get(index) ?? (counts.has(index) ? null : 0),
      drained: () => Promise.resolve()
    }
  })
  const order = async (port: number, change: object): Promise<readonly string[]> => {
    now += 100
    const peer = `127.0.0.1:${port}`
    const { ok, lines } = await orders.peer({ action: 'peer', upstream: 'web', peer, ...change })
    return ok ? lines : ['REFUSED', ...lines]
  }
  return { order, watches, wishes, counts }
}

const fail = { kind: 'failed', at: 1000, cause: 'connect' } as const

t.test('what is known of a peer tells wishes from what was found out', async (t) => {
  const { order, watches } = stage([{ maxFails: 1 }, {}])
  t.match(watches.peer(0), { state: 'up', since: null, weight: 1 })
  watches.apply(0, fail, 'connect refused')
  t.match(watches.peer(0), { state: 'out', since: 1000, detail: 'connect refused' })
  await order(1, { state: 'drain' })
  t.match(watches.peer(0), { state: 'drain', since: 1100 })
  await order(1, { weight: 7 })
  t.match(watches.peer(0), { state: 'drain', since: 1100, weight: 7 })
  const [line] = await order(1, { state: 'up' })
  t.equal(
    line,
    'web 127.0.0.1:1 is up (was draining): it takes requests, and what failed is forgotten'
  )
  t.match(watches.peer(0), { state: 'up', since: 1300, detail: '', status: { fails: 0 } })
})

t.test('one order reaches every line of a server that is written twice', async (t) => {
  const { order, wishes } = stage([{ port: 1 }, { port: 1 }, { port: 2 }])
  await order(1, { state: 'down', weight: 3 })
  t.same(wishes, [
    [0, { state: 'down', weight: 3 }],
    [1, { state: 'down', weight: 3 }]
  ])
})

t.test('what is left is told: backup servers, servers that are out, nobody', async (t) => {
  const withBackup = stage([{}, { backup: true }])
  t.same(await withBackup.order(1, { state: 'down' }), [
    `web 127.0.0.1:1 ${NOT_CHECKED}`,
    'no request is in flight',
    'WARNING: only backup servers of web are up now: 127.0.0.1:2'
  ])
  for (const [lastResort, then] of [
    [true, 'requests try the least bad as a last resort'],
    [false, 'clients get 502']
  ] as const) {
    const { order, watches } = stage([{}, { maxFails: 1 }], { lastResort })
    watches.apply(1, fail)
    const lines = await order(1, { state: 'down' })
    t.equal(lines[2], `WARNING: no server of web is up: 127.0.0.1:2 is out; ${then}`)
  }
  const { order } = stage([{}], { queue: { requests: 5, timeoutMs: 3000 } })
  t.equal(
    (await order(1, { state: 'drain' }))[2],
    'WARNING: web has no server left that takes requests: clients get 502 after 3 s in the queue until one is up'
  )
})

t.test('requests in flight are told, or that they are not known', async (t) => {
  const { order, counts } = stage([{}, {}])
  counts.set(0, 2)
  t.equal(
    (await order(1, { state: 'drain' }))[1],
    '2 requests are in flight; the log tells when there is none any more'
  )
  counts.set(0, null)
  t.equal(
    (await order(1, { state: 'drain' }))[1],
    'a worker has not told yet how many requests are in flight'
  )
})

t.test('a weight that would take a consistent hash too long to make is refused', async (t) => {
  const balance: Balance = { method: 'hash', key: '$uri', consistent: true }
  const { order, wishes } = stage([{}, {}], { balance })
  t.same(await order(1, { weight: 1000 }), [
    'REFUSED',
    'weight is 1000; the weights of web, a consistent hash, would add up to 1001: use less, at most 1000 together'
  ])
  t.same(wishes, [])
  t.match(await order(1, { weight: 999 }), [/^web 127.0.0.1:1 has weight 999 /])
  const large = stage([{ weight: 4000 }, { weight: 1000 }], { balance })
  t.match(await large.order(2, { weight: 999 }), [/has weight 999/], 'no more than configured')
})

t.test('what the configuration has down says so when it is up', async (t) => {
  const { order, watches } = stage([{ down: true }, {}])
  t.match(watches.peer(0), { state: 'down', since: null })
  t.match(await order(1, { state: 'up' }), [
    /is up \(was down\): .*; the configuration has it down, as it is after a restart$/
  ])
})
