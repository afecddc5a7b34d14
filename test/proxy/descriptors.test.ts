import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DescriptorWatch, connectionRoom, openFileLimit } from '../../src/proxy/descriptors.js'
import { isInstalled } from '../netns/lab/requirements.js'
import { proxyConfig } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, refusingPort, scriptedUpstream } from './support/upstream.js'
import { WorkerUnderTest } from './support/workers.js'

const directory = mkdtempSync(join(tmpdir(), 'tsha-descriptors-'))
t.teardown(() => {
  rmSync(directory, { recursive: true })
})
const skip = !isInstalled('prlimit') && 'needs prlimit'
const KEPT = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** Sets the soft limit of open files of a process. */
function limit(pid: number, openFiles: number | 'hard'): void {
  const hard = /^Max open files +\d+ +(\d+)/m.exec(
    readFileSync(`/proc/${pid}/limits`, 'latin1')
  )?.[1]
  const soft = openFiles === 'hard' ? hard : openFiles
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:${hard}`])
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** With this limit not one more can be opened. */
function lowestFree(pid: number): number {
  const taken = new Set(readdirSync(`/proc/${pid}/fd`))
  let lowest = 0
  while (taken.has(String(lowest))) lowest++
  return lowest
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

t.test('room for connections: worker_connections, or what the limit of open files leaves', (t) => {
  t.same(connectionRoom(1024, Infinity), { connections: 1024, waiting: 511 })
  t.same(connectionRoom(1024, 20_000), { connections: 1024, waiting: 511 })
  t.same(connectionRoom(1024, 1264), { connections: 1024, waiting: 200 })
  t.same(connectionRoom(1024, 1024), { connections: 984, waiting: 0 })
  t.same(connectionRoom(1024, 64), { connections: 24, waiting: 0 })
  t.same(connectionRoom(1024, 30), { connections: 4, waiting: 0 })
  t.same(connectionRoom(2, 30), { connections: 2, waiting: 0 })
  t.same(connectionRoom(8, 64), { connections: 8, waiting: 16 })
  t.ok(Number(openFileLimit()) >= 64)
  t.end()
})

t.test('a lack is said once in 10 s with a count, and so is its end', (t) => {
  const said: string[] = []
  let limit: number | null = null
  let rooms = 5
  const owner = {
    makeRoom: () => rooms-- > 0,
    limitRead: (found: number) => said.push(`limit ${found}`),
    say: (level: string, message: string) => said.push(`${level} ${message}`)
  }
  const watch = new DescriptorWatch(owner, () => limit)
  watch.sweep(0)
  t.equal(rooms, 1, 'four connections are given up at once')
  for (let at = 100; at < 600; at++) watch.failed(at)
  watch.sweep(999)
  watch.sweep(1000)
  watch.sweep(10_100)
  limit = 64
  watch.sweep(11_100)
  watch.sweep(12_100)
  rooms = 2
  for (let at = 20_000; at < 20_500; at++) watch.refused(at)
  t.ok(rooms < 0, 'each of them makes room')
  t.same(said, [
    'crit accept() failed (24: Too many open files), new clients are closed',
    'crit socket() failed (24: Too many open files) for 1 connection to upstream servers',
    'crit socket() failed (24: Too many open files) for 499 connections to upstream servers',
    'limit 64',
    'notice there are free file descriptors again',
    'limit 64',
    'crit accept() failed (24: Too many open files) once'
  ])
  t.end()
})

t.test('more clients than descriptors: those that are let in are served', { skip }, async (t) => {
  const web = await scriptedUpstream((_request, socket) => {
    socket.end(answer('hello', '200 OK', 'Connection: close\r\n'))
  })
  const listen = { host: '127.0.0.1', port: await refusingPort() }
  const worker = new WorkerUnderTest()
  t.teardown(() => Promise.all([worker.kill(), web.close()]))
  await worker.hear('ready')
  limit(worker.pid, 64)
  const config = proxyConfig({ servers: [web.port, web.port], server: { listen } }, directory)
  await worker.start(config)
  await worker.hear('listening')
  t.equal(statusOf(await exchange(listen.port, get())), 200)
  const before = openFiles(worker.pid)
  t.ok(before < 40, `${before} descriptors without clients`)
  const clients = Array.from({ length: 200 }, () => new RawClient(listen.port))
  for (const client of clients) client.send(KEPT)
  const isSettled = (client: RawClient): boolean =>
    client.ending !== null || client.received.includes('hello')
  await until(() => clients.every(isSettled), 'an end for each client')
  const served = clients.filter(({ received }) => statusOf(received) === 200)
  const bad = clients.filter(({ received }) => received !== '' && statusOf(received) !== 200)
  t.ok(served.length >= 12, `${served.length} of 200 were served`)
  t.equal(bad.length, 0, 'and none of them badly')
  await Promise.all(clients.map((client) => client.close()))
  await until(() => openFiles(worker.pid) <= before, 'the descriptors to be closed')
  for (let i = 0; i < 20; i++) t.equal(statusOf(await exchange(listen.port, get())), 200)
  await until(() => openFiles(worker.pid) <= before, 'those of twenty more')
  t.same(
    worker.messages.filter(({ type }) => type === 'peer-event'),
    [],
    'no server is to blame'
  )
})

t.test('descriptors run out under load, and come back', { skip }, async (t) => {
  const held: Socket[] = []
  const web = await scriptedUpstream((request, socket) => {
    if (request.startsWith('GET /held')) held.push(socket)
    else socket.write(answer('hello'))
  })
  const listen = { host: '127.0.0.1', port: await refusingPort() }
  const worker = new WorkerUnderTest()
  t.teardown(() => Promise.all([worker.kill(), web.close()]))
  const own = mkdtempSync(join(directory, 'own-'))
  const setup = {
    servers: [web.port, web.port],
    server: { listen },
    logFormat: '$request_uri $status'
  }
  await worker.start(proxyConfig(setup, own))
  await worker.hear('listening')
  const errors = (text: string): string[] =>
    readFileSync(join(own, 'error.log'), 'latin1')
      .split('\n')
      .filter((line) => line.includes(text))

  const before = openFiles(worker.pid)
  const clients = Array.from({ length: 10 }, () => new RawClient(listen.port))
  // All are accepted, and none has an upstream connection that another could have.
  for (const client of clients) client.send('GET /held HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => held.length === 10, 'ten requests')
  const late = new RawClient(listen.port)
  late.send('GET /late HTT')
  await until(() => late.socket.readyState === 'open', 'one more client')
  await until(() => openFiles(worker.pid) === before + 21, 'its socket')
  limit(worker.pid, lowestFree(worker.pid))

  // All at once: a client that is idle between its requests may be closed to make room.
  late.send(`P/1.1\r\nHost: a\r\n\r\n${KEPT}${KEPT}`)
  for (let i = 0; i < 3; i++) t.equal(statusOf(await late.take(/<\/html>\s/)), 503)
  const newcomers = await Promise.all([1, 2, 3, 4, 5].map(() => exchange(listen.port, get())))
  t.comment(newcomers.map(statusOf).join(' '))
  t.equal(newcomers.length, 5, 'newcomers are closed, or refused')
  worker.tell({ type: 'ping', id: 7 })
  await worker.hear('pong')
  const failed = 'socket() failed (24: Too many open files) for 1 connection to upstream servers'
  await until(() => errors(failed).length === 1, 'a line about it')

  renameSync(join(own, 'access.log'), join(own, 'access.log.1'))
  worker.tell({ type: 'reopen-logs' })
  await until(() => errors('access.log" failed: EMFILE').length === 1, 'a refused log')

  for (const socket of held) socket.write(answer('late'))
  for (const client of clients) t.match(await client.take(/late$/), /^HTTP\/1\.1 200 /)
  limit(worker.pid, 'hard')
  await until(() => errors('there are free file descriptors again').length === 1, 'the end of it')
  for (let i = 0; i < 10; i++) t.equal(statusOf(await exchange(listen.port, get('/after'))), 200)
  // It is tried once a second; until then the lines are in the old one.
  const log = join(own, 'access.log')
  await until(() => existsSync(log), 'the log to be opened anew')
  t.equal(statusOf(await exchange(listen.port, get('/anew'))), 200)
  await until(() => readFileSync(log, 'latin1').includes('/anew 200'), 'its first line')
  t.equal(errors('socket() failed').length, 1, 'said once for three requests')
  t.same(
    worker.messages.filter(({ type }) => type === 'peer-event'),
    [],
    'no server is to blame'
  )
  await Promise.all([...clients, late].map((client) => client.close()))
})
