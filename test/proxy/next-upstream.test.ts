import t from 'tap'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { HEALTHY } from '../../src/proxy/upstream/peer-status.js'
import { startProxy } from './support/proxy.js'
import { answer, refusingPort, scriptedUpstream, type Script } from './support/upstream.js'

const post = (body: string): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`

const fail500: Script = (_request, socket) => socket.write(answer('bad', '500 Broken'))
const cut: Script = (_request, socket) => socket.destroy()
const silent: Script = () => undefined

t.test('web1 stopped: every request is answered by web2', async (t) => {
  const web2 = await scriptedUpstream()
  t.teardown(() => web2.close())
  const proxy = await startProxy(t, {
    servers: [await refusingPort(), web2.port],
    logFormat: '$status $upstream_status'
  })
  for (let i = 0; i < 6; i++) t.equal(statusOf(await exchange(proxy.port, post('x'))), 200)
  t.same(
    proxy.events.map(({ index, event }) => `${index} ${event.kind}`),
    ['0 failed', '0 failed'],
    'max_fails=2: after two failures it is left alone'
  )
  const log = await proxy.accessLog()
  t.same(log.slice(0, 4), ['200 502, 200', '200 200', '200 502, 200', '200 200'])
  const errors = await proxy.errorLog()
  t.match(
    errors[0],
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[error\] \d+#\d+: \*1 connect\(\) failed \(111: Connection refused\) while connecting to upstream, client: 127\.0\.0\.1, server: _, request: "POST \/ HTTP\/1\.1", upstream: "http:\/\/127\.0\.0\.1:\d+\/", host: "a"$/
  )
})

t.test('nginx http_500: goes on, and the last real 5xx is passed as it is', async (t) => {
  const web1 = await scriptedUpstream(fail500)
  const web2 = await scriptedUpstream(fail500)
  t.teardown(() => Promise.all([web1.close(), web2.close()]))
  const proxy = await startProxy(t, { servers: [web1.port, web2.port] })
  const response = await exchange(proxy.port, get())
  t.match(response, /^HTTP\/1\.1 500 Broken\r\n[^]*bad$/)
  t.same([web1.requests.length, web2.requests.length], [1, 1])
  t.same(
    proxy.events.map(({ index }) => index),
    [0],
    'only the attempt that was repeated counts'
  )
})

t.test('nginx: a POST that was answered 500 or cut is not sent twice', async (t) => {
  for (const [script, status] of [
    [fail500, 500],
    [cut, 502]
  ] as const) {
    const web1 = await scriptedUpstream(script)
    const web2 = await scriptedUpstream()
    t.teardown(() => Promise.all([web1.close(), web2.close()]))
    const proxy = await startProxy(t, { servers: [web1.port, web2.port] })
    t.equal(statusOf(await exchange(proxy.port, post('x'))), status)
    t.equal(web2.requests.length, 0)
  }
})

t.test('nginx: a PUT whose server cuts is replayed to the next, body and all', async (t) => {
  const web1 = await scriptedUpstream(cut)
  const web2 = await scriptedUpstream()
  t.teardown(() => Promise.all([web1.close(), web2.close()]))
  const proxy = await startProxy(t, { servers: [web1.port, web2.port] })
  t.equal(statusOf(await exchange(proxy.port, post('the body').replace('POST', 'PUT'))), 200)
  t.match(web2.requests[0], /\r\n\r\nthe body$/)
})

t.test('nginx invalid_header is not in the example pair: 502, counted, not repeated', async (t) => {
  const bad = [
    'SSH-2.0-OpenSSH_9.2\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n'
  ]
  for (const text of bad) {
    const web1 = await scriptedUpstream((_request, socket) => socket.write(text))
    const web2 = await scriptedUpstream()
    t.teardown(() => Promise.all([web1.close(), web2.close()]))
    const proxy = await startProxy(t, { servers: [web1.port, web2.port] })
    t.equal(statusOf(await exchange(proxy.port, get())), 502, JSON.stringify(text))
    t.equal(web2.requests.length, 0)
    t.same(
      proxy.events.map(({ event }) => event.kind),
      ['failed']
    )
  }
})

t.test('nginx proxy_read_timeout: the next server answers; with none left 504', async (t) => {
  const web1 = await scriptedUpstream(silent)
  const web2 = await scriptedUpstream()
  t.teardown(() => Promise.all([web1.close(), web2.close()]))
  const route = { readTimeoutMs: 150 }
  const proxy = await startProxy(t, { servers: [web1.port, web2.port], route })
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
  const alone = await startProxy(t, { servers: [web1.port], route })
  const begun = Date.now()
  t.equal(statusOf(await exchange(alone.port, get())), 504)
  t.ok(Date.now() - begun >= 150, 'never early')
  t.match(
    (await alone.errorLog())[0],
    /upstream timed out \(110: Connection timed out\) while reading response header from upstream/
  )
})

t.test('nginx proxy_connect_timeout: an address that never answers', async (t) => {
  // TEST-NET-1 (RFC 5737); where there is no route to it the kind is error instead of timeout.
  const web2 = await scriptedUpstream()
  t.teardown(() => web2.close())
  const proxy = await startProxy(t, {
    servers: [{ host: '192.0.2.1', port: 81 }, web2.port],
    route: { connectTimeoutMs: 150 }
  })
  t.equal(statusOf(await exchange(proxy.port, post('x'))), 200, 'a POST that was not sent goes on')
})

t.test(
  'recovery: request, nginx fail_timeout: then one request is the probe, and its success clears',
  async (t) => {
    let isBroken = true
    const web1 = await scriptedUpstream((_request, socket) => {
      if (isBroken) socket.destroy()
      else socket.write(answer('web1'))
    })
    const web2 = await scriptedUpstream((_request, socket) => socket.write(answer('web2')))
    t.teardown(() => Promise.all([web1.close(), web2.close()]))
    let time = 1_000_000
    const proxy = await startProxy(
      t,
      {
        servers: [
          { port: web1.port, maxFails: 1, recovery: 'request' },
          { port: web2.port, maxFails: 1, recovery: 'request' }
        ]
      },
      { clock: { now: () => time, wall: () => Date.now() } }
    )
    const body = async (): Promise<string> => (await exchange(proxy.port, get())).slice(-4)
    t.equal(await body(), 'web2')
    isBroken = false
    time += 3000
    t.same([await body(), await body()], ['web2', 'web2'], 'still within fail_timeout')
    time += 1
    const bodies = [await body(), await body(), await body()]
    t.ok(bodies.includes('web1'))
    t.same(
      proxy.events.map(({ event }) => event),
      [
        { kind: 'failed', at: 1_000_000, cause: 'answer' },
        { kind: 'probed', at: 1_003_001 },
        { kind: 'succeeded', at: 1_003_001, startedAt: 1_003_001 }
      ]
    )
  }
)

t.test('nginx: the only server of a group is never disabled and tried once', async (t) => {
  const web1 = await scriptedUpstream(cut)
  t.teardown(() => web1.close())
  const proxy = await startProxy(t, { servers: [{ port: web1.port, maxFails: 1 }] })
  for (let i = 1; i <= 3; i++) {
    t.equal(statusOf(await exchange(proxy.port, get())), 502)
    t.equal(web1.requests.length, i)
  }
})

t.test(
  'a status of the director disables a peer that this worker has no quarrel with',
  async (t) => {
    const web1 = await scriptedUpstream()
    const web2 = await scriptedUpstream()
    t.teardown(() => Promise.all([web1.close(), web2.close()]))
    const proxy = await startProxy(t, { servers: [web1.port, web2.port] })
    const now = proxy.engine.now()
    proxy.engine.applyPeerStatus(0, { ...HEALTHY, fails: 2, accessedAt: now, checkedAt: now })
    for (let i = 0; i < 4; i++) await exchange(proxy.port, get())
    t.same([web1.requests.length, web2.requests.length], [0, 4])
  }
)

t.test(
  'stale pooled connection: tried again on a fresh one, uncounted, but never a POST',
  async (t) => {
    const web = await scriptedUpstream((_request, socket, serial) => {
      // The second request on the first connection finds it broken, as after an idle timeout.
      if (serial === 2 || serial === 5) socket.destroy()
      else socket.write(answer('hello'))
    })
    const other = await scriptedUpstream()
    t.teardown(() => Promise.all([web.close(), other.close()]))
    const proxy = await startProxy(t, { servers: [web.port, { port: other.port, down: true }] })
    t.equal(statusOf(await exchange(proxy.port, get())), 200)
    t.equal(statusOf(await exchange(proxy.port, get())), 200)
    t.same([web.requests.length, web.sockets.length, proxy.events.length], [3, 2, 0])
    t.equal(statusOf(await exchange(proxy.port, get())), 200)
    t.equal(statusOf(await exchange(proxy.port, post('x'))), 502)
    t.equal(web.requests.length, 5)
  }
)

t.test(
  'a head that was accepted is the point of no return; the client sees the cut, and it counts',
  async (t) => {
    const heads = [
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhal\r\n'
    ]
    for (const head of heads) {
      const web1 = await scriptedUpstream((_request, socket) => socket.end(head))
      const web2 = await scriptedUpstream()
      t.teardown(() => Promise.all([web1.close(), web2.close()]))
      const proxy = await startProxy(t, { servers: [web1.port, web2.port] })
      const client = new RawClient(proxy.port)
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      const response = await client.rest()
      t.match(response, /hal(\r\n)?$/)
      t.notMatch(response, /\r\n0\r\n\r\n$/)
      t.same([web2.requests.length, proxy.events.length], [0, 1])
      t.match(proxy.events[0], { index: 0, event: { kind: 'failed', cause: 'answer' } })
      await client.close()
    }
  }
)

t.test('RFC 9112 §8: an HTTP/1.0 client learns of a cut by a reset', async (t) => {
  const web = await scriptedUpstream((_request, socket) =>
    socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhal\r\n')
  )
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const client = new RawClient(proxy.port)
  client.send('GET / HTTP/1.0\r\n\r\n')
  await client.rest()
  t.equal(client.ending, 'reset')
})

t.test('RFC 9112 §8: what a reset ends is never passed on as a whole response', async (t) => {
  const web = await scriptedUpstream((_request, socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\nhal')
    socket.resetAndDestroy()
  })
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const response = await exchange(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  t.match(response, /hal\r\n$/)
  t.notMatch(response, /\r\n0\r\n\r\n$/)
  const [line] = await proxy.errorLog()
  t.match(line, /recv\(\) failed \(104: Connection reset by peer\) while reading upstream/)
})
