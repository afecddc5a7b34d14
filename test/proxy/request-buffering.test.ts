import t, { type Test } from 'tap'
import { namelessFiles, until } from './body/support.js'
import { bodyOf, chunkedUpload, patternOf, sha256, upload } from './support/bodies.js'
import { startProxy, type ProxySetup, type ProxyUnderTest } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, refusingPort, scriptedUpstream, type Script } from './support/upstream.js'

const MIB = 1024 * 1024
const BODY = patternOf(5 * MIB)
const SUM = sha256(BODY)

/** A proxy in front of two scripted servers; bodies may have any size. */
async function pair(t: Test, first: Script, setup: Partial<ProxySetup> = {}) {
  const web1 = await scriptedUpstream(first)
  const web2 = await scriptedUpstream()
  t.teardown(() => Promise.all([web1.close(), web2.close()]))
  const route = { maxBodySize: 0, ...setup.route }
  const proxy = await startProxy(t, { servers: [web1.port, web2.port], ...setup, route })
  return { web1, web2, proxy }
}

/** Sends a request and gives the response, after which the connection may stay open. */
async function responseTo(proxy: ProxyUnderTest, request: Buffer): Promise<string> {
  const client = new RawClient(proxy.port)
  client.socket.write(request)
  const response = await client.take(/\r\n\r\n/)
  await client.close()
  return response
}

/** Temporary files that this process has open. */
const openFiles = (): string[] => namelessFiles('/tsha-proxy-')

t.test('a slow upload holds no upstream server, and then goes on with its length', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { setHeaders: [] } })
  const client = new RawClient(proxy.port)
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n')
  t.equal(statusOf(await exchange(proxy.port, get())), 200, 'others are served meanwhile')
  t.equal(web.sockets.length, 1)
  client.send('2\r\nde\r\n')
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
  t.equal(web.requests.length, 2, 'nothing of the upload was sent')
  client.send('0\r\nX-Trailer: 1\r\n\r\n')
  await client.take(/hello/)
  await client.close()
  t.equal(web.requests[2], 'PUT / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\nabcde')
})

t.test('an empty chunked body goes on as a length of 0', async (t) => {
  const { web1, proxy } = await pair(t, (_request, socket) => socket.write(answer('hello')))
  t.equal(statusOf(await responseTo(proxy, chunkedUpload('POST', Buffer.alloc(0)))), 200)
  t.match(web1.requests[0], /\r\nContent-Length: 0\r\n/)
})

t.test(
  'a PUT of 5 MiB whose server closes is sent again from the file, byte by byte',
  async (t) => {
    for (const request of [upload('PUT', BODY), chunkedUpload('PUT', BODY)]) {
      const { web1, web2, proxy } = await pair(t, (_request, socket) => socket.destroy())
      t.equal(statusOf(await responseTo(proxy, request)), 200)
      t.equal(sha256(bodyOf(web1.requests.pop())), SUM, 'the first server had it all')
      const second = web2.requests.pop()
      t.match(second, /\r\nContent-Length: 5242880\r\n/)
      t.equal(sha256(bodyOf(second)), SUM)
    }
    await until(() => openFiles().length === 0, 'the file is gone')
  }
)

t.test(
  'a POST of 5 MiB that was sent goes to no other server, unless non_idempotent',
  async (t) => {
    for (const [conditions, status, count] of [
      [['error'], 502, 0],
      [['error', 'non_idempotent'], 200, 1]
    ] as const) {
      const { web2, proxy } = await pair(t, (_request, socket) => socket.destroy(), {
        route: { nextUpstream: conditions, maxBodySize: 0 }
      })
      t.equal(statusOf(await responseTo(proxy, upload('POST', BODY))), status)
      t.equal(web2.requests.length, count)
      if (count > 0) t.equal(sha256(bodyOf(web2.requests[0])), SUM)
    }
  }
)

t.test(
  'a POST of 5 MiB whose server refuses the connection goes on to the next, whole',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const proxy = await startProxy(t, {
      servers: [await refusingPort(), web.port],
      route: { maxBodySize: 0 }
    })
    t.equal(statusOf(await responseTo(proxy, upload('POST', BODY))), 200)
    t.equal(sha256(bodyOf(web.requests[0])), SUM)
  }
)

t.test('a stale pooled connection: the whole file goes again, on a fresh one', async (t) => {
  const web = await scriptedUpstream((request, socket, serial) => {
    if (serial === 2) socket.destroy()
    else socket.write(answer(sha256(bodyOf(request))))
  })
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { maxBodySize: 0 } })
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
  const client = new RawClient(proxy.port)
  client.socket.write(upload('PUT', BODY))
  await client.take(new RegExp(SUM))
  await client.close()
  t.equal(web.sockets.length, 2)
})

