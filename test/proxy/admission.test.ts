import t from 'tap'
import { Admission, type Applicant } from '../../src/proxy/upstream/admission.js'
import type { Balance, Upstream } from '../../src/proxy/model.js'
import { PeerGroup } from '../../src/proxy/upstream/peer-group.js'
import type { Peer } from '../../src/proxy/upstream/peer.js'
import { HEALTHY, type PeerStatus } from '../../src/proxy/upstream/peer-status.js'
import { openTransaction } from '../../src/proxy/transaction.js'

const FACTS = { hostname: 'director1', pid: 1 }
const DOWN: PeerStatus = { ...HEALTHY, isDown: true }

function upstreamOf(
  change: Partial<Upstream> = {},
  maxConns: readonly number[] = [0, 0]
): Upstream {
  return {
    name: 'web',
    servers: maxConns.map((limit, i) => ({
      host: '192.0.2.1',
      port: 8001 + i,
      writtenAs: `192.0.2.1:${8001 + i}`,
      weight: 1,
      maxConns: limit,
      maxFails: 1,
      failTimeoutMs: 10_000,
      down: false,
      backup: false,
      slowStartMs: 0,
      recovery: 'probe'
    })),
    acceptBareLf: false,
    keepalive: { connections: 256, timeoutMs: 60_000, requests: 1000, lifetimeMs: 3_600_000 },
    balance: { method: 'round_robin' },
    queue: null,
    lastResort: true,
    retryBudget: { percent: 20, min: 3 },
    check: null,
    ...change
  }
}

/** A group with a clock that only the test moves, and requests that tell what they got. */
class Scene {
  now = 1000
  readonly group: PeerGroup

  constructor(upstream: Upstream, random = (): number => 0.5) {
    this.group = new PeerGroup(upstream, 0, {
      now: () => this.now,
      random,
      report: () => undefined,
      facts: FACTS
    })
  }

  /** A request that has asked for its first peer. */
  request(from = '198.51.100.1'): TestRequest {
    const request = new TestRequest(this.group, from)
    request.admission.next()
    return request
  }

  /** The active attempts of each peer. */
  get active(): number[] {
    return this.group.peers.map(({ active }) => active)
  }

  setStatus(index: number, status: PeerStatus): void {
    const peer = this.group.peers[index]
    if (peer !== undefined) this.group.takeStatus(peer, status)
  }
}

class TestRequest implements Applicant {
  readonly admission: Admission
  readonly notices: string[] = []
  /** Index of the peer that it holds, null while it waits, or why it got none. */
  has: number | null | string = null

  constructor(group: PeerGroup, remoteAddress: string) {
    const client = {
      remoteAddress,
      remotePort: 1,
      serverAddress: '192.0.2.9',
      serverPort: 80,
      connection: 1
    }
    const transaction = openTransaction(client, null, '', 1, 0)
    this.admission = new Admission(group, transaction, this)
  }

  onPeer(peer: Peer): void {
    this.has = peer.index
  }

  onNoPeer(reason: string): void {
    this.has = reason
    this.admission.leave()
  }

  onNotice(message: string): void {
    this.notices.push(message)
  }
}

t.test('max_conns: a full server is skipped, and is no failure', (t) => {
  const scene = new Scene(upstreamOf({}, [1, 2]))
  const requests = Array.from({ length: 4 }, () => scene.request())
  t.strictSame(
    requests.map(({ has }) => has),
    [0, 1, 1, 'no live upstreams while connecting to upstream'],
    'nor is one that is well tried as the last resort'
  )
  requests[0]?.admission.leave()
  t.equal(scene.request().has, 0)
  t.strictSame(scene.active, [1, 2])
  t.end()
})

