import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { HEALTHY } from '../../src/proxy/upstream/peer-status.js'
import { startProxy } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, refusingPort, scriptedUpstream, type Script } from './support/upstream.js'

const LIMIT_MS = 10_000

/** Waits for what no event tells: a look each millisecond. */
const untilTrue = async (isTrue: () => boolean): Promise<void> => {
  const deadline = Date.now() + LIMIT_MS
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error('it never came true')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

const silent: Script = () => undefined
const ask = (port: number, path = '/'): RawClient => {
  const client = new RawClient(port)
  client.send(get(path))
  return client
}

t.test('max_conns and queue: the second request waits for the end of the first', async (t) => {
  const web = await scriptedUpstream(silent)
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [{ port: web.port, maxConns: 1 }],
    upstream: { queue: { requests: 10, timeoutMs: 5000 } },
    logFormat: '$status $request_uri'
  })
  const first = ask(proxy.port, '/1')
  await untilTrue(() => web.requests.length === 1)
  const second = ask(proxy.port, '/2')
  await untilTrue(() => proxy.engine.counters.queuedRequests === 1)
  const gone = ask(proxy.port, '/gone')
  await untilTrue(() => proxy.engine.counters.queuedRequests === 2)
  const last = ask(proxy.port, '/3')
  await untilTrue(() => proxy.engine.counters.queuedRequests === 3)
  await gone.close()
  await untilTrue(() => proxy.engine.counters.queuedRequests === 2)
  t.equal(web.requests.length, 1)
  for (const [i, client] of [first, second, last].entries()) {
    await untilTrue(() => web.requests.length === i + 1)
    web.sockets.at(-1)?.write(answer(`answer ${i + 1}`))
    t.match(await client.rest(), new RegExp(`answer ${i + 1}$`))
  }
  t.equal(web.sockets.length, 1, 'one connection did it all')
  t.same((await proxy.accessLog()).toSorted(), ['200 /1', '200 /2', '200 /3', '499 /gone'])
})

t.test('queue: 502 at the deadline, with a line in the error log', async (t) => {
  const web = await scriptedUpstream(silent)
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [{ port: web.port, maxConns: 1 }],
    upstream: { queue: { requests: 1, timeoutMs: 300 } },
    logFormat: '$status $upstream_status'
  })
  const first = ask(proxy.port)
  await untilTrue(() => web.requests.length === 1)
  const second = ask(proxy.port)
  await untilTrue(() => proxy.engine.counters.queuedRequests === 1)
  t.equal(statusOf(await exchange(proxy.port, get())), 502, 'the queue is full')
  const startedAt = Date.now()
  t.equal(statusOf(await second.rest()), 502)
  t.ok(Date.now() - startedAt < 3000)
  await first.close()
  t.same((await proxy.accessLog()).toSorted(), ['499 -', '502 502', '502 502'])
  const errors = await proxy.errorLog()
  const queued = /no upstream server was free within \d{3} ms while waiting in the queue, client: /
  t.ok(errors.some((line) => queued.test(line)))
  t.ok(errors.some((line) => line.includes('no live upstreams and the queue is full while')))
})

