import t from 'tap'
import { ConnectionLimit, clientOf } from '../../src/proxy/connection-limit.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { startProxy, type ProxyUnderTest } from './support/proxy.js'
import { scriptedUpstream } from './support/upstream.js'

t.test('a client has so many connections and no more, whatever others have', (t) => {
  const limit = new ConnectionLimit(2)
  t.same(
    [limit.take('a'), limit.take('a'), limit.take('a'), limit.take('b')],
    [true, true, false, true]
  )
  limit.release('a')
  t.same([limit.take('a'), limit.take('a')], [true, false])
  limit.release('a')
  limit.release('a')
  limit.release('b')
  t.equal(limit.size, 0, 'nothing is kept of a client without connections')
  t.end()
})

t.test('a client beyond its limit is told of once a minute, with the number of the others', (t) => {
  const limit = new ConnectionLimit(2)
  t.equal(limit.refusalLine('a', 0), 'limiting connections: a has 2 already')
  t.equal(limit.refusalLine('a', 1), null)
  t.equal(limit.refusalLine('b', 1), 'limiting connections: b has 2 already')
  t.equal(limit.refusalLine('a', 59_999), null)
  t.equal(limit.refusalLine('a', 60_000), 'limiting connections: a has 2 already, 2 more before')
  t.equal(limit.refusalLine('a', 60_001), null)
  for (let i = 0; i < 5000; i++) limit.refusalLine(`c${i}`, 60_002)
  t.type(limit.refusalLine('a', 60_003), 'string', 'of many clients the oldest is forgotten')
  t.end()
})

t.test('an IPv6 client is its /64 network, an IPv4 client its address', (t) => {
  const table: [address: string, client: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['::1:2:3:4:5:192.0.2.1', '0:1:2:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64']
  ]
  for (const [address, client] of table) t.equal(clientOf(address), client, address)
  t.end()
})

/** Waits until the engine has seen so many connections. */
async function accepted(proxy: ProxyUnderTest, count: number): Promise<void> {
  while (proxy.engine.counters.accepted < count)
    await new Promise((resolve) => setImmediate(resolve))
}

t.test('200 slow connections of one client; the other one is served as always', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port],
    server: { maxConnectionsPerClient: 10 },
    config: { workerConnections: 60 }
  })
  const slow = Array.from({ length: 200 }, () => new RawClient(proxy.port, '127.0.0.2'))
  t.teardown(() => Promise.all(slow.map((client) => client.close())))
  for (const client of slow) client.send('GET / HTTP/1.1\r\nHo')
  const good: string[] = []
  for (let i = 0; i < 20; i++) {
    const client = new RawClient(proxy.port, '127.0.0.3')
    client.send(get())
    good.push(await client.rest())
    await client.close()
  }
  t.same(
    good.map(statusOf),
    good.map(() => 200)
  )
  await accepted(proxy, 220)
  t.equal(proxy.engine.counters.clientConnections, 10, 'only ten are held')
  t.equal(proxy.engine.counters.refused, 190)
  const lines = (await proxy.errorLog()).filter((line) => line.includes('limiting connections'))
  t.equal(lines.length, 1)
  t.match(lines[0], /\[error\] .*limiting connections: 127\.0\.0\.2 has 10 already/)
})

t.test(
  'a connection beyond the limit is answered 503, and one that closes makes room',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const proxy = await startProxy(t, {
      servers: [web.port],
      server: { maxConnectionsPerClient: 2 }
    })
    const first = new RawClient(proxy.port, '127.0.0.2')
    const second = new RawClient(proxy.port, '127.0.0.2')
    await accepted(proxy, 2)
    for (let i = 0; i < 20; i++) {
      const third = new RawClient(proxy.port, '127.0.0.2')
      third.send(get())
      const response = await third.rest()
      t.equal(statusOf(response), 503)
      t.match(response, /\r\nDate: [^\r]+ GMT\r\n[^]*\r\nConnection: close\r\n\r\n<!DOCTYPE html>/)
      await third.close()
    }
    await first.close()
    while (proxy.engine.counters.clientConnections > 1) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    const third = new RawClient(proxy.port, '127.0.0.2')
    third.send(get())
    t.equal(statusOf(await third.rest()), 200)
    t.equal(web.requests.length, 1, 'what was refused is not executed')
    await Promise.all([second, third].map((client) => client.close()))
  }
)

t.test('the director itself is not counted: its own check passes however many ask', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], server: { maxConnectionsPerClient: 1 } })
  const local = Array.from({ length: 5 }, () => new RawClient(proxy.port))
  t.teardown(() => Promise.all(local.map((client) => client.close())))
  await accepted(proxy, 5)
  t.equal(statusOf(await exchange(proxy.port, get('/', 'X-Tsha-Check: the-token\r\n'))), 204)
  t.equal(proxy.engine.counters.refused, 0)
})

t.test('a head that comes byte by byte has client_header_timeout as a whole', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port],
    server: { clientHeaderTimeoutMs: 300 }
  })
  const client = new RawClient(proxy.port)
  const begun = performance.now()
  const drip = setInterval(() => {
    if (!client.socket.destroyed) client.send('a')
  }, 20)
  client.send('GET / HTTP/1.1\r\nHost: ')
  const response = await client.rest()
  clearInterval(drip)
  t.equal(statusOf(response), 408)
  t.ok(performance.now() - begun < 2000, 'every byte is no new time')
  await client.close()
})
