import t from 'tap'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { startProxy } from './support/proxy.js'
import { answer, scriptedUpstream } from './support/upstream.js'

t.test('the example pair: answers alternate web1, web2, web1, web2', async (t) => {
  const web1 = await scriptedUpstream((_request, socket) => socket.write(answer('web1')))
  const web2 = await scriptedUpstream((_request, socket) => socket.write(answer('web2')))
  t.teardown(() => Promise.all([web1.close(), web2.close()]))
  const proxy = await startProxy(t, { servers: [web1.port, web2.port] })
  const bodies: string[] = []
  for (let i = 0; i < 4; i++) {
    bodies.push((await exchange(proxy.port, get())).slice(-4))
  }
  t.same(bodies, ['web1', 'web2', 'web1', 'web2'])
})

t.test('the example pair: the request that arrives, to the byte', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  await exchange(
    proxy.port,
    'GET /a%20b/../c?x=1&y=%2F HTTP/1.1\r\nHost: Ex.com:8080\r\nX-Real-IP: 6.6.6.6\r\n' +
      'x_real_ip: 6.6.6.6\r\nX.Real.IP: 6.6.6.6\r\nX!Real!IP: 6.6.6.6\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n' +
      'Accept: */*\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nX-Secret: 1\r\n' +
      'X-Tsha-Check: wrong\r\nConnection: close, X-Secret\r\nProxy-Connection: x\r\n\r\n'
  )
  t.same(web.requests, [
    'GET /a%20b/../c?x=1&y=%2F HTTP/1.1\r\nHost: ex.com\r\nX-Real-IP: 127.0.0.1\r\n' +
      'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1\r\nX-Forwarded-Proto: http\r\n' +
      'Accept: */*\r\n\r\n'
  ])
})

t.test('nginx: without a Host of its own the upstream is told its name', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port],
    route: { setHeaders: [['Accept', '']] }
  })
  await exchange(proxy.port, get('/', 'Accept: text/html\r\n'))
  t.same(web.requests, ['GET / HTTP/1.1\r\nHost: web\r\n\r\n'])
})

t.test('RFC 9112 §3.2.2: the host of an absolute-form replaces Host', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port],
    route: { setHeaders: [['Host', '$host']] }
  })
  await exchange(
    proxy.port,
    'GET http://A.example:81/p HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n'
  )
  t.same(web.requests, ['GET /p HTTP/1.1\r\nHost: a.example\r\n\r\n'])
})

t.test(
  'nginx: response fields that stay here, and Location rewritten to this server',
  async (t) => {
    const web = await scriptedUpstream((_request, socket) =>
      socket.write(
        answer(
          'moved',
          '302 Found',
          'Date: x\r\nServer: Apache\r\nX-Pad: 1\r\nX-Accel-Expires: 1\r\nX-Powered-By: PHP\r\n' +
            'Connection: X-Hop\r\nX-Hop: 1\r\nLocation: http://web/new?a=1\r\n'
        )
      )
    )
    t.teardown(() => web.close())
    const proxy = await startProxy(t, { servers: [web.port] })
    const response = await exchange(proxy.port, get())
    t.equal(
      response.replace(/Date: [^\r]* GMT/, 'Date: D'),
      'HTTP/1.1 302 Found\r\nServer: tsha\r\nDate: D\r\nX-Powered-By: PHP\r\n' +
        `Location: http://example.org:${proxy.port}/new?a=1\r\n` +
        'Content-Length: 5\r\nConnection: close\r\n\r\nmoved'
    )
  }
)

t.test('RFC 9112 §9.3: one client connection and one upstream connection serve many', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const client = new RawClient(proxy.port)
  for (let i = 0; i < 3; i++) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    t.match(await client.take(/hello/), /\r\nConnection: keep-alive\r\n/)
  }
  await client.close()
  t.equal(web.sockets.length, 1)
})

t.test('RFC 9112 §9.3.2: pipelined requests are answered one after the other', async (t) => {
  const web = await scriptedUpstream((request, socket) =>
    socket.write(answer(/^\S+ (\S+)/.exec(request)?.[1] ?? ''))
  )
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const response = await exchange(
    proxy.port,
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n' +
      'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab' +
      'GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  )
  t.same(response.match(/\r\n\r\n\/\d/g), ['\r\n\r\n/1', '\r\n\r\n/2', '\r\n\r\n/3'])
  t.ok(web.requests[1]?.endsWith('\r\nContent-Length: 2\r\n\r\nab'))
})

t.test('RFC 9112 §9.3: HTTP/1.0 closes unless keep-alive is asked for', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  t.match(await exchange(proxy.port, 'GET / HTTP/1.0\r\n\r\n'), /Connection: close\r\n\r\nhello$/)
  const client = new RawClient(proxy.port)
  client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  t.match(await client.take(/hello/), /\r\nConnection: keep-alive\r\n/)
  await client.close()
})

t.test('RFC 9110 §15.4.5, §9.3.2: 304, 204 and HEAD carry no body', async (t) => {
  const web = await scriptedUpstream((request, socket) => {
    if (request.startsWith('HEAD')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n')
    else if (request.includes('/204')) socket.write('HTTP/1.1 204 No Content\r\n\r\n')
    else socket.write('HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n')
  })
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const head = await exchange(proxy.port, get('/').replace('GET', 'HEAD'))
  t.match(head, /\r\nContent-Length: 99\r\nConnection: close\r\n\r\n$/)
  for (const path of ['/204', '/304']) {
    const response = await exchange(proxy.port, get(path))
    t.equal(statusOf(response), Number(path.slice(1)))
    t.notMatch(response, /Content-Length|Transfer-Encoding/)
    t.match(response, /\r\n\r\n$/)
  }
  t.equal(web.sockets.length, 1, 'the connection is reused after each of them')
})

t.test(
  'service check: the token is answered 204 here, is not logged and never travels',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const proxy = await startProxy(t, { servers: [web.port], logFormat: '$request $status' })
    const check = await exchange(proxy.port, get('/nowhere', 'X-Tsha-Check: the-token\r\n'))
    t.equal(statusOf(check), 204)
    t.equal(web.requests.length, 0)
    await exchange(proxy.port, get('/other', 'X-Tsha-Check: the-tokem\r\n'))
    t.notMatch(web.requests[0], /tsha/i)
    t.same(await proxy.accessLog(), ['GET /other HTTP/1.1 200'])
  }
)
