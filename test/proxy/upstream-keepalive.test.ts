import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import type { UpstreamKeepalive } from '../../src/proxy/model.js'
import { startProxy, type ProxyUnderTest } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, scriptedUpstream, type Script, type ScriptedUpstream } from './support/upstream.js'

/** A proxy before one server, with a clock that only the test moves. */
interface Kept {
  readonly web: ScriptedUpstream
  readonly proxy: ProxyUnderTest
  /** Makes a good request `afterMs` after the last one. */
  ask(afterMs?: number): Promise<void>
}

const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx'

interface Test {
  equal: (found: unknown, wanted: unknown) => boolean
  teardown: (undo: () => Promise<void>) => void
}

async function start(
  t: Test,
  keepalive: Partial<UpstreamKeepalive>,
  script?: Script
): Promise<Kept> {
  const web = await scriptedUpstream(script)
  t.teardown(() => web.close())
  let time = 1_000_000
  const clock = { now: () => time, wall: () => Date.now() }
  const proxy = await startProxy(t, { servers: [web.port], keepalive }, { clock })
  const ask = async (afterMs = 0): Promise<void> => {
    time += afterMs
    t.equal(statusOf(await exchange(proxy.port, get())), 200)
  }
  return { web, proxy, ask }
}

const saying =
  (...fields: string[]): Script =>
  (_request, socket) =>
    socket.write(answer('hello', '200 OK', fields.map((field) => `${field}\r\n`).join('')))

/** Waits until the worker has no connection to any server. */
async function untilEmpty({ proxy }: Kept): Promise<void> {
  while (proxy.engine.pool.size > 0) await setImmediate()
}

t.test('connections: 0 keeps none, and tells the server so', async (t) => {
  const kept = await start(t, { connections: 0 })
  for (let i = 0; i < 3; i++) await kept.ask()
  t.equal(kept.web.sockets.length, 3)
  t.match(kept.web.requests[0], /\r\nConnection: close\r\n/)
  const usual = await start(t, {})
  for (let i = 0; i < 3; i++) await usual.ask()
  t.equal(usual.web.sockets.length, 1)
  t.notMatch(usual.web.requests[0], /\r\nConnection:/)
})

t.test('connections: N is how many idle ones are kept to a server', async (t) => {
  const held: (() => void)[] = []
  const kept = await start(t, { connections: 2 }, (_request, socket) => {
    held.push(() => socket.write(answer('hello')))
  })
  const clients = Array.from({ length: 3 }, () => new RawClient(kept.proxy.port))
  for (const client of clients) client.send(get())
  while (held.length < 3) await setImmediate()
  t.equal(kept.proxy.engine.pool.size, 3)
  for (const respond of held) respond()
  await Promise.all(clients.map((client) => client.rest()))
  while (kept.proxy.engine.pool.size > 2) await setImmediate()
  t.equal(kept.web.sockets.length, 3)
})

t.test('requests: a connection carries so many', async (t) => {
  const kept = await start(t, { requests: 2 })
  for (let i = 0; i < 5; i++) await kept.ask()
  t.equal(kept.web.sockets.length, 3)
})

t.test('timeout: an idle connection is used before it, and closed after it', async (t) => {
  const kept = await start(t, { timeoutMs: 3000 })
  await kept.ask()
  await kept.ask(2999)
  t.equal(kept.web.sockets.length, 1)
  await kept.ask(3000)
  t.equal(kept.web.sockets.length, 2, 'at its end it is not used, swept or not')
  const none = await start(t, { timeoutMs: 0 })
  await none.ask()
  await untilEmpty(none)
})

t.test('lifetime: the request after it is the last of its connection', async (t) => {
  const kept = await start(t, { lifetimeMs: 10_000 })
  await kept.ask()
  await kept.ask(9999)
  await kept.ask(1)
  t.equal(kept.web.sockets.length, 1)
  await kept.ask()
  t.equal(kept.web.sockets.length, 2)
})

t.test('Keep-Alive of a server: given up a second before its timeout', async (t) => {
  const kept = await start(t, {}, saying('Keep-Alive: timeout=5'))
  await kept.ask()
  await kept.ask(3999)
  t.equal(kept.web.sockets.length, 1)
  await kept.ask(4000)
  t.equal(kept.web.sockets.length, 2)
})

t.test('Keep-Alive of a server: an offer longer than ours changes nothing', async (t) => {
  const kept = await start(t, { timeoutMs: 3000 }, saying('Keep-Alive: timeout=60'))
  await kept.ask()
  await kept.ask(3000)
  t.equal(kept.web.sockets.length, 2)
})

t.test('Keep-Alive of a server: max counts down or stands still, both hold', async (t) => {
  let left = 3
  const counting = await start(t, {}, (_request, socket) => {
    socket.write(answer('hello', '200 OK', `Keep-Alive: max=${(left = (left + 2) % 3)}\r\n`))
  })
  for (let i = 0; i < 6; i++) await counting.ask()
  t.equal(counting.web.sockets.length, 2, 'max=2, 1, 0 and again')
  const standing = await start(t, {}, saying('Keep-Alive: max=2'))
  for (let i = 0; i < 6; i++) await standing.ask()
  t.equal(standing.web.sockets.length, 2, 'two more after the first')
})

t.test('Keep-Alive of a server: lines are one list, and garbage is none', async (t) => {
  const lines = await start(t, {}, saying('Keep-Alive: max=9', 'Keep-Alive: timeout=1'))
  await lines.ask()
  await lines.ask(500)
  t.equal(lines.web.sockets.length, 2)
  const garbage = await start(t, {}, saying('Keep-Alive: timeout=1; max=1'))
  await garbage.ask()
  await garbage.ask(59_999)
  t.equal(garbage.web.sockets.length, 1)
})

t.test('a POST goes out on a fresh connection if the idle one is known to be dead', async (t) => {
  for (const end of ['end', 'resetAndDestroy'] as const) {
    const kept = await start(t, {})
    await kept.ask()
    kept.web.sockets[0]?.[end]()
    await untilEmpty(kept)
    t.equal(statusOf(await exchange(kept.proxy.port, post)), 200, end)
    t.same([kept.web.requests.length, kept.web.sockets.length], [2, 2])
  }
})

t.test(
  'a POST that was written to a stale connection is not written again, a PUT is',
  async (t) => {
    for (const [method, status, requests] of [
      ['POST', 502, 2],
      ['PATCH', 502, 2],
      ['LOCK', 502, 2],
      ['PUT', 200, 3],
      ['DELETE', 200, 3]
    ] as const) {
      const kept = await start(t, {}, (_request, socket, serial) => {
        if (serial === 2) socket.destroy()
        else socket.write(answer('hello'))
      })
      await kept.ask()
      t.equal(statusOf(await exchange(kept.proxy.port, post.replace('POST', method))), status)
      t.equal(kept.web.requests.length, requests, method)
    }
  }
)