t.test(
  '413: a chunked body that grows beyond the bound is refused and its file closed',
  async (t) => {
    const { web1, web2, proxy } = await pair(t, () => undefined, {
      route: { maxBodySize: 3 * MIB, bodyBufferSize: 16_384 }
    })
    const response = await responseTo(proxy, chunkedUpload('PUT', BODY))
    t.equal(statusOf(response), 413)
    t.match(response, /\r\nConnection: close\r\n/)
    t.equal(web1.sockets.length + web2.sockets.length, 0)
    await until(() => openFiles().length === 0, 'the file is gone')
  }
)

t.test(
  'Expect: 100-continue is answered before a server is chosen, and not for a body that is refused',
  async (t) => {
    const { web1, proxy } = await pair(t, (_request, socket) => socket.write(answer('hello')), {
      route: { maxBodySize: 10 }
    })
    const head = 'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n'
    const client = new RawClient(proxy.port)
    client.send(`${head}Content-Length: 3\r\n\r\n`)
    t.equal(await client.take(/\r\n\r\n/), 'HTTP/1.1 100 Continue\r\n\r\n')
    t.equal(web1.sockets.length, 0)
    client.send('abc')
    await client.take(/hello/)
    await client.close()
    const refused = await exchange(proxy.port, `${head}Content-Length: 11\r\n\r\n`)
    t.match(refused, /^HTTP\/1\.1 413 /, 'no 100 before it')
  }
)

t.test(
  '408: a body that stops coming, with its file, also while the proxy shuts down',
  async (t) => {
    const { web1, web2, proxy } = await pair(t, () => undefined, {
      route: { maxBodySize: 0, bodyBufferSize: 16_384 },
      server: { clientBodyTimeoutMs: 300 },
      logFormat: '$status $upstream_addr'
    })
    const clients = [new RawClient(proxy.port), new RawClient(proxy.port)] as const
    const part = upload('PUT', BODY).subarray(0, MIB)
    clients[0].socket.write(part)
    t.equal(statusOf(await clients[0].rest()), 408)
    clients[1].socket.write(part)
    await until(() => proxy.engine.bodyFiles.open === 1, 'the file')
    const startedAt = performance.now()
    const closed = proxy.accessLog()
    t.equal(statusOf(await clients[1].rest()), 408)
    for (const client of clients) await client.close()
    t.same(await closed, ['408 -', '408 -'])
    t.ok(performance.now() - startedAt < 1500, 'the grace of 2 s was not used up')
    t.equal(web1.sockets.length + web2.sockets.length, 0)
    await until(() => openFiles().length === 0, 'the files are gone')
  }
)

t.test(
  'a client that leaves in its upload, and one that the shutdown cuts, leave no file',
  async (t) => {
    const { web1, web2, proxy } = await pair(t, () => undefined)
    const leaving = new RawClient(proxy.port)
    leaving.socket.write(upload('PUT', BODY).subarray(0, 3 * MIB))
    await until(() => openFiles().length === 1, 'the file')
    await leaving.close()
    await until(() => openFiles().length === 0, 'its file is gone')
    t.equal(web1.sockets.length + web2.sockets.length, 0)
    const cut = new RawClient(proxy.port)
    cut.socket.write(upload('PUT', BODY).subarray(0, 3 * MIB))
    await until(() => openFiles().length === 1, 'the file')
    await proxy.engine.shutdown(50)
    t.equal(await cut.rest(), '')
    await cut.close()
    await until(() => openFiles().length === 0, 'its file is gone')
  }
)

t.test('a file is read only as fast as the upstream server takes it', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { maxBodySize: 0 } })
  const { budget } = proxy.engine.bodyFiles
  const large = patternOf(16 * MIB)
  const client = new RawClient(proxy.port)
  client.socket.write(upload('PUT', large))
  await until(() => web.sockets.length === 1, 'the connection')
  web.sockets[0]?.pause()
  let peak = 0
  for (let turn = 0; turn < 2000; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    peak = Math.max(peak, budget.passing)
  }
  t.equal(peak, 65_536)
  t.ok(budget.take(64 * MIB), 'nothing of the body is kept in memory')
  budget.give(64 * MIB)
  web.sockets[0]?.resume()
  await client.take(/hello/)
  await client.close()
  t.equal(sha256(bodyOf(web.requests[0])), sha256(large))
})

t.test(
  'off: an answer to the begin of an upload is passed on while it goes on, then both are done',
  async (t) => {
    const web = await scriptedUpstream((_request, socket) => socket.write('rly!'))
    t.teardown(() => web.close())
    const proxy = await startProxy(t, {
      servers: [web.port],
      route: { maxBodySize: 0, requestBuffering: false }
    })
    const client = new RawClient(proxy.port)
    const request = upload('PUT', BODY)
    client.socket.write(request.subarray(0, MIB))
    await until(() => web.sockets.length === 1, 'the connection')
    web.sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nea')
    await client.take(/Connection: close\r\n\r\nea$/)
    client.socket.write(request.subarray(MIB))
    await until(() => web.requests.length === 1, 'the whole body')
    t.equal(sha256(bodyOf(web.requests[0])), SUM, 'the rest of the body went on')
    t.equal(await client.rest(), 'rly!')
    await client.close()
  }
)
