import cluster from 'node:cluster'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { Histogram } from '../../../src/admin/model.js'
import { WorkerSupervisor } from '../../../src/director/workers/worker-supervisor.js'
import { monotonicNow } from '../../../src/linux/clock.js'
import { PAIR_ROUTE, proxyConfig } from '../../proxy/support/proxy.js'
import { LEDGER_FORMAT, asLogged, readLedger, type Ledger } from './traffic/ledger.js'

t.setTimeout(110_000)

const REQUESTS = 100_000
const LIMIT_MS = 60_000
/** A worker tells the rest when it ends; what is on its way then comes within this. */
const REPORT_LIMIT_MS = 3000

type LogLine = Readonly<Record<string, unknown>>

/** A program that tells in lines how far it is, killed when the test ends. */
class Program {
  readonly #child: ChildProcess
  readonly #lines = new Set<string>()
  #wake: () => void = () => undefined

  constructor(t: Test, name: string, args: readonly (number | string)[]) {
    const path = join(import.meta.dirname, 'traffic', `${name}.js`)
    const child = spawn(process.execPath, [path, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    this.#child = child
    createInterface(child.stdout).on('line', (line) => {
      this.#lines.add(line)
      this.#wake()
    })
    t.teardown(() => this.kill())
  }

  /** Resolves with its exit status. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  async says(line: string): Promise<void> {
    const deadline = AbortSignal.timeout(LIMIT_MS)
    while (!this.#lines.has(line)) {
      await Promise.race([
        new Promise<void>((resolve) => (this.#wake = resolve)),
        once(deadline, 'abort').then(() => {
          throw new Error(`${this.#child.spawnargs.join(' ')} did not say ${line}`)
        })
      ])
    }
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}

/**
 * A free port below those that the kernel gives to clients: with thousands of connections around, one
 * of theirs could not be listened on again.
 */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => {
        resolve(false)
      })
      server.listen(port, '127.0.0.1', () => {
        resolve(true)
      })
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

function countOf({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

t.test('what is counted equals the access log to the request, whatever fails', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tsha-traffic-'))
  const ports = new Set<number>()
  while (ports.size < 7) ports.add(await quietPort())
  const [front = 0, side = 0, first = 0, second = 0, mortal = 0, dead1 = 0, dead2 = 0] = [...ports]
  const base = proxyConfig(
    {
      servers: [
        { port: first, maxFails: 0 },
        { port: second, maxFails: 0 },
        { port: mortal, maxFails: 2, failTimeoutMs: 1000 }
      ],
      route: {
        readTimeoutMs: 250,
        nextUpstream: [...PAIR_ROUTE.nextUpstream, 'invalid_header']
      },
      config: { workers: 2, errorLog: null },
      logFormat: LEDGER_FORMAT
    },
    directory
  )
  const [web] = base.upstreams
  const [server] = base.servers
  if (web === undefined || server === undefined) throw new Error('no configuration')
  const [route] = server.routes
  if (route === undefined) throw new Error('no route')
  const [anyServer] = web.servers
  if (anyServer === undefined) throw new Error('no server')
  const dead = [dead1, dead2].map((port) => ({ ...anyServer, port, maxFails: 1 }))
  const routes = [route, { ...route, path: '/dead/', upstream: 'dead' }]
  const config = {
    ...base,
    upstreams: [web, { ...web, name: 'dead', lastResort: false, servers: dead }],
    servers: [front, side].map((port) => ({
      ...server,
      routes,
      listen: { host: '127.0.0.1', port }
    }))
  }

  const log: LogLine[] = []
  const supervisor = new WorkerSupervisor(
    config,
    'the-token',
    pino({}, { write: (line) => log.push(JSON.parse(line) as LogLine) }),
    monotonicNow,
    { availabilityChanged: () => undefined }
  )
  t.teardown(async () => {
    await supervisor.stop(0)
    rmSync(directory, { recursive: true, force: true })
  })
  const faulty = new Program(t, 'faulty-web', [first, second])
  let brief = new Program(t, 'faulty-web', [mortal])
  await Promise.all([faulty.says('ready'), brief.says('ready'), supervisor.start()])

  const begun = Date.now()
  const load = new Program(t, 'rough-load', [REQUESTS, front, side])
  await load.says('half')
  t.ok(supervisor.listenerTraffic(`127.0.0.1:${front}`).recent.per_second > 0, 'told while busy')
  await brief.kill()
  const generations = Object.values(cluster.workers ?? {})
  await supervisor.replaceWorkers()
  brief = new Program(t, 'faulty-web', [mortal])
  await brief.says('ready')
  t.equal(await load.ended(), 0)
  t.comment(`load over after ${Date.now() - begun} ms`)
  // A worker writes and tells the rest before it ends.
  await supervisor.replaceWorkers()
  t.same(
    Object.values(cluster.workers ?? {}).filter((worker) => generations.includes(worker)),
    [],
    'all workers that served at the beginning have ended'
  )

  const ledger = readLedger(readFileSync(join(directory, 'access.log'), 'latin1'))
  t.ok(ledger.lines >= REQUESTS, `${ledger.lines} lines in the access log`)
  const deadline = Date.now() + REPORT_LIMIT_MS
  const counted = (): number =>
    [front, side]
      .map((port) => sumOf(supervisor.listenerTraffic(`127.0.0.1:${port}`).requests))
      .reduce((one, other) => one + other)
  while (counted() < ledger.lines && Date.now() < deadline) await delay(20)
  checkListeners(t, supervisor, ledger, [front, side])
  checkPeers(t, supervisor, ledger, { web: [first, second, mortal], dead: [dead1, dead2] })
  t.ok((ledger.peers['dead']?.['502'] ?? 0) > 0, 'some requests found no server at all')
  const died = log.filter(({ msg }) => String(msg).startsWith('worker died'))
  t.same(died, [], 'no worker died by itself')
})

function checkListeners(
  t: Test,
  supervisor: WorkerSupervisor,
  ledger: Ledger,
  ports: readonly number[]
): void {
  for (const port of ports) {
    const traffic = supervisor.listenerTraffic(`127.0.0.1:${port}`)
    const logged = ledger.listeners[port]
    if (logged === undefined) throw new Error(`nothing logged for ${port}`)
    t.strictSame(traffic.requests, logged.requests, 'requests by status')
    for (const status of ['200', '400', '404', '499', '500', '502', '503', '504', '505', '999']) {
      t.ok((traffic.requests[status] ?? 0) > 0, `there was a ${status}`)
    }
    t.equal(traffic.bytes_sent, logged.bytesSent)
    t.equal(traffic.bytes_received, logged.bytesReceived)
    t.equal(countOf(traffic.duration), sumOf(logged.requests), 'every request has a duration')
    t.equal(traffic.connections_active, 0)
    t.ok(traffic.connections_accepted > 48)
  }
}

function checkPeers(
  t: Test,
  supervisor: WorkerSupervisor,
  ledger: Ledger,
  upstreams: Readonly<Record<string, readonly number[]>>
): void {
  const results = new Set<string>()
  for (const [upstream, ports] of Object.entries(upstreams)) {
    for (const port of ports) {
      const address = `127.0.0.1:${port}`
      const traffic = supervisor.peerTraffic(upstream, address)
      for (const result of Object.keys(traffic.attempts)) results.add(result)
      t.strictSame(asLogged(traffic.attempts), ledger.peers[address], 'attempts by result')
      t.equal(traffic.in_flight, 0)
      const answered = Object.entries(traffic.attempts).filter(([result]) => /^\d/.test(result))
      const least = answered.reduce((sum, [, count]) => sum + count, 0)
      t.ok(countOf(traffic.latency) >= least, 'every answer has a first byte')
    }
  }
  const expected = 'connect reset closed invalid timeout aborted 200 404 500 502 503 999'.split(' ')
  t.same(
    expected.filter((result) => !results.has(result)),
    [],
    'every kind of failure was injected'
  )
}
