import t from 'tap'
import { startProxy } from './support/proxy.js'
import { RawClient } from './support/raw-client.js'
import {
  heldBytes,
  nothingLeft,
  tunnelServer,
  until,
  writeUntilStandstill
} from './support/tunnel.js'

/** Server-sent events stand for every response that comes bit by bit. */
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
const INTERVAL_MS = 100
const EVENTS = 10

const GET_11 = 'GET /events HTTP/1.1\r\nHost: a\r\n\r\n'
const GET_10 = 'GET /events HTTP/1.0\r\n\r\n'

/** An event as a chunk, or as it is. */
function event(serial: number, isChunked: boolean): string {
  const text = `data: event ${serial}.\n\n`
  return isChunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text
}

for (const [name, request, isChunked] of [
  ['chunked', GET_11, true],
  ['delimited by the end of the connection', GET_11, false],
  ['chunked, to an HTTP/1.0 client', GET_10, true],
  ['delimited by its end, to an HTTP/1.0 client', GET_10, false]
] as const) {
  t.test(`each event is with the client at once: ${name}`, async (t) => {
    const sentAt: number[] = []
    const web = await tunnelServer((_head, socket) => {
      socket.write(`${HEAD}${isChunked ? 'Transfer-Encoding: chunked\r\n' : ''}\r\n`)
      const timer = setInterval(() => {
        sentAt.push(performance.now())
        socket.write(event(sentAt.length, isChunked))
        if (sentAt.length < EVENTS) return
        clearInterval(timer)
        if (isChunked) socket.write('0\r\n\r\n')
        else socket.end()
      }, INTERVAL_MS)
      socket.on('close', () => {
        clearInterval(timer)
      })
    })
    t.teardown(() => web.close())
    // Shorter than the whole response: it holds between two events.
    const route = { readTimeoutMs: 6 * INTERVAL_MS }
    const proxy = await startProxy(t, { servers: [web.port], route })
    const client = new RawClient(proxy.port)
    client.send(request)
    await client.take(/\r\n\r\n/)
    t.equal(sentAt.length, 0, 'the head does not wait for the first event')
    const delays: number[] = []
    for (let serial = 1; serial <= EVENTS; serial++) {
      await client.take(new RegExp(`data: event ${serial}\\.\\n\\n`))
      delays.push(performance.now() - (sentAt[serial - 1] ?? 0))
    }
    delays.sort((a, b) => a - b)
    t.ok((delays[EVENTS / 2] ?? Infinity) < 5, `median of ${delays.join(' ')}`)
    // One that waited for another would be so late; a busy machine alone makes none so late.
    t.ok((delays.at(-1) ?? Infinity) < INTERVAL_MS, `most of ${delays.join(' ')}`)
    const rest = request === GET_11 ? client.take(/0\r\n\r\n$/) : client.rest()
    t.match(await rest, request === GET_11 ? /^\r\n0\r\n\r\n$/ : /^$/)
    await client.close()
    await until(() => proxy.engine.counters.clientConnections === 0, 'end of the client')
  })
}

t.test('the read timeout holds between two events, and shows that the stream broke', async (t) => {
  const web = await tunnelServer((_head, socket) => {
    socket.write(`${HEAD}\r\n${event(1, false)}`)
  })
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { readTimeoutMs: 200 } })
  for (const request of [GET_11, GET_10]) {
    const client = new RawClient(proxy.port)
    client.send(request)
    await client.take(/event 1\./)
    const begun = performance.now()
    t.notMatch(await client.rest(), /\r\n0\r\n\r\n/, 'no last chunk')
    t.ok(performance.now() - begun >= 150)
    if (request === GET_10) t.equal(client.ending, 'reset')
    await client.close()
  }
  await nothingLeft(proxy)
  t.match((await proxy.errorLog())[0], /upstream timed out .* while reading upstream/)
})

t.test('a client that leaves ends the stream at the server', async (t) => {
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const web = await tunnelServer((_head, socket) => {
      socket.write(`${HEAD}\r\n${event(1, false)}`)
    })
    t.teardown(() => web.close())
    const proxy = await startProxy(t, { servers: [web.port, web.port], logFormat: '$status' })
    const client = new RawClient(proxy.port)
    client.send(GET_11)
    await client.take(/event 1\./)
    const [socket] = web.sockets
    const isOver = new Promise((resolve) => socket?.once('end', resolve))
    socket?.resume()
    client.socket[leave]()
    await isOver
    await nothingLeft(proxy)
    t.same(proxy.events, [], 'the server is not to blame')
    t.same(await proxy.accessLog(), ['200'])
  }
})

t.test('a client that does not read stops the server, and costs little memory', async (t) => {
  const web = await tunnelServer((_head, socket) => {
    socket.write(`${HEAD}\r\n`)
  })
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const client = new RawClient(proxy.port)
  client.send(GET_11)
  await client.take(/\r\n\r\n/)
  client.socket.pause()
  const [socket] = web.sockets
  if (socket === undefined) throw new Error('no connection')
  t.ok((await writeUntilStandstill(socket, Buffer.alloc(64 * 1024, 'x'), 1024)) < 1024)
  const held = heldBytes()
  t.ok(held < 2 * 1024 * 1024, `${held} bytes`)
  client.socket.resetAndDestroy()
  await nothingLeft(proxy)
})
