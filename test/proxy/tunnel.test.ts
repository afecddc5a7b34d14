import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { startProxy, type ProxySetup, type ProxyUnderTest } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, refusingPort, scriptedUpstream } from './support/upstream.js'
import {
  asking,
  breakOff,
  heard,
  nothingLeft,
  openTunnel,
  readBytes,
  switching,
  tunnelServer,
  until,
  type OnUpgrade,
  type TunnelServer
} from './support/tunnel.js'
import { CLOSE, PING, PONG, TEXT, acceptKey, frame, parseFrame } from './support/websocket.js'

const LOG = '$status $bytes_sent $body_bytes_sent $upstream_status'

/** A proxy whose one route lets clients upgrade, and the server behind it. */
async function setUp(
  t: Test,
  onUpgrade?: OnUpgrade,
  setup: Partial<ProxySetup> = {}
): Promise<{ proxy: ProxyUnderTest; web: TunnelServer }> {
  const web = await tunnelServer(onUpgrade)
  t.teardown(() => web.close())
  const route = { tunnelTimeoutMs: 10_000, ...setup.route }
  // Twice, because failures of an only server are not counted.
  const servers = [web.port, web.port]
  const proxy = await startProxy(t, { servers, logFormat: LOG, ...setup, route })
  return { proxy, web }
}