t.test('a queue holds requests until a server has room, the first one first', (t) => {
  const scene = new Scene(upstreamOf({ queue: { requests: 2, timeoutMs: 2000 } }, [1]))
  const [first, second, third, fourth] = [1, 2, 3, 4].map(() => scene.request())
  t.equal(first?.has, 0)
  t.equal(second?.has, null)
  t.equal(third?.has, null)
  t.match(fourth?.has, 'no live upstreams and the queue is full')
  first?.admission.leave()
  t.equal(second?.has, 0)
  t.equal(third?.has, null)
  third?.admission.leave()
  second?.admission.leave()
  t.equal(third?.has, null, 'who left is not served')
  t.strictSame(scene.active, [0])
  t.equal(scene.group.queue?.size, 0)
  t.end()
})

t.test('a request that has waited too long is refused, and the others go on waiting', (t) => {
  const scene = new Scene(upstreamOf({ queue: { requests: 5, timeoutMs: 2000 } }, [1]))
  const busy = scene.request()
  const early = scene.request()
  scene.now += 1000
  const late = scene.request()
  scene.now += 999
  scene.group.sweep(scene.now)
  t.equal(early.has, null)
  scene.now += 1
  scene.group.sweep(scene.now)
  t.equal(early.has, 'no upstream server was free within 2000 ms while waiting in the queue')
  t.equal(late.has, null)
  busy.admission.leave()
  t.equal(late.has, 0)
  t.end()
})

t.test('a server that is well and full is no reason to try one that is not', (t) => {
  const scene = new Scene(upstreamOf({}, [1, 0]))
  scene.setStatus(1, DOWN)
  t.equal(scene.request().has, 0)
  t.match(scene.request().has, 'no live upstreams')
  scene.setStatus(0, DOWN)
  t.equal(scene.request().has, 1, 'but when all are out it is the last resort')
  t.end()
})

t.test('nobody overtakes those that wait', (t) => {
  const { servers, ...rest } = upstreamOf({
    queue: { requests: 5, timeoutMs: 60_000 },
    lastResort: false
  })
  const scene = new Scene({
    ...rest,
    servers: servers.map((server) => ({ ...server, maxConns: 1, recovery: 'request' }))
  })
  scene.setStatus(1, DOWN)
  const [first] = scene.group.peers
  if (first === undefined) throw new Error('no peer')
  scene.group.failed(first, 'answer', scene.now)
  const early = scene.request()
  t.equal(early.has, null)
  scene.now += 10_001
  const late = scene.request()
  t.equal(early.has, 0, 'it may be tried again after fail_timeout')
  t.equal(late.has, null)
  t.end()
})

t.test('a queue is served when a server is well again', (t) => {
  const scene = new Scene(
    upstreamOf({ queue: { requests: 5, timeoutMs: 2000 }, lastResort: false })
  )
  scene.setStatus(0, DOWN)
  scene.setStatus(1, DOWN)
  const requests = [scene.request(), scene.request()]
  t.strictSame(
    requests.map(({ has }) => has),
    [null, null]
  )
  scene.setStatus(1, HEALTHY)
  t.strictSame(
    requests.map(({ has }) => has),
    [1, 1]
  )
  t.end()
})

t.test('a last resort that takes no connection sends its request to the queue', (t) => {
  const scene = new Scene(upstreamOf({ queue: { requests: 5, timeoutMs: 2000 } }))
  scene.setStatus(0, DOWN)
  scene.setStatus(1, DOWN)
  const request = scene.request()
  t.equal(request.has, 0, 'the last resort')
  request.admission.settleLastResort()
  t.notOk(request.admission.hasNext(true, scene.now), 'what was sent does not wait')
  t.ok(request.admission.hasNext(false, scene.now))
  request.has = null
  request.admission.next()
  t.equal(request.has, null)
  t.strictSame(scene.active, [0, 0])
  scene.now += 1999
  scene.setStatus(0, HEALTHY)
  t.equal(request.has, 0, 'the same server again, now that it is well')
  scene.setStatus(0, DOWN)
  t.ok(request.admission.hasNext(false, scene.now), 'it waits on')
  t.notOk(request.admission.hasNext(false, scene.now + 1), 'but not beyond its time')
  request.has = null
  request.admission.next()
  scene.now += 1
  scene.group.sweep(scene.now)
  t.match(request.has, 'no upstream server was free within 2000 ms', 'for its time in all')
  t.end()
})

