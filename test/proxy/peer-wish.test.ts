import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Balance, UpstreamServer } from '../../src/proxy/model.js'
import type { PeerWish } from '../../src/proxy/upstream/peer-wish.js'
import { startProxy, type ProxySetup } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, refusingPort, scriptedUpstream } from './support/upstream.js'

const DOWN: PeerWish = { state: 'down', weight: null }
const DRAIN: PeerWish = { state: 'drain', weight: null }
const UP: PeerWish = { state: 'up', weight: null }
const KEPT = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** Servers that count, and a proxy before them; what it tells of requests in flight is kept. */
async function startWebs(
  t: Test,
  count: number,
  setup: Omit<ProxySetup, 'servers'> = {},
  own: readonly Partial<UpstreamServer>[] = []
) {
  const held: Socket[] = []
  const webs = await Promise.all(
    Array.from({ length: count }, () =>
      scriptedUpstream((request, socket) => {
        if (request.includes('/hold')) held.push(socket)
        else socket.write(answer('hello'))
      })
    )
  )
  t.teardown(() => Promise.all(webs.map((web) => web.close())))
  const told: [number, number][] = []
  const servers = webs.map(({ port }, i) => ({ port, ...own[i] }))
  const proxy = await startProxy(
    t,
    { ...setup, servers },
    { tellInFlight: (index, inFlight) => told.push([index, inFlight]) }
  )
  /** How many of some requests each server gets; all have to be answered. */
  const spread = async (requests: number): Promise<number[]> => {
    const before = webs.map((web) => web.requests.length)
    for (let i = 0; i < requests; i++) {
      t.equal(statusOf(await exchange(proxy.port, get('/', `X-Key: ${i}\r\n`))), 200)
    }
    return webs.map((web, i) => web.requests.length - (before[i] ?? 0))
  }
  return { webs, held, proxy, told, spread }
}

const METHODS: readonly Balance[] = [
  { method: 'round_robin' },
  { method: 'least_conn' },
  { method: 'random_two' },
  { method: 'ip_hash' },
  { method: 'hash', key: '$http_x_key', consistent: false },
  { method: 'hash', key: '$http_x_key', consistent: true }
]

for (const balance of METHODS) {
  const isConsistent = balance.method === 'hash' && balance.consistent
  const title = `${balance.method}${isConsistent ? ' consistent' : ''}`
  t.test(`${title}: who is down or drains gets no request, until it is up again`, async (t) => {
    const { proxy, spread } = await startWebs(t, 3, { upstream: { balance } })
    const [all] = [await spread(18)]
    // The address of all clients here is the same, so that only one of the servers has work.
    const busy = all.findIndex((count) => count > 0)
    for (const wish of [DOWN, DRAIN]) {
      proxy.engine.applyPeerWish(busy, wish)
      const without = await spread(18)
      t.equal(without[busy], 0, wish.state)
      t.equal(
        without.reduce((sum, count) => sum + count, 0),
        18
      )
      proxy.engine.applyPeerWish(busy, UP)
      t.ok(((await spread(18))[busy] ?? 0) > 0, 'up again')
    }
  })
}

t.test('another weight counts at once', async (t) => {
  for (const balance of METHODS) {
    // Of two servers it always draws both.
    if (balance.method === 'random_two') continue
    const { proxy, spread } = await startWebs(t, 2, { upstream: { balance } }, [{}, { weight: 3 }])
    proxy.engine.applyPeerWish(0, { state: 'up', weight: 27 })
    const [first = 0, second = 0] = await spread(40)
    const name = `${balance.method}: ${first} and ${second}`
    if (balance.method === 'round_robin' || balance.method === 'least_conn') {
      t.same([first, second], [36, 4], name)
    } else {
      t.ok(first >= 29, name)
    }
  }
})

t.test('after another weight nobody pays for what was gained with the old one', async (t) => {
  const { proxy, spread } = await startWebs(t, 2)
  proxy.engine.applyPeerWish(0, { state: 'up', weight: 1000 })
  t.same(await spread(30), [30, 0])
  proxy.engine.applyPeerWish(0, UP)
  t.same(await spread(8), [4, 4])
})

