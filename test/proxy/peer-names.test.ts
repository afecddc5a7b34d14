import t from 'tap'
import { PeerAddresses } from '../../src/proxy/upstream/peer-addresses.js'
import { PAIR_ROUTE, proxyConfig, startProxy } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, refusingPort, scriptedUpstream } from './support/upstream.js'

const NAME = 'web1.example.org'
const [SERVER] =
  proxyConfig({ servers: [{ host: NAME, port: 80 }] }, '/nowhere').upstreams[0]?.servers ?? []
if (SERVER === undefined) throw new Error('no server')

t.test('addresses are taken in turn; one that took no connection is passed over', (t) => {
  const addresses = new PeerAddresses(SERVER)
  t.equal(addresses.isKnown, false)
  t.throws(() => addresses.next(0), RangeError)
  addresses.replace(['192.0.2.1', '192.0.2.2', '2001:db8::1'])
  const turns = [1, 2, 3, 4].map(() => addresses.next(0).address)
  t.same(turns, ['192.0.2.1:80', '192.0.2.2:80', '[2001:db8::1]:80', '192.0.2.1:80'])
  const second = addresses.next(0)
  t.equal(second.address, '192.0.2.2:80')
  t.equal(addresses.avoid(second, 100, 0), true)
  const around = [1, 2, 3].map(() => addresses.next(99).host)
  t.same(around, ['2001:db8::1', '192.0.2.1', '2001:db8::1'])
  t.equal(addresses.next(100).host, '192.0.2.1')
  t.equal(addresses.next(100).host, '192.0.2.2', 'until then')
  addresses.replace(['192.0.2.2', '192.0.2.3'])
  t.equal(addresses.has(second), true, 'what stays is the same')
  t.end()
})

t.test('when all took no connection the peer is to blame, and they go on in turn', (t) => {
  const addresses = new PeerAddresses(SERVER)
  addresses.replace(['192.0.2.1', '192.0.2.2'])
  t.equal(addresses.avoid(addresses.next(0), 100, 0), true)
  t.equal(addresses.avoid(addresses.next(0), 100, 0), false)
  t.same([addresses.next(1).host, addresses.next(1).host].sort(), ['192.0.2.1', '192.0.2.2'])
  const single = new PeerAddresses({ ...SERVER, host: '192.0.2.1' })
  t.equal(single.avoid(single.next(0), 100, 0), false)
  t.equal(single.next(1).address, '192.0.2.1:80')
  t.end()
})

t.test('a server whose name was never resolved gets no request; then it does', async (t) => {
  const [web, other] = [await scriptedUpstream(), await scriptedUpstream()]
  t.teardown(() => Promise.all([web.close(), other.close()]))
  const servers = [{ host: NAME, port: web.port }, other.port]
  const proxy = await startProxy(t, { servers, logFormat: '$upstream_addr' })
  for (let i = 0; i < 4; i++) t.equal(statusOf(await exchange(proxy.port, get())), 200)
  t.equal(web.requests.length, 0)
  proxy.engine.applyName({ host: NAME, addresses: ['127.0.0.1'] })
  for (let i = 0; i < 4; i++) t.equal(statusOf(await exchange(proxy.port, get())), 200)
  t.equal(web.requests.length, 2)
  t.same(proxy.events, [], 'and nothing counts against it')
  const log = await proxy.accessLog()
  t.same(new Set(log), new Set([`127.0.0.1:${other.port}`, `127.0.0.1:${web.port}`]))
})

t.test('a group whose only name was never resolved answers 502 and tries nothing', async (t) => {
  const setup = { servers: [{ host: NAME, port: 80 }], logFormat: '$status $upstream_addr' }
  const proxy = await startProxy(t, setup)
  t.equal(statusOf(await exchange(proxy.port, get())), 502)
  t.same(await proxy.accessLog(), ['502 web'])
  t.match((await proxy.errorLog())[0], /no live upstreams while connecting to upstream/)
})

t.test('connections to an address that is gone are closed: idle at once, busy after', async (t) => {
  let finish: () => void = () => undefined
  const web = await scriptedUpstream((request, socket) => {
    if (request.startsWith('GET /slow')) finish = () => socket.write(answer('slow'))
    else socket.write(answer('hello'))
  })
  t.teardown(() => web.close())
  const names = [{ host: NAME, addresses: ['127.0.0.1'] }]
  const proxy = await startProxy(t, { servers: [{ host: NAME, port: web.port }] }, { names })
  const client = new RawClient(proxy.port)
  client.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  while (web.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
  t.equal(proxy.engine.counters.upstreamConnections, 2)
  const [busy, idle] = web.sockets
  const isClosed = (index: number): boolean => web.sockets[index]?.closed === true
  proxy.engine.applyName({ host: NAME, addresses: ['127.0.0.2'] })
  while (!isClosed(1)) await new Promise((resolve) => setImmediate(resolve))
  t.equal(idle?.closed, true)
  t.equal(busy?.closed, false, 'the request that runs is not cut')
  finish()
  t.match(await client.take(/slow$/), /^HTTP\/1\.1 200 /)
  while (!isClosed(0)) await new Promise((resolve) => setImmediate(resolve))
  await client.close()
  t.equal(proxy.engine.counters.upstreamConnections, 0)
})

t.test('one dead address of a name costs no request and does not count', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  // Nothing listens on 127.0.0.9 with this port.
  const names = [{ host: NAME, addresses: ['127.0.0.9', '127.0.0.1'] }]
  const setup = { servers: [{ host: NAME, port: web.port }], logFormat: '$status $upstream_addr' }
  const proxy = await startProxy(t, setup, { names })
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
  for (const socket of web.sockets) socket.destroy()
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
  t.same(proxy.events, [])
  t.same(await proxy.accessLog(), [
    `200 127.0.0.9:${web.port}, 127.0.0.1:${web.port}`,
    `200 127.0.0.1:${web.port}`
  ])
})

t.test('when every address refuses, the server has failed, once for each request', async (t) => {
  const port = await refusingPort()
  const names = [{ host: NAME, addresses: ['127.0.0.2', '127.0.0.1'] }]
  const other = await scriptedUpstream()
  t.teardown(() => other.close())
  const servers = [{ host: NAME, port }, other.port]
  const proxy = await startProxy(t, { servers }, { names })
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
  t.same(
    proxy.events.map(({ index, event }) => [index, event.kind]),
    [[0, 'failed']]
  )
})

t.test('with next_upstream off, or one try, no second address is tried either', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const names = [{ host: NAME, addresses: ['127.0.0.9', '127.0.0.1'] }]
  for (const change of [{ nextUpstream: [] }, { nextUpstreamTries: 1 }]) {
    const route = { ...PAIR_ROUTE, ...change }
    const setup = { servers: [{ host: NAME, port: web.port }], route }
    const proxy = await startProxy(t, setup, { names })
    t.equal(statusOf(await exchange(proxy.port, get())), 502)
  }
})