t.test('a request does not wait twice for a server that no failure disables', (t) => {
  const { servers, ...rest } = upstreamOf({ queue: { requests: 5, timeoutMs: 2000 } })
  for (const setup of [
    servers.slice(0, 1),
    servers.map((server) => ({ ...server, maxFails: 0 }))
  ]) {
    const scene = new Scene({ ...rest, servers: setup })
    const request = scene.request()
    if (setup.length > 1) request.admission.next()
    t.ok(request.admission.hasNext(false, scene.now))
    request.has = null
    request.admission.next()
    t.equal(request.has, null)
    scene.group.sweep(scene.now)
    t.type(request.has, 'number', 'it may be tried at once')
    if (setup.length > 1) request.admission.next()
    t.notOk(request.admission.hasNext(false, scene.now))
    request.admission.leave()
  }
  t.end()
})

t.test('last_resort: false refuses at once when all are out', (t) => {
  const scene = new Scene(upstreamOf({ lastResort: false }))
  scene.setStatus(0, DOWN)
  scene.setStatus(1, DOWN)
  t.equal(scene.request().has, 'no live upstreams while connecting to upstream')
  t.end()
})

t.test('backup servers are used only while no other server can be', (t) => {
  const { servers, ...rest } = upstreamOf({}, [1, 0, 0])
  const scene = new Scene({
    ...rest,
    servers: servers.map((server, i) => ({ ...server, backup: i > 0 }))
  })
  const first = scene.request()
  t.equal(first.has, 0)
  t.strictSame(
    [1, 2, 3].map(() => scene.request().has),
    [1, 2, 1],
    'the first is full: the backups in turn'
  )
  first.admission.next()
  t.equal(first.has, 2, 'and when it has failed')
  t.equal(scene.request().has, 0, 'no longer than needed')
  scene.setStatus(0, DOWN)
  t.equal(scene.request().has, 1)
  t.end()
})

t.test('slow_start: a server that is back gets its share bit by bit', (t) => {
  const { servers, ...rest } = upstreamOf()
  const scene = new Scene({
    ...rest,
    servers: servers.map((server) => ({ ...server, slowStartMs: 10_000 }))
  })
  const firstOf = (count: number): number =>
    Array.from({ length: count }, () => {
      const request = scene.request()
      request.admission.leave()
      return request.has
    }).filter((has) => has === 0).length
  t.equal(firstOf(100), 50, 'nobody was out: full weight from the start')
  scene.setStatus(0, { ...HEALTHY, unanswered: { count: 1, since: 0, firstAt: 1, lastAt: 1 } })
  scene.setStatus(0, HEALTHY)
  t.equal(firstOf(100), 50, 'nor after a mere suspicion')
  scene.setStatus(0, DOWN)
  t.equal(firstOf(100), 0)
  scene.setStatus(0, HEALTHY)
  t.equal(firstOf(100), 1, 'a hundredth at first')
  scene.now += 2500
  t.equal(firstOf(100), 20, 'a quarter of one to one')
  scene.now += 7500
  t.equal(firstOf(100), 50)
  t.end()
})

t.test('a failure that is refused by the retry budget is told once', (t) => {
  const scene = new Scene(upstreamOf({ retryBudget: { percent: 20, min: 1 } }))
  const [first, second, third] = [scene.request(), scene.request(), scene.request()]
  t.ok(first.admission.affords(true, scene.now))
  first.admission.next()
  t.notOk(second.admission.affords(true, scene.now))
  t.notOk(third.admission.affords(true, scene.now))
  t.ok(third.admission.affords(false, scene.now), 'one that costs nothing goes on')
  t.strictSame(
    [...first.notices, ...second.notices, ...third.notices],
    [
      'retry budget is exhausted, 1 of 3 requests in flight are retries; ' +
        'failures passed on since this was last said: 1'
    ]
  )
  first.admission.leave()
  t.ok(second.admission.affords(true, scene.now), 'the retry is over')
  t.end()
})