t.test('a WebSocket conversation: handshake, messages, ping and close', async (t) => {
  const { proxy, web } = await setUp(t, (head, socket) => {
    const key = /\r\nSec-WebSocket-Key: (.*)\r\n/.exec(head)?.[1] ?? ''
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${acceptKey(key)}\r\nServer: secret\r\n\r\n`
    )
    socket.on('data', (bytes) => {
      const { opcode, payload, isMasked } = parseFrame(bytes)
      if (!isMasked) throw new Error('a frame of a client without a mask')
      if (opcode === CLOSE) socket.end(frame(CLOSE, payload))
      else socket.write(frame(opcode === PING ? PONG : opcode, payload))
    })
    socket.resume()
  })
  const client = new RawClient(proxy.port)
  client.send(
    asking('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n')
  )
  const head = await client.take(/\r\n\r\n/)
  t.match(
    head,
    /^HTTP\/1\.1 101 Switching Protocols\r\nServer: tsha\r\nDate: [^\r]+\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n$/
  )
  t.match(web.heads[0], /\r\nUpgrade: websocket\r\nConnection: upgrade\r\n/)
  t.match(web.heads[0], /\r\nSec-WebSocket-Version: 13\r\n/)
  t.match(web.heads[0], /\r\nX-Real-IP: 127\.0\.0\.1\r\n/, 'the fields of the route are set')
  const mask = Buffer.from([1, 2, 3, 4])
  for (const [sent, expected] of [
    [TEXT, TEXT],
    [PING, PONG]
  ] as const) {
    client.socket.write(frame(sent, Buffer.from('héllo'), mask))
    const reply = parseFrame(Buffer.from(await client.take(/llo$/), 'latin1'))
    t.equal(reply.opcode, expected)
    t.equal(reply.payload.toString(), 'héllo')
  }
  client.socket.write(frame(CLOSE, Buffer.from([0x03, 0xe8]), mask))
  t.equal(await client.rest(), '\x88\x02\x03\xe8')
  client.socket.end()
  await nothingLeft(proxy)
  t.same(proxy.events, [])
  const bytes = head.length + 8 + 8 + 4
  t.same(await proxy.accessLog(), [`101 ${bytes} 20 101`])
})

t.test('the log tells how long a tunnel was open, once it is over', async (t) => {
  const { proxy, web } = await setUp(t, undefined, {
    logFormat: '$request_time $upstream_response_time $status'
  })
  const { client, peer } = await openTunnel(proxy, web)
  const begun = performance.now()
  await until(() => performance.now() - begun > 150, 'time passed')
  t.equal(proxy.engine.counters.requests, 0, 'not while it lasts')
  client.socket.end()
  await heard(peer, 'end')
  peer.end()
  await nothingLeft(proxy)
  t.equal(proxy.engine.counters.responses[1], 1)
  const [line = ''] = await proxy.accessLog()
  const [request, upstream, status] = line.split(' ').map(Number)
  t.ok(request !== undefined && request >= 0.15 && request < 5, line)
  t.ok(upstream !== undefined && upstream >= 0.15 && upstream < 5, line)
  t.equal(status, 101)
})

t.test('bytes that come with a head on either side are the first of the tunnel', async (t) => {
  const { proxy, web } = await setUp(t, (_head, socket) => socket.write(`${switching()}early`))
  const client = new RawClient(proxy.port)
  client.send(`${asking()}pipelined`)
  await client.take(/\r\n\r\nearly$/)
  const [peer] = web.sockets
  if (peer === undefined) throw new Error('no connection')
  t.equal((await readBytes(peer, 9)).toString(), 'pipelined')
  client.send('more')
  t.equal((await readBytes(peer, 4)).toString(), 'more')
  peer.write('later')
  await client.take(/^later$/)
  await breakOff(client)
  await nothingLeft(proxy)
})

t.test('a head of 101 in pieces, after an interim response, is understood', async (t) => {
  const { proxy, web } = await setUp(t, (_head, socket) => {
    socket.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switch')
    setImmediate(() => socket.write('ing Protocols\r\nUpgrade: websocket\r\n\r\nearly'))
  })
  const client = new RawClient(proxy.port)
  client.send(asking())
  t.match(await client.take(/\r\n\r\nearly$/), /^HTTP\/1\.1 101 Switching Protocols\r\n/)
  client.send('x')
  t.equal((await readBytes(web.sockets[0] ?? client.socket, 1)).toString(), 'x')
  await breakOff(client)
  await nothingLeft(proxy)
})

t.test('the end of one direction is passed on, and the other one goes on', async (t) => {
  for (const first of ['client', 'peer'] as const) {
    const { proxy, web } = await setUp(t)
    const { client, peer } = await openTunnel(proxy, web)
    const [early, late] = first === 'client' ? [client.socket, peer] : [peer, client.socket]
    client.socket.removeAllListeners('data')
    early.end('last words')
    t.equal((await readBytes(late, 10)).toString(), 'last words')
    await heard(late, 'end')
    late.write('and an answer')
    t.equal((await readBytes(early, 13)).toString(), 'and an answer')
    t.equal(proxy.engine.counters.clientConnections, 1, 'the tunnel is open')
    late.end('bye')
    t.equal((await readBytes(early, 3)).toString(), 'bye')
    await heard(early, 'close')
    await nothingLeft(proxy)
    t.equal(client.ending, 'end', 'orderly')
    const body = first === 'client' ? 16 : 10
    t.match((await proxy.accessLog())[0], new RegExp(`^101 \\d+ ${body} 101$`))
    t.same(await proxy.errorLog(), [])
  }
})

t.test('both ends said, the last bytes still reach a server that reads late', async (t) => {
  const bytes = randomBytes(8 * 1024 * 1024)
  const { proxy, web } = await setUp(t)
  const { client, peer } = await openTunnel(proxy, web)
  peer.end()
  await client.rest()
  client.socket.end(bytes)
  t.ok((await readBytes(peer, bytes.length)).equals(bytes))
  await heard(peer, 'end')
  await nothingLeft(proxy)
  t.match(await proxy.accessLog(), [/^101 /])
})

t.test('tunnel timeout: a tunnel without a byte is closed on both sides', async (t) => {
  const { proxy, web } = await setUp(t, undefined, { route: { tunnelTimeoutMs: 150 } })
  const begun = performance.now()
  const { client, peer } = await openTunnel(proxy, web)
  await client.rest()
  t.ok(performance.now() - begun >= 150, 'never early')
  t.equal(client.ending, 'end', 'orderly')
  t.equal(proxy.engine.counters.requests, 1, 'logged, whether the client closes or not')
  await heard(peer, 'end')
  peer.end()
  client.socket.end()
  await nothingLeft(proxy)
  t.same(proxy.events, [], 'nobody is to blame')
  t.match(await proxy.errorLog(), [
    /\[error\].* upstream timed out \(110: Connection timed out\) while proxying upgraded connection/
  ])
  t.match(await proxy.accessLog(), [/^101 /])
})

t.test('tunnel timeout: bytes of either side alone keep it open', async (t) => {
  const { proxy, web } = await setUp(t, undefined, { route: { tunnelTimeoutMs: 600 } })
  for (const who of ['client', 'peer'] as const) {
    const { client, peer } = await openTunnel(proxy, web)
    const begun = performance.now()
    client.socket.removeAllListeners('data')
    const [from, to] = who === 'client' ? [client.socket, peer] : [peer, client.socket]
    while (performance.now() - begun < 1300) {
      from.write('x')
      t.equal((await readBytes(to, 1)).toString(), 'x')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    t.equal(client.ending, null)
    await breakOff(client)
  }
  await nothingLeft(proxy)
})

t.test('a server that breaks cuts the client, visibly, and is not counted', async (t) => {
  const { proxy, web } = await setUp(t)
  const { client, peer } = await openTunnel(proxy, web)
  peer.resetAndDestroy()
  await client.rest()
  t.equal(client.ending, 'reset')
  await nothingLeft(proxy)
  t.same(proxy.events, [])
  t.match(await proxy.errorLog(), [
    /\[error\].* recv\(\) failed \(104: Connection reset by peer\) while proxying upgraded connection/
  ])
  t.match(await proxy.accessLog(), [/^101 /])
})

t.test('a server that is gone after its end does not cut what the client gets', async (t) => {
  const { proxy, web } = await setUp(t)
  const { client, peer } = await openTunnel(proxy, web)
  client.socket.pause()
  peer.end('the last words')
  await heard(client.socket, 'end')
  peer.destroy()
  // The first write is answered with a reset, of which the next one hears.
  const isGone = (): boolean => proxy.engine.counters.upstreamConnections === 0
  await until(() => isGone() || !client.socket.write('nobody hears this'), 'end upstream')
  await until(isGone, 'end upstream')
  t.equal(client.received, 'the last words')
  t.equal(client.ending, 'end')
  client.socket.end()
  await nothingLeft(proxy)
})

t.test('a client that breaks closes the connection to the server', async (t) => {
  const { proxy, web } = await setUp(t)
  const { client, peer } = await openTunnel(proxy, web)
  client.socket.resetAndDestroy()
  await heard(peer, 'end')
  peer.end()
  await nothingLeft(proxy)
  t.same(proxy.events, [])
  t.match(await proxy.errorLog(), [
    /\[info\].* client prematurely closed connection while proxying upgraded connection/
  ])
  t.match(await proxy.accessLog(), [/^101 /])
})

t.test('shutdown: a tunnel goes on for the grace, then both sides are closed', async (t) => {
  const { proxy, web } = await setUp(t)
  const { client, peer } = await openTunnel(proxy, web)
  const begun = performance.now()
  const stopped = proxy.engine.shutdown(300)
  client.send('still here')
  t.equal((await readBytes(peer, 10)).toString(), 'still here')
  peer.write('and served')
  await client.take(/and served/)
  await stopped
  t.ok(performance.now() - begun >= 300)
  await client.rest()
  await heard(peer, 'end')
  peer.end()
  await nothingLeft(proxy)
  t.match(await proxy.accessLog(), [/^101 \d+ 10 101$/])
})

t.test('shutdown: without tunnels left it does not wait for the grace', async (t) => {
  const { proxy, web } = await setUp(t)
  const { client, peer } = await openTunnel(proxy, web)
  const begun = performance.now()
  const stopped = proxy.engine.shutdown(8000)
  client.socket.end()
  await heard(peer, 'end')
  peer.end()
  await stopped
  t.ok(performance.now() - begun < 4000)
})

t.test(
  'a connection that was a tunnel is never used again, and counts as a connection',
  async (t) => {
    const { proxy, web } = await setUp(t, (head, socket) => {
      if (!head.startsWith('GET /chat')) socket.end(answer('plain'))
      else socket.write(switching())
    })
    const { client, peer } = await openTunnel(proxy, web)
    t.equal(proxy.engine.counters.clientConnections, 1)
    t.equal(proxy.engine.counters.upstreamConnections, 1)
    client.socket.end()
    await heard(peer, 'end')
    peer.end(answer('smuggled'))
    t.match(await client.rest(), /smuggled/, 'still the tunnel')
    await nothingLeft(proxy)
    t.match(await exchange(proxy.port, 'GET / HTTP/1.0\r\n\r\n'), /plain$/)
    t.equal(web.sockets.length, 2)
  }
)

t.test('worker_connections: tunnels are not closed for the sake of others', async (t) => {
  const { proxy, web } = await setUp(t, undefined, { config: { workerConnections: 4 } })
  const tunnels = [await openTunnel(proxy, web), await openTunnel(proxy, web)]
  const third = new RawClient(proxy.port)
  third.send(asking())
  await until(() => proxy.engine.counters.accepted === 3, 'third client')
  t.equal(proxy.engine.counters.clientConnections, 2, 'it waits')
  for (const { client, peer } of tunnels) {
    client.socket.removeAllListeners('data')
    peer.write('alive')
    t.equal((await readBytes(client.socket, 5)).toString(), 'alive')
  }
  if (tunnels[0]) await breakOff(tunnels[0].client)
  await third.take(/^HTTP\/1\.1 101 /)
  await breakOff(third)
  if (tunnels[1]) await breakOff(tunnels[1].client)
  await nothingLeft(proxy)
})

t.test('a 101 that was not asked for so is 502 and counts against the server', async (t) => {
  const plain = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  const cases: [request: string, response: string, route: ProxySetup['route']][] = [
    [plain, switching(), {}],
    [asking(), switching(), { tunnelTimeoutMs: null }],
    [asking(), switching('h2c'), {}],
    [asking(), switching('websocket, h2c'), {}],
    [asking('', 'websocket, h2c'), switching('h2c'), {}],
    [asking(), 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n', {}],
    [asking('Content-Length: 1\r\n') + 'x', switching(), {}]
  ]
  for (const [request, response, route] of cases) {
    const { proxy } = await setUp(t, (_head, socket) => socket.write(response), {
      route: route ?? {}
    })
    const client = new RawClient(proxy.port)
    client.send(request)
    t.equal(statusOf(await client.take(/<\/html>\n/)), 502, response)
    t.same(
      proxy.events.map(({ event }) => event.kind),
      ['failed']
    )
    await client.close()
    await nothingLeft(proxy)
    t.match(await proxy.errorLog(), [/upstream sent unexpected status 101/])
  }
})

t.test('any other answer to such a request is an ordinary response', async (t) => {
  const web = await scriptedUpstream((request, socket) =>
    socket.write(request.includes('/chat') ? answer('no', '426 Upgrade Required') : answer('hello'))
  )
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { tunnelTimeoutMs: 1000 } })
  const client = new RawClient(proxy.port)
  client.send(`${asking()}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`)
  t.match(await client.take(/no/), /^HTTP\/1\.1 426 Upgrade Required\r\n[^]*Connection: keep-alive/)
  t.match(await client.take(/hello/), /^HTTP\/1\.1 200 OK\r\n/, 'what is behind it is a request')
  t.equal(web.sockets.length, 1, 'the connection to the server was kept')
  await client.close()
})

t.test('the next server is tried until there is a 101, and never after it', async (t) => {
  const broken = await scriptedUpstream((_request, socket) => socket.destroy())
  const sick = await scriptedUpstream((_request, socket) =>
    socket.write(answer('', '503 Service Unavailable'))
  )
  const good = await tunnelServer()
  t.teardown(() => Promise.all([broken.close(), sick.close(), good.close()]))
  const servers = [await refusingPort(), broken.port, sick.port, good.port]
  const route = { tunnelTimeoutMs: 1000 }
  const proxy = await startProxy(t, { servers, route, logFormat: '$status $upstream_status' })
  const { client, peer } = await openTunnel(proxy, good)
  peer.resetAndDestroy()
  await client.rest()
  t.equal(client.ending, 'reset')
  await nothingLeft(proxy)
  t.equal(broken.requests.length + sick.requests.length + good.heads.length, 3)
  t.same(await proxy.accessLog(), ['101 502, 502, 503, 101'])
})

t.test('a 101 is a good answer: it brings a disabled server back, at once', async (t) => {
  const web = await scriptedUpstream((request, socket, serial) => {
    if (serial === 1 || serial === 3) socket.destroy()
    else socket.write(request.includes('/chat') ? switching() : answer('hello'))
  })
  t.teardown(() => web.close())
  const servers = [
    { port: web.port, maxFails: 1 },
    { port: web.port, down: true }
  ]
  const proxy = await startProxy(t, { servers, route: { tunnelTimeoutMs: 10_000 } })
  const plain = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  t.equal(statusOf(await exchange(proxy.port, plain)), 502, 'now it is disabled')
  const client = new RawClient(proxy.port)
  client.send(asking())
  t.match(await client.take(/\r\n\r\n/), /^HTTP\/1\.1 101 /, 'tried as the last resort')
  t.equal(statusOf(await exchange(proxy.port, plain)), 502, 'disabled again')
  t.equal(
    statusOf(await exchange(proxy.port, plain)),
    200,
    'the last resort is free, tunnel or not'
  )
  t.same(
    proxy.events.map(({ event }) => event.kind),
    ['failed', 'succeeded', 'failed', 'succeeded']
  )
  await breakOff(client)
})

t.test('a pooled connection that was stale is replaced for an upgrade too', async (t) => {
  const web = await scriptedUpstream((request, socket, serial) => {
    if (serial === 2) socket.destroy()
    else socket.write(request.includes('/chat') ? switching() : answer('hello'))
  })
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { tunnelTimeoutMs: 1000 } })
  const client = new RawClient(proxy.port)
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.take(/hello/)
  client.send(asking())
  t.match(await client.take(/\r\n\r\n/), /^HTTP\/1\.1 101 /)
  t.equal(web.sockets.length, 2)
  await breakOff(client)
  await nothingLeft(proxy)
})

t.test(
  'smuggling: a request that may not be upgraded reaches the server as a plain one',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const on = await startProxy(t, { servers: [web.port], route: { tunnelTimeoutMs: 1000 } })
    const off = await startProxy(t, { servers: [web.port] })
    const upgrade = 'Connection: close, Upgrade, HTTP2-Settings\r\n'
    const settings = 'HTTP2-Settings: AAMAAABkAAQAAP__\r\n'
    const cases: [proxy: ProxyUnderTest, request: string][] = [
      [off, `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}Upgrade: websocket\r\n\r\n`],
      [on, `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}${settings}Upgrade: h2c\r\n\r\n`],
      [on, `GET / HTTP/1.1\r\nHost: a\r\n${settings}Connection: close\r\nUpgrade: h2c\r\n\r\n`],
      [on, `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}Upgrade: H2C, HTTP/2.0, TLS/1.0\r\n\r\n`],
      [
        on,
        `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}Upgrade: websocket\r\nContent-Length: 5\r\n\r\nabcde`
      ],
      [
        on,
        `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}Upgrade: websocket\r\n` +
          'Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n'
      ],
      [on, `PUT / HTTP/1.1\r\nHost: a\r\n${upgrade}Upgrade: websocket\r\n\r\n`],
      [on, `GET / HTTP/1.0\r\nHost: a\r\n${upgrade}Upgrade: websocket\r\n\r\n`],
      [on, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUpgrade: websocket\r\n\r\n'],
      [on, `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}Upgrade: web socket\r\n\r\n`]
    ]
    for (const [proxy, request] of cases) {
      t.match(await exchange(proxy.port, request), /^HTTP\/1\.1 200 OK\r\n[^]*hello$/, request)
      t.notMatch(web.requests.at(-1), /upgrade|http2-settings|h2c|\r\nconnection/i, request)
    }
    t.equal(web.requests.length, cases.length)
    const mixed = asking(settings, 'h2c, websocket').replace('Upgrade\r\n', 'Upgrade, close\r\n')
    t.match(await exchange(on.port, mixed), /^HTTP\/1\.1 200 OK/)
    t.match(web.requests.at(-1), /\r\nUpgrade: websocket\r\nConnection: upgrade\r\n/)
    t.notMatch(web.requests.at(-1), /h2c|http2-settings/i)
    const both = 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'
    t.equal(statusOf(await exchange(on.port, asking(both))), 400, 'contradicting framing as ever')
  }
)

t.test('a tunnel holds its place at the server until it is over', async (t) => {
  const web = await tunnelServer()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [{ port: web.port, maxConns: 1 }],
    route: { tunnelTimeoutMs: 10_000 }
  })
  const { client, peer } = await openTunnel(proxy, web)
  t.equal(statusOf(await exchange(proxy.port, get())), 502)
  peer.end()
  await client.close()
  await nothingLeft(proxy)
  const next = await openTunnel(proxy, web)
  next.peer.end()
  await next.client.close()
  await nothingLeft(proxy)
})