t.test('queue: the body of a request that waits is bounded, and arrives whole', async (t) => {
  const size = 20 * 1024 * 1024
  // Counts bytes and keeps none: the second connection is the upload.
  let connections = 0
  let received = 0
  const web = createServer((socket) => {
    const isUpload = ++connections === 2
    let hasHead = false
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      if (!isUpload) return
      const end = hasHead ? 0 : chunk.indexOf('\r\n\r\n') + 4
      hasHead = true
      received += chunk.length - end
      if (received === size) socket.write(answer('taken'))
    })
  }).listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.teardown(() => web.close())
  const { port } = web.address() as AddressInfo
  const proxy = await startProxy(t, {
    servers: [{ port, maxConns: 1 }],
    upstream: { queue: { requests: 1, timeoutMs: 20_000 } },
    route: { maxBodySize: 0, requestBuffering: false }
  })
  const first = ask(proxy.port)
  await untilTrue(() => connections === 1)
  const second = new RawClient(proxy.port)
  second.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`)
  await untilTrue(() => proxy.engine.counters.queuedRequests === 1)
  let sent = 0
  const piece = Buffer.alloc(64 * 1024, 'x')
  const send = (): void => {
    while (sent < size) {
      sent += piece.length
      if (!second.socket.write(piece)) return
    }
  }
  second.socket.on('drain', send)
  send()
  // What the proxy does not read stays with the client, but for what the kernel takes.
  let looked = 0
  let looks = 0
  await untilTrue(() => {
    looks = sent === looked ? looks + 1 : 0
    looked = sent
    return looks === 100
  })
  t.ok(sent < 15 * 1024 * 1024, `the client got rid of ${sent} of ${size} bytes`)
  await first.close()
  t.match(await second.rest(), /taken$/)
  t.equal(received, size)
})

t.test('queue: a graceful shutdown lets those that wait finish, within its time', async (t) => {
  const web = await scriptedUpstream(silent)
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [{ port: web.port, maxConns: 1 }],
    upstream: { queue: { requests: 10, timeoutMs: 60_000 } }
  })
  const clients = [ask(proxy.port, '/1')]
  await untilTrue(() => web.requests.length === 1)
  clients.push(ask(proxy.port, '/2'), ask(proxy.port, '/3'))
  await untilTrue(() => proxy.engine.counters.queuedRequests === 2)
  const startedAt = Date.now()
  const stopped = proxy.engine.shutdown(500)
  web.sockets[0]?.write(answer('first'))
  t.match(await clients[0]?.rest(), /first$/)
  await untilTrue(() => web.requests.length === 2)
  web.sockets.at(-1)?.write(answer('second'))
  const served = await Promise.all(clients.slice(1).map((client) => client.rest()))
  t.equal(served.filter((text) => text.endsWith('second')).length, 1)
  await stopped
  t.ok(Date.now() - startedAt < 3000, 'the last one was cut')
})

t.test('queue: while all servers restart nobody gets a 502', async (t) => {
  const ports = [await refusingPort(), await refusingPort()]
  const proxy = await startProxy(t, {
    servers: ports,
    upstream: { queue: { requests: 100, timeoutMs: 20_000 } },
    logFormat: '$status'
  })
  const clients = Array.from({ length: 20 }, () => ask(proxy.port))
  const { counters } = proxy.engine
  await untilTrue(() => proxy.engine.counters.queuedRequests === 20)
  await untilTrue(() => proxy.events.length === 4)
  await untilTrue(() => proxy.engine.counters.queuedRequests === 20)
  t.equal(counters.requests, 0, 'none was answered')
  const back = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer('back')))
  }).listen(ports[1], '127.0.0.1')
  await once(back, 'listening')
  t.teardown(() => back.close())
  // As the director tells it when its probe has passed.
  proxy.engine.applyPeerStatus(1, HEALTHY)
  for (const client of clients) t.match(await client.rest(), /^HTTP\/1\.1 200 [^]*back$/)
  t.same(new Set(await proxy.accessLog()), new Set(['200']))
})

t.test('a server that dies takes no request with it, however many it had', async (t) => {
  for (const [how, readTimeoutMs] of [
    ['its connections break', 10_000],
    ['it answers nobody any more', 500]
  ] as const) {
    const web1 = await scriptedUpstream(silent)
    const web2 = await scriptedUpstream((_request, socket) => socket.write(answer('web2')))
    t.teardown(() => web2.close())
    const proxy = await startProxy(t, {
      servers: [web1.port, web2.port],
      route: { readTimeoutMs }
    })
    const clients = Array.from({ length: 200 }, () => ask(proxy.port))
    await untilTrue(() => web1.requests.length === 100 && web2.requests.length >= 100)
    if (readTimeoutMs > 500) await web1.close()
    const statuses = await Promise.all(clients.map(async (client) => statusOf(await client.rest())))
    t.same(new Set(statuses), new Set([200]), how)
    t.equal(web2.requests.length, 200, 'at one time, far beyond the budget')
    if (readTimeoutMs === 500) await web1.close()
  }
})

t.test('a storm of 503: no more than a fifth of the requests is tried twice', async (t) => {
  // All first attempts are answered together, 1 s after the last of them has come.
  const first: Socket[] = []
  const busy: Script = (_request, socket) => {
    const isFirst = first.length < 500 && first.push(socket) <= 500
    if (isFirst && first.length < 500) return
    setTimeout(() => {
      for (const each of isFirst ? first : [socket]) each.write(answer('busy', '503 Busy'))
    }, 1000)
  }
  const webs = await Promise.all([1, 2, 3].map(() => scriptedUpstream(busy)))
  t.teardown(() => Promise.all(webs.map((web) => web.close())))
  const proxy = await startProxy(t, {
    servers: webs.map(({ port }) => ({ port, maxFails: 0 })),
    route: { nextUpstream: ['error', 'timeout', 'http_503'] },
    config: { workerConnections: 4096 }
  })
  const clients = Array.from({ length: 500 }, () => ask(proxy.port))
  const statuses = await Promise.all(clients.map(async (client) => statusOf(await client.rest())))
  t.same(new Set(statuses), new Set([503]))
  const attempts = webs.reduce((sum, web) => sum + web.requests.length, 0)
  t.comment(`${attempts} attempts for 500 requests`)
  t.ok(attempts > 500, 'some are tried again')
  t.ok(attempts <= 1.2 * 500 + 3, `${attempts} attempts`)
  const told = (await proxy.errorLog()).filter((line) => line.includes('retry budget is exhausted'))
  t.equal(told.length, 1, 'one line for all of them')
  t.match(told[0], /\[error\] \d+#\d+: \*\d+ retry budget is exhausted, 100 of \d+ requests /)
})

t.test('least_conn sends new requests past a server that is slow', async (t) => {
  const slow = await scriptedUpstream(silent)
  const fast = await scriptedUpstream((_request, socket) => socket.write(answer('fast')))
  t.teardown(() => Promise.all([slow.close(), fast.close()]))
  const proxy = await startProxy(t, {
    servers: [slow.port, fast.port],
    upstream: { balance: { method: 'least_conn' } }
  })
  const stuck = ask(proxy.port)
  await untilTrue(() => slow.requests.length === 1)
  for (let i = 0; i < 10; i++) t.match(await exchange(proxy.port, get()), /fast$/)
  t.equal(slow.requests.length, 1)
  await stuck.close()
})

t.test('an unknown variable in the key of a hash is no proxy', async (t) => {
  const upstream = { balance: { method: 'hash', key: '$nonsense', consistent: false } } as const
  await t.rejects(startProxy(t, { servers: [1, 2], upstream }), { code: 'TSHA_E_WORKER' })
})