/** Numbers from 0 to 1 that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

t.test('whatever happens to requests, each gives its peer back exactly once', (t) => {
  const balances: Balance[] = [
    { method: 'round_robin' },
    { method: 'least_conn' },
    { method: 'random_two' },
    { method: 'ip_hash' },
    { method: 'hash', key: '$remote_addr', consistent: false },
    { method: 'hash', key: '$remote_addr', consistent: true }
  ]
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed)
    const below = (limit: number): number => Math.floor(random() * limit)
    const limits = [below(3), below(3), below(3)]
    const balance = balances[seed % balances.length] ?? { method: 'round_robin' }
    const queue = seed % 2 === 0 ? { requests: 3, timeoutMs: 500 } : null
    const scene = new Scene(
      upstreamOf({ balance, queue, lastResort: seed % 3 > 0 }, limits),
      random
    )
    const live = new Set<TestRequest>()
    let worst = ''
    const check = (): void => {
      const holding = [...live].filter(({ has }) => typeof has === 'number')
      const held = scene.group.peers.map(
        ({ index }) => holding.filter(({ has }) => has === index).length
      )
      const waiting = [...live].filter(({ has }) => has === null).length
      const { inFlight } = scene.group
      if (scene.active.join() !== held.join())
        worst = `active ${scene.active.join()}: ${held.join()}`
      if (inFlight !== holding.length) worst = `in flight ${inFlight}: ${holding.length}`
      if ((scene.group.queue?.size ?? 0) !== waiting) worst = `${waiting} wait`
      if (waiting > 3) worst = `${waiting} wait, at most 3 may`
      for (const [i, limit] of limits.entries()) {
        if (limit > 0 && (held[i] ?? 0) > limit) worst = `${held[i] ?? 0} beyond max_conns ${limit}`
      }
    }
    const any = (): TestRequest | undefined => [...live][below(live.size)]
    for (let step = 0; step < 400; step++) {
      scene.now += below(100)
      const request = any()
      switch (below(6)) {
        case 0:
        case 1:
          live.add(scene.request(`198.51.${below(200)}.1`))
          break
        case 2:
          request?.admission.leave()
          if (request !== undefined) live.delete(request)
          if (below(2) === 0) request?.admission.leave()
          break
        case 3: {
          if (typeof request?.has !== 'number') break
          const { admission } = request
          const peer = scene.group.peers[request.has]
          const requestSent = below(2) === 0
          admission.settleLastResort()
          const goesOn =
            admission.hasNext(requestSent, scene.now) && admission.affords(requestSent, scene.now)
          if (peer) scene.group.failed(peer, requestSent ? 'answer' : 'connect', scene.now)
          request.has = null
          if (goesOn) admission.next()
          else {
            admission.leave()
            live.delete(request)
          }
          break
        }
        case 4:
          scene.setStatus(below(3), below(2) === 0 ? HEALTHY : DOWN)
          break
        case 5:
          scene.group.sweep(scene.now)
          break
      }
      for (const each of live) if (typeof each.has === 'string') live.delete(each)
      check()
    }
    t.equal(worst, '', `seed ${seed}, ${balance.method}`)
    for (const request of live) request.admission.leave()
    t.strictSame([scene.active, scene.group.inFlight], [[0, 0, 0], 0], `seed ${seed}: at the end`)
    t.equal(scene.group.budget.retries, 0)
    t.equal(scene.group.queue?.size ?? 0, 0)
    t.notOk(scene.group.peers.some(({ isLastResort }) => isLastResort))
  }
  t.end()
})
