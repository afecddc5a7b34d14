import { once } from 'node:events'
import t from 'tap'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { startProxy } from './support/proxy.js'
import { answer, scriptedUpstream } from './support/upstream.js'

t.test('RFC 9112 §7.1: a chunked request that is not buffered goes on chunked', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port],
    route: { setHeaders: [], requestBuffering: false }
  })
  const client = new RawClient(proxy.port)
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n')
  client.send('2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n')
  await client.take(/hello/)
  await client.close()
  const [head = '', body = ''] = web.requests[0]?.split(/(?<=\r\n\r\n)/, 2) ?? []
  t.equal(head, 'PUT / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n')
  t.equal(body.replace(/[0-9a-f]+\r\n([^]*?)\r\n/g, '$1'), 'abcde')
})

t.test(
  'RFC 9112 §7.1: chunked and close-delimited answers, for HTTP/1.1 and HTTP/1.0',
  async (t) => {
    const web = await scriptedUpstream((request, socket) => {
      if (request.includes('/chunked')) {
        socket.write(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nA: b\r\n\r\n'
        )
      } else {
        socket.end('HTTP/1.0 200 OK\r\n\r\nabc')
      }
    })
    t.teardown(() => web.close())
    const proxy = await startProxy(t, { servers: [web.port] })
    t.match(
      await exchange(proxy.port, get('/chunked')),
      /\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n$/
    )
    t.match(await exchange(proxy.port, get('/close')), /\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/)
    for (const path of ['/chunked', '/close']) {
      const old = await exchange(proxy.port, `GET ${path} HTTP/1.0\r\n\r\n`)
      t.match(old, /\r\nConnection: close\r\n\r\nabc$/)
      t.notMatch(old, /Transfer-Encoding/)
    }
  }
)

t.test('RFC 9110 §10.1.1: 100 Continue is answered by the proxy and does not travel', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const client = new RawClient(proxy.port)
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
  t.equal(await client.take(/\r\n\r\n/), 'HTTP/1.1 100 Continue\r\n\r\n')
  client.send('abc')
  await client.take(/hello/)
  t.notMatch(web.requests[0], /Expect/)
  await client.close()
})

t.test('RFC 9110 §15.2: interim responses of the upstream are absorbed', async (t) => {
  const web = await scriptedUpstream((_request, socket) => {
    socket.write(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 2'
    )
    setImmediate(() => socket.write('00 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  t.match(await exchange(proxy.port, get()), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/)
})

t.test(
  'nginx client_max_body_size: 413 before reading, and while a chunked body grows',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const proxy = await startProxy(t, { servers: [web.port], route: { maxBodySize: 10 } })
    const head = 'PUT / HTTP/1.1\r\nHost: a\r\n'
    for (const [fields, status] of [
      ['Content-Length: 10\r\nConnection: close\r\n\r\n0123456789', 200],
      ['Content-Length: 11\r\nExpect: 100-continue\r\n\r\n', 413],
      ['Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n', 413]
    ] as const) {
      const client = new RawClient(proxy.port)
      client.send(head + fields)
      t.equal(statusOf(await client.rest()), status)
      await client.close()
    }
    t.equal(web.requests.length, 1)
  }
)

t.test('a body over 1 MiB goes through whole, and its memory is given back', async (t) => {
  const size = 8 * 1024 * 1024
  const web = await scriptedUpstream((request, socket) =>
    socket.write(answer(String(request.length - request.indexOf('\r\n\r\n') - 4)))
  )
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { maxBodySize: 0 } })
  const client = new RawClient(proxy.port)
  client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`)
  await client.take(new RegExp(`\r\n\r\n${size}$`))
  await client.close()
  t.ok(proxy.engine.bodyFiles.budget.take(64 * 1024 * 1024), 'nothing is charged any more')
})

t.test('buffering off: an upstream server that does not read makes the client wait', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port],
    route: { maxBodySize: 0, requestBuffering: false }
  })
  const client = new RawClient(proxy.port)
  const total = 64 * 1024 * 1024
  client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`)
  client.socket.write(Buffer.alloc(total))
  while (web.sockets.length === 0) await new Promise((resolve) => setImmediate(resolve))
  web.sockets[0]?.pause()
  let sent = -1
  // The kernel's buffers fill; after that nothing moves for many turns of the loop.
  for (let still = 0; still < 2000; still++) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = client.socket.bytesWritten - client.socket.writableLength
    if (now !== sent) still = 0
    sent = now
  }
  t.ok(client.socket.writableLength > 0, 'the client still holds what nobody takes')
  t.ok(process.memoryUsage().arrayBuffers < 64 * 1024 * 1024 + 48 * 1024 * 1024)
  await client.close()
})

t.test('backpressure: a slow client stops the upstream server, then gets everything', async (t) => {
  const size = 32 * 1024 * 1024
  const web = await scriptedUpstream((_request, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
    socket.write(Buffer.alloc(size, 'x'))
  })
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const client = new RawClient(proxy.port)
  client.socket.pause()
  client.send(get())
  while (web.sockets.length === 0) await new Promise((resolve) => setImmediate(resolve))
  for (let turn = 0; turn < 2000; turn++) await new Promise((resolve) => setImmediate(resolve))
  t.ok((web.sockets[0]?.writableLength ?? 0) > 0, 'the upstream server still holds the rest')
  let received = 0
  client.socket.removeAllListeners('data')
  client.socket.on('data', (chunk) => (received += chunk.length))
  client.socket.resume()
  await once(client.socket, 'end')
  t.ok(received > size && received < size + 500)
  await client.close()
})

t.test(
  'buffering off: an answer before the request body is complete is passed on, then the connection closes',
  async (t) => {
    const web = await scriptedUpstream()
    web.sockets.length = 0
    const early = await scriptedUpstream()
    t.teardown(() => Promise.all([web.close(), early.close()]))
    const proxy = await startProxy(t, { servers: [early.port], route: { requestBuffering: false } })
    const client = new RawClient(proxy.port)
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc')
    while (early.sockets.length === 0) await new Promise((resolve) => setImmediate(resolve))
    early.sockets[0]?.write(answer('too much', '403 Forbidden'))
    const response = await client.rest()
    t.match(response, /^HTTP\/1\.1 403 Forbidden\r\n[^]*\r\nConnection: close\r\n\r\ntoo much$/)
    await client.close()
  }
)
