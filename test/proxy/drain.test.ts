import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { drainSilenceMs } from '../../src/proxy/drain.js'
import { startProxy } from './support/proxy.js'
import { RawClient } from './support/raw-client.js'
import { answer, scriptedUpstream, type ScriptedUpstream } from './support/upstream.js'

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** A server that answers when the test says so. */
async function heldUpstream(): Promise<{ web: ScriptedUpstream; held: Socket[] }> {
  const held: Socket[] = []
  const web = await scriptedUpstream((_request, socket) => held.push(socket))
  return { web, held }
}

t.test('a client may be silent for a fifth of the grace, 5 s at most', (t) => {
  t.equal(drainSilenceMs(0), 0)
  t.equal(drainSilenceMs(10_000), 2000)
  t.equal(drainSilenceMs(60_000), 5000)
  t.end()
})

t.test('a request on a kept connection of a draining worker is answered, with close', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const clients = Array.from({ length: 3 }, () => new RawClient(proxy.port))
  for (const client of clients) {
    client.send(REQUEST)
    t.match(await client.take(/hello/), /Connection: keep-alive/)
  }
  const done = proxy.engine.shutdown(5000)
  for (const client of clients) {
    client.send(REQUEST)
    t.match(await client.rest(), /^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n\r\nhello$/)
    t.equal(client.ending, 'end')
  }
  await done
  t.equal(web.sockets.length, 1, 'the connection to the server is of use to the end')
})

t.test('an idle client is closed when it was silent long enough, and not before', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  let time = 1_000_000
  const clock = { now: () => time, wall: () => Date.now() }
  const proxy = await startProxy(t, { servers: [web.port] }, { clock })
  const [quiet, asking] = [new RawClient(proxy.port), new RawClient(proxy.port)]
  for (const client of [quiet, asking]) {
    client.send(REQUEST)
    await client.take(/hello/)
    time += 1
  }
  time += 998
  const done = proxy.engine.shutdown(5000)
  t.equal(await quiet.rest(), '')
  t.equal(asking.ending, null)
  asking.send(REQUEST)
  t.match(await asking.rest(), /hello$/)
  await done
})

t.test('before the address moves: new clients are served, each response closes', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const before = new RawClient(proxy.port)
  before.send(REQUEST)
  await before.take(/hello/)
  proxy.engine.closeKept(true)
  for (const client of [new RawClient(proxy.port), new RawClient(proxy.port), before]) {
    client.send(REQUEST)
    t.match(await client.rest(), /\r\nConnection: close\r\n\r\nhello$/)
    await client.close()
  }
  const later = new RawClient(proxy.port)
  later.send(REQUEST)
  t.match(await later.rest(), /hello$/)
  await later.close()
})

t.test('a client that was told keep-alive before the drain may go on', async (t) => {
  const { web, held } = await heldUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const client = new RawClient(proxy.port)
  client.send(REQUEST)
  while (held.length < 1) await setImmediate()
  held[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel')
  t.match(await client.take(/hel/), /Connection: keep-alive/)
  const done = proxy.engine.shutdown(5000)
  client.send(REQUEST)
  held[0]?.write('lo')
  await client.take(/lo/)
  while (held.length < 2) await setImmediate()
  held[1]?.write(answer('again'))
  t.match(await client.rest(), /Connection: close\r\n\r\nagain$/)
  await done
})

t.test('clients that wait for room are served while the worker drains', async (t) => {
  const { web, held } = await heldUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], config: { workerConnections: 2 } })
  const [first, second] = [new RawClient(proxy.port), new RawClient(proxy.port)]
  first.send(REQUEST)
  while (held.length < 1) await setImmediate()
  second.send(REQUEST)
  while (proxy.engine.counters.accepted < 2) await setImmediate()
  const done = proxy.engine.shutdown(5000)
  held[0]?.write(answer('one'))
  t.match(await first.rest(), /one$/)
  while (held.length < 2) await setImmediate()
  held[1]?.write(answer('two'))
  t.match(await second.rest(), /two$/)
  await done
})

t.test('a second request to stop may only shorten the grace', async (t) => {
  const { web, held } = await heldUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const client = new RawClient(proxy.port)
  client.send(REQUEST)
  while (held.length < 1) await setImmediate()
  const done = proxy.engine.shutdown(60_000)
  await Promise.all([done, proxy.engine.shutdown(50), proxy.engine.shutdown(60_000)])
  t.equal(await client.rest(), '')
})

t.test(
  'a request that has come is served, even if its timeout passed before it was read',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const proxy = await startProxy(t, { servers: [web.port], server: { keepaliveTimeoutMs: 200 } })
    const client = new RawClient(proxy.port)
    client.send(REQUEST)
    await client.take(/hello/)
    client.send(REQUEST)
    // The loop stands still: the bytes are in the kernel, and the sweep is overdue.
    const until = Date.now() + 400
    while (Date.now() < until);
    t.match(await client.take(/hello/), /^HTTP\/1\.1 200 /)
  }
)
