import t, { type Test } from 'tap'
import type { UpstreamServer } from '../../src/proxy/model.js'
import { startProxy, type ProxyUnderTest } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, refusingPort, scriptedUpstream, type Script } from './support/upstream.js'

/** A clock that only the test moves. */
class TestClock {
  time = 1_000_000

  now(): number {
    return this.time
  }

  wall(): number {
    return 0
  }
}

const untilTrue = async (isTrue: () => boolean): Promise<void> => {
  const deadline = Date.now() + 5000
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error('it never came true')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

interface Setup {
  readonly script: Script
  readonly server?: Partial<UpstreamServer>
  /** The other server of the group is taken out, so that every request goes to the first. */
  readonly isAlone?: boolean
  readonly requestBuffering?: boolean
}

/** A proxy before web1, which follows a script, and web2, which says hello. */
async function startPair(t: Test, setup: Setup) {
  const { script, server, isAlone = false, requestBuffering = true } = setup
  const web1 = await scriptedUpstream(script)
  const web2 = await scriptedUpstream((_request, socket) => socket.write(answer('web2')))
  t.teardown(() => Promise.all([web1.close(), web2.close()]))
  const clock = new TestClock()
  const servers = [
    { port: web1.port, ...server },
    { port: web2.port, down: isAlone }
  ]
  const proxy = await startProxy(
    t,
    { servers, logFormat: '$status $upstream_addr', route: { requestBuffering } },
    { clock }
  )
  return { web1, web2, clock, proxy }
}

/** A client that asks, and leaves after `waitMs` without an answer. */
async function giveUp(
  pair: Awaited<ReturnType<typeof startPair>>,
  path: string,
  waitMs: number
): Promise<void> {
  const { proxy, clock, web1 } = pair
  const asked = web1.requests.length
  const client = new RawClient(proxy.port)
  client.send(get(path))
  await untilTrue(() => web1.requests.length > asked)
  clock.time += waitMs
  await client.close()
  const connections = (): number => proxy.engine.counters.clientConnections
  await untilTrue(() => connections() === 0)
}

const kinds = (proxy: ProxyUnderTest): string[] => proxy.events.map(({ event }) => event.kind)
const silent: Script = () => undefined

t.test('two clients in a row that give up disable a server that says nothing', async (t) => {
  const pair = await startPair(t, { script: silent })
  const { proxy, web1 } = pair
  await giveUp(pair, '/', 1000)
  t.match(await exchange(proxy.port, get()), /web2$/, 'the turn of web2')
  await giveUp(pair, '/', 1000)
  t.same(kinds(proxy), ['abandoned', 'abandoned'])
  for (let i = 0; i < 4; i++) t.match(await exchange(proxy.port, get()), /web2$/)
  t.equal(web1.requests.length, 2, 'it is left alone')
  const errors = await proxy.errorLog()
  t.ok(errors.some((line) => line.includes('[warn]') && line.includes('temporarily disabled')))
})

t.test('clients that leave sooner than 400 ms say nothing about the server', async (t) => {
  const pair = await startPair(t, { script: silent, isAlone: true })
  for (let i = 0; i < 5; i++) await giveUp(pair, '/', 399)
  t.same(kinds(pair.proxy), [])
  await giveUp(pair, '/', 400)
  t.same(kinds(pair.proxy), ['abandoned'])
})

t.test('one slow page beside fast ones never takes the server out', async (t) => {
  const pair = await startPair(t, {
    script: (request, socket) => {
      if (!request.startsWith('GET /slow ')) socket.write(answer('fast'))
    },
    server: { maxFails: 1 },
    isAlone: true
  })
  const { proxy, clock, web1 } = pair
  for (let i = 0; i < 20; i++) {
    const asked = web1.requests.length
    const client = new RawClient(proxy.port)
    client.send(get('/slow'))
    await untilTrue(() => web1.requests.length > asked)
    clock.time += 600
    t.match(await exchange(proxy.port, get('/fast')), /fast$/)
    clock.time += 400
    await client.close()
    await untilTrue(() => proxy.engine.counters.clientConnections === 0)
  }
  t.same(kinds(proxy), [], 'nothing was even told')
})

t.test(
  'a fast answer between two impatient clients of a slow page forgives the first',
  async (t) => {
    const pair = await startPair(t, {
      script: (request, socket) => {
        if (!request.startsWith('GET /slow ')) socket.write(answer('fast'))
      },
      isAlone: true
    })
    const { proxy } = pair
    for (let i = 0; i < 10; i++) {
      await giveUp(pair, '/slow', 1000)
      t.match(await exchange(proxy.port, get('/fast')), /fast$/)
      pair.clock.time += 1
    }
    t.same(kinds(proxy), Array.from({ length: 10 }, () => ['abandoned', 'heard']).flat())
  }
)

t.test('another worker that was answered contradicts at once', async (t) => {
  const pair = await startPair(t, { script: (_r, socket) => socket.write(answer('fast')) })
  const { proxy, clock } = pair
  await exchange(proxy.port, get())
  const heardAt = clock.time
  const silence = { count: 1, since: heardAt - 500, firstAt: heardAt + 500, lastAt: heardAt + 500 }
  const before = { fails: 0, accessedAt: 0, checkedAt: 0, cause: 'answer', isDown: false } as const
  const none = { count: 0, since: 0, firstAt: 0, lastAt: 0 }
  proxy.engine.applyPeerStatus(0, { ...before, unconnected: none, unanswered: silence })
  t.same(proxy.events, [{ index: 0, event: { kind: 'heard', at: heardAt, awaited: 'answer' } }])
})

t.test('a client that leaves in the middle of its own body is its own affair', async (t) => {
  const pair = await startPair(t, { script: silent, isAlone: true, requestBuffering: false })
  const { proxy, clock, web1 } = pair
  for (let i = 0; i < 3; i++) {
    const client = new RawClient(proxy.port)
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf')
    await untilTrue(() => web1.sockets.length > i)
    clock.time += 1000
    await client.close()
    await untilTrue(() => proxy.engine.counters.clientConnections === 0)
  }
  t.same(kinds(proxy), [])
})

t.test(
  'all disabled: the one left alone longest is tried, and a success brings it back',
  async (t) => {
    let isBroken = true
    const script: Script = (_request, socket) => {
      if (isBroken) socket.destroy()
      else socket.write(answer('back'))
    }
    const [web1, web2] = [await scriptedUpstream(script), await scriptedUpstream(script)]
    t.teardown(() => Promise.all([web1.close(), web2.close()]))
    const servers = [web1, web2].map(({ port }) => ({ port, maxFails: 1 }))
    const proxy = await startProxy(t, { servers, logFormat: '$status $upstream_addr' })
    t.equal(statusOf(await exchange(proxy.port, get())), 502)
    t.same(kinds(proxy), ['failed', 'failed'])
    for (let i = 0; i < 4; i++) t.equal(statusOf(await exchange(proxy.port, get())), 502)
    t.same([web1.requests.length, web2.requests.length], [3, 3], 'in turn')
    t.same(kinds(proxy), ['failed', 'failed'], 'what is known is not told again')
    isBroken = false
    t.match(await exchange(proxy.port, get()), /back$/)
    t.same(kinds(proxy), ['failed', 'failed', 'succeeded'])
    t.equal((await proxy.accessLog())[5], `200 127.0.0.1:${web1.port}`)
  }
)

t.test('all disabled and silent: one client waits at each, the others are not kept', async (t) => {
  const web = await scriptedUpstream(silent)
  t.teardown(() => web.close())
  const down = { port: web.port, down: true }
  const servers = [
    { port: web.port, maxFails: 1 },
    { port: await refusingPort(), maxFails: 1 },
    down
  ]
  const proxy = await startProxy(t, { servers, logFormat: '$status $upstream_addr' })
  const status = proxy.engine.now()
  for (const index of [0, 1]) {
    const none = { count: 0, since: 0, firstAt: 0, lastAt: 0 }
    proxy.engine.applyPeerStatus(index, {
      fails: 1,
      accessedAt: status + index,
      checkedAt: status + index,
      cause: 'connect',
      unconnected: none,
      unanswered: none,
      isDown: false
    })
  }
  const waiting = new RawClient(proxy.port)
  waiting.send(get())
  await untilTrue(() => web.requests.length === 1)
  t.equal(statusOf(await exchange(proxy.port, get())), 502, 'the other one refuses')
  const second = new RawClient(proxy.port)
  second.send(get())
  t.equal(statusOf(await second.rest()), 502)
  t.equal(web.requests.length, 1, 'nobody joins the one that waits')
  await waiting.close()
  await untilTrue(() => proxy.engine.counters.clientConnections === 0)
  const next = new RawClient(proxy.port)
  next.send(get())
  await untilTrue(() => web.requests.length === 2 || next.ending !== null)
  if (next.ending !== null) {
    // It was the turn of the one that refuses.
    const another = new RawClient(proxy.port)
    another.send(get())
    await untilTrue(() => web.requests.length === 2)
    await another.close()
  }
  await next.close()
  t.equal(web.requests.length, 2, 'when it has left the next one may try')
})

t.test('all disabled: a real 503 passes through and brings nobody back', async (t) => {
  const bad: Script = (_request, socket) => socket.write(answer('bad', '503 Busy'))
  const [web1, web2] = [await scriptedUpstream(bad), await scriptedUpstream(bad)]
  t.teardown(() => Promise.all([web1.close(), web2.close()]))
  const servers = [web1, web2].map(({ port }) => ({ port, maxFails: 1 }))
  const proxy = await startProxy(t, { servers, route: { nextUpstream: ['http_503'] } })
  for (let i = 0; i < 5; i++) {
    t.match(await exchange(proxy.port, get()), /^HTTP\/1\.1 503 Busy\r\n/)
  }
  t.same(kinds(proxy), ['failed'], 'web2 was always the last one, whose answer counts for nothing')
})

t.test('nobody is left when the administrator has taken all out', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const down = { port: web.port, down: true }
  const proxy = await startProxy(t, { servers: [down, down], logFormat: '$status $upstream_addr' })
  t.equal(statusOf(await exchange(proxy.port, get())), 502)
  t.equal(web.requests.length, 0)
  t.equal((await proxy.accessLog())[0], '502 web')
  const errors = await proxy.errorLog()
  t.ok(errors.some((line) => / no live upstreams while connecting to upstream, /.test(line)))
})
