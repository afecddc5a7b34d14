import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { LogFile } from '../../src/proxy/log-file.js'
import { startProxy } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, scriptedUpstream } from './support/upstream.js'
import type { Socket } from 'node:net'

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

t.test('worker_connections: the oldest idle client makes room for a new one', async (t) => {
  const web = await scriptedUpstream((_request, socket) =>
    socket.write(answer('hello', '200 OK', 'Connection: close\r\n'))
  )
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], config: { workerConnections: 3 } })
  const clients: RawClient[] = []
  for (let i = 0; i < 4; i++) {
    const client = new RawClient(proxy.port)
    clients.push(client)
    client.send(REQUEST)
    await client.take(/hello/)
  }
  t.ok(clients[0] && (await clients[0].rest()) === '', 'the first was closed')
  t.ok(proxy.engine.counters.clientConnections <= 3)
  await Promise.all(clients.map((client) => client.close()))
})

t.test(
  'worker_connections: without idle clients the next one waits, and is served later',
  async (t) => {
    const held: Socket[] = []
    const web = await scriptedUpstream((_request, socket) => held.push(socket))
    t.teardown(() => web.close())
    const proxy = await startProxy(t, { servers: [web.port], config: { workerConnections: 3 } })
    const first = new RawClient(proxy.port)
    first.send(REQUEST)
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve))
    const second = new RawClient(proxy.port)
    second.send(REQUEST)
    while (proxy.engine.counters.accepted < 2) await new Promise((resolve) => setImmediate(resolve))
    t.equal(proxy.engine.counters.clientConnections, 1)
    held[0]?.write(answer('one'))
    await first.take(/one/)
    while (held.length < 2) await new Promise((resolve) => setImmediate(resolve))
    held[1]?.write(answer('two'))
    await second.take(/two/)
    await first.close()
    await second.close()
  }
)

t.test(
  'a client that sends empty lines without end is idle, and served when it asks',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const proxy = await startProxy(t, { servers: [web.port], logFormat: '$status $request_length' })
    const client = new RawClient(proxy.port)
    client.send('\r\n'.repeat(100_000) + REQUEST)
    await client.take(/hello/)
    await client.close()
    t.same(await proxy.accessLog(), ['200 27'])
  }
)

t.test('worker_connections: of a burst nobody is dropped before his request is read', async (t) => {
  const held: Socket[] = []
  const web = await scriptedUpstream((_request, socket) => held.push(socket))
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], config: { workerConnections: 10 } })
  const clients = Array.from({ length: 30 }, () => new RawClient(proxy.port))
  for (const client of clients) client.send(get())
  while (held.length < 5) await new Promise((resolve) => setImmediate(resolve))
  const answering = setInterval(() => {
    for (const socket of held.splice(0)) socket.write(answer('hello'))
  }, 5)
  const statuses = await Promise.all(clients.map(async (client) => statusOf(await client.rest())))
  clearInterval(answering)
  t.same(
    statuses,
    clients.map(() => 200)
  )
  await Promise.all(clients.map((client) => client.close()))
})

t.test('worker_connections: silent clients make room, and nobody asks in vain', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], config: { workerConnections: 10 } })
  const silent = Array.from({ length: 20 }, () => new RawClient(proxy.port))
  while (proxy.engine.counters.accepted < 20) await new Promise((resolve) => setImmediate(resolve))
  const asking = Array.from({ length: 10 }, () => new RawClient(proxy.port))
  for (const client of asking) client.send(get())
  const statuses = await Promise.all(asking.map(async (client) => statusOf(await client.rest())))
  t.same(
    statuses,
    asking.map(() => 200)
  )
  await Promise.all([...silent, ...asking].map((client) => client.close()))
})

t.test('nginx keepalive_requests: the last answer says close', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], server: { keepaliveRequests: 2 } })
  const client = new RawClient(proxy.port)
  client.send(REQUEST + REQUEST + REQUEST)
  t.match(await client.take(/hello/), /Connection: keep-alive/)
  t.match(await client.rest(), /Connection: close\r\n\r\nhello$/)
  t.equal(web.requests.length, 2)
})

t.test('shutdown: idle clients are closed, a running request finishes with close', async (t) => {
  const held: Socket[] = []
  const web = await scriptedUpstream((_request, socket) => held.push(socket))
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const idle = new RawClient(proxy.port)
  const busy = new RawClient(proxy.port)
  busy.send(REQUEST)
  while (held.length < 1) await new Promise((resolve) => setImmediate(resolve))
  const done = proxy.engine.shutdown(5000)
  t.equal(await idle.rest(), '')
  held[0]?.write(answer('late'))
  t.match(await busy.rest(), /\r\nConnection: close\r\n\r\nlate$/)
  await done
})

t.test('shutdown: after the grace what still runs is cut', async (t) => {
  const web = await scriptedUpstream(() => undefined)
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], logFormat: '$status' })
  const client = new RawClient(proxy.port)
  client.send(REQUEST)
  while (web.requests.length < 1) await new Promise((resolve) => setImmediate(resolve))
  await proxy.engine.shutdown(50)
  t.equal(await client.rest(), '')
  t.same(await proxy.accessLog(), ['499'])
})

t.test('upstream pool: what an idle connection says or does ends it', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  await exchange(proxy.port, get())
  const [first] = web.sockets
  const closed = new Promise((resolve) => first?.once('close', resolve))
  first?.write(answer('nobody asked'))
  await closed
  t.match(await exchange(proxy.port, get()), /hello$/)
  t.equal(web.sockets.length, 2)
  web.sockets[1]?.end()
  while (proxy.engine.counters.upstreamConnections > 0) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
})

t.test('log rotation: lines from before go to the old file, later ones to the new', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tsha-log-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true })
  })
  const path = join(directory, 'access.log')
  const log = new LogFile(path)
  log.append('before\n')
  renameSync(path, `${path}.1`)
  await log.reopen()
  log.append('after\n')
  await log.close()
  t.equal(readFileSync(`${path}.1`, 'utf8'), 'before\n')
  t.equal(readFileSync(path, 'utf8'), 'after\n')
})

t.test('a disk that does not keep up costs lines, not memory', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tsha-log-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true })
  })
  const path = join(directory, 'fifo')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const log = new LogFile(path)
  const line = `${'x'.repeat(1023)}\n`
  for (let i = 0; i < 6000; i++) log.append(line)
  t.ok(log.dropped > 1000 && log.dropped < 2000, 'about 4 MiB wait, the rest is dropped')
  let isDrained = false
  const drained = log.drain().then(() => (isDrained = true))
  let read = 0
  const buffer = Buffer.alloc(65_536)
  while (!(isDrained as boolean)) {
    try {
      read += readSync(reader, buffer)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await drained
  await log.close()
  t.ok(read / 1024 <= 6000 - log.dropped && read / 1024 > 4000)
  closeSync(reader)
})

t.test('a log that cannot be written costs lines, not memory or requests', async (t) => {
  const log = new LogFile('/dev/full')
  const line = `${'x'.repeat(1023)}\n`
  for (let i = 0; i < 5000; i++) log.append(line)
  await log.drain()
  t.ok(log.dropped > 700 && log.dropped < 1000, `4 MiB wait for room, ${log.dropped} are dropped`)
  await log.close()
  t.equal(log.dropped, 5000)
})