t.test('what runs is finished and told, until nothing is in flight', async (t) => {
  const { proxy, held, told, spread } = await startWebs(t, 2, {}, [{}, { down: true }])
  const clients = [new RawClient(proxy.port), new RawClient(proxy.port)]
  for (const client of clients) client.send(KEPT.replace('/ ', '/hold '))
  while (held.length < 2) await new Promise(setImmediate)
  t.same(told, [])
  proxy.engine.applyPeerWish(1, UP)
  proxy.engine.applyPeerWish(0, DRAIN)
  t.same(told, [[0, 2]])
  t.same(await spread(3), [0, 3])
  held[0]?.write(answer('hello'))
  t.equal(statusOf((await clients[0]?.take(/hello/)) ?? ''), 200)
  while (told.length < 2) await new Promise(setImmediate)
  held[1]?.write(answer('hello'))
  t.equal(statusOf((await clients[1]?.take(/hello/)) ?? ''), 200)
  while (told.length < 3) await new Promise(setImmediate)
  t.same(told, [
    [0, 2],
    [0, 1],
    [0, 0]
  ])
  await Promise.all(clients.map((client) => client.close()))
})

t.test('connections to who is down are closed, those to who drains are kept', async (t) => {
  const { proxy, webs, held } = await startWebs(t, 2, {}, [{}, { backup: true }])
  const client = new RawClient(proxy.port)
  const busy = new RawClient(proxy.port)
  busy.send(KEPT.replace('/ ', '/hold '))
  while (held.length < 1) await new Promise(setImmediate)
  client.send(KEPT)
  await client.take(/hello/)
  proxy.engine.applyPeerWish(0, DRAIN)
  t.equal(proxy.engine.counters.upstreamConnections, 2, 'one is idle, one has work')
  proxy.engine.applyPeerWish(0, DOWN)
  t.equal(proxy.engine.counters.upstreamConnections, 1)
  held[0]?.write(answer('hello'))
  t.equal(statusOf(await busy.take(/hello/)), 200)
  t.equal(proxy.engine.counters.upstreamConnections, 0, 'after its response')
  client.send(KEPT)
  await client.take(/hello/)
  t.same(
    webs.map((web) => web.requests.length),
    [2, 1],
    'the backup server serves'
  )
  await Promise.all([client.close(), busy.close()])
})

t.test('the last resort is never one that an administrator took out', async (t) => {
  const refusing = await refusingPort()
  const { proxy, webs } = await startWebs(t, 2, {}, [{}, { port: refusing, maxFails: 1 }])
  proxy.engine.applyPeerWish(0, DOWN)
  for (let i = 0; i < 4; i++) t.equal(statusOf(await exchange(proxy.port, get())), 502)
  t.equal(webs[0]?.requests.length, 0)
  proxy.engine.applyPeerWish(1, DOWN)
  t.equal(statusOf(await exchange(proxy.port, get())), 502, 'nobody is left')
  proxy.engine.applyPeerWish(0, UP)
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
})

t.test('the only server of a group can be taken out too', async (t) => {
  const { proxy, webs } = await startWebs(t, 1)
  proxy.engine.applyPeerWish(0, DOWN)
  t.equal(statusOf(await exchange(proxy.port, get())), 502)
  t.equal(webs[0]?.requests.length, 0)
})

t.test('requests in the queue are served when a server is up again', async (t) => {
  const { proxy } = await startWebs(t, 1, {
    upstream: { queue: { requests: 10, timeoutMs: 10_000 } }
  })
  proxy.engine.applyPeerWish(0, DRAIN)
  const response = exchange(proxy.port, get())
  while (proxy.engine.counters.queuedRequests < 1) await new Promise(setImmediate)
  proxy.engine.applyPeerWish(0, UP)
  t.equal(statusOf(await response), 200)
})

t.test('what the configuration has down can be up', async (t) => {
  const { proxy, spread } = await startWebs(t, 2, {}, [{ down: true }])
  t.same(await spread(4), [0, 4])
  proxy.engine.applyPeerWish(0, UP)
  t.same(await spread(4), [2, 2])
})

t.test('a server that is up again after it was down starts slowly', async (t) => {
  const { proxy, spread } = await startWebs(t, 2, {}, [{ slowStartMs: 3_600_000 }])
  proxy.engine.applyPeerWish(0, DOWN)
  proxy.engine.applyPeerWish(0, UP)
  const [first = 0] = await spread(20)
  t.ok(first <= 1, `${first} of 20 in the first moments of an hour`)
})
