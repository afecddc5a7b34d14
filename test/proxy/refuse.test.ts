import t from 'tap'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { startProxy } from './support/proxy.js'
import { scriptedUpstream } from './support/upstream.js'

t.test('a refused request closes, and what is pipelined behind it is never executed', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], logFormat: '"$request" $status' })
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
  const cases: [text: string, status: number][] = [
    [
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400
    ],
    ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nabcde\r\n0\r\n\r\n', 400],
    ['PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n', 501],
    ['GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
    ['CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 405],
    ['CONNECT a:443 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n', 405],
    ['TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 405],
    ['GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['GET /../x HTTP/1.1\r\nHost: a\r\n\r\n', 400]
  ]
  for (const [text, status] of cases) {
    const response = await exchange(proxy.port, text + smuggled)
    t.equal(statusOf(response), status, JSON.stringify(text))
    t.match(response, /\r\nConnection: close\r\n/)
    t.equal(response.match(/HTTP\/1\.1 \d/g)?.length, 1, 'one answer and no other')
    const allowed = /\r\nAllow: (.*)\r\n/.exec(response)?.[1]
    const methods = 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS'
    t.equal(allowed, status === 405 ? methods : undefined)
  }
  t.equal(web.requests.filter((request) => request.includes('smuggled')).length, 0)
  t.equal(statusOf(await exchange(proxy.port, get())), 200, 'the next client is served')
  t.equal((await proxy.accessLog())[1], '"GET / HTTP/1.1" 400')
})

t.test(
  '408: a head or a body that stops coming; an idle connection is closed without a word',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const proxy = await startProxy(t, {
      servers: [web.port],
      server: { clientHeaderTimeoutMs: 150, clientBodyTimeoutMs: 150, keepaliveTimeoutMs: 150 }
    })
    t.equal(statusOf(await exchange(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n')), 408)
    t.equal(
      statusOf(
        await exchange(proxy.port, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab')
      ),
      408
    )
    t.equal(await exchange(proxy.port, ''), '')
    const client = new RawClient(proxy.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    t.match(await client.rest(), /hello$/)
  }
)

t.test('404 without a route; the connection stays', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { path: '/app/' } })
  const client = new RawClient(proxy.port)
  client.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n')
  t.match(
    await client.take(/<\/html>\n/),
    /^HTTP\/1\.1 404 Not Found\r\n[^]*Connection: keep-alive/
  )
  client.send('GET /x/..//app/%61 HTTP/1.1\r\nHost: a\r\n\r\n')
  t.match(await client.take(/hello/), /200 OK/)
  t.match(web.requests[0], /^GET \/x\/\.\.\/\/app\/%61 HTTP/, 'the target is passed as it came')
  await client.close()
})

t.test('nginx 499: a client that leaves closes the attempt, which does not count', async (t) => {
  const web = await scriptedUpstream(() => undefined)
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port, web.port],
    logFormat: '$status $upstream_status'
  })
  const client = new RawClient(proxy.port)
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  while (web.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const [socket] = web.sockets
  const closed = new Promise((resolve) => socket?.once('close', resolve))
  await client.close()
  await closed
  t.same(proxy.events, [])
  t.same(await proxy.accessLog(), ['499 -'])
})
