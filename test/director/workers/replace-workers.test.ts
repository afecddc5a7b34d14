import cluster from 'node:cluster'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pino } from 'pino'
import t from 'tap'
import { WorkerSupervisor } from '../../../src/director/workers/worker-supervisor.js'
import { monotonicNow } from '../../../src/linux/clock.js'
import { proxyConfig, type ProxySetup } from '../../proxy/support/proxy.js'
import { RawClient, exchange, get, statusOf } from '../../proxy/support/raw-client.js'
import { answer, refusingPort, scriptedUpstream } from '../../proxy/support/upstream.js'

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const START_LIMIT_MS = 10_000

interface Test {
  teardown: (undo: () => Promise<void>) => void
}

type LogLine = Readonly<Record<string, unknown>>

/** Two workers and their supervisor, in this process. */
class Crew {
  readonly directory = mkdtempSync(join(tmpdir(), 'tsha-crew-'))
  readonly log: LogLine[] = []
  readonly port: number
  readonly supervisor: WorkerSupervisor
  /** How often the supervisor thought that the service may be up or down. */
  questions = 0

  private constructor(setup: ProxySetup, port: number) {
    this.port = port
    const server = { ...setup.server, listen: { host: '127.0.0.1', port } }
    const config = { ...setup.config, workers: 2 }
    const log = pino({}, { write: (line) => this.log.push(JSON.parse(line) as LogLine) })
    this.supervisor = new WorkerSupervisor(
      proxyConfig({ ...setup, server, config }, this.directory),
      'the-token',
      log,
      monotonicNow,
      { availabilityChanged: () => this.questions++ }
    )
  }

  static async start(t: Test, setup: ProxySetup): Promise<Crew> {
    const crew = new Crew(setup, await refusingPort())
    t.teardown(async () => {
      await crew.supervisor.close(0)
      rmSync(crew.directory, { recursive: true, force: true })
    })
    await crew.supervisor.start()
    return crew
  }

  /** Ids of the worker processes that live, the oldest first. */
  get pids(): number[] {
    return Object.values(cluster.workers ?? {}).flatMap((worker) => worker?.process.pid ?? [])
  }

  /** What was logged at a level, without the usual news. */
  messages(level: number): unknown[] {
    return this.log.filter((line) => line['level'] === level).map((line) => line['msg'])
  }

  async until(isReached: () => boolean): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS
    while (!isReached()) {
      if (Date.now() > deadline) throw new Error(`waited in vain: ${JSON.stringify(this.log)}`)
      await setImmediate()
    }
  }

  accessLog(): string[] {
    return readFileSync(join(this.directory, 'access.log'), 'latin1').split('\n').slice(0, -1)
  }
}

const [INFO, WARN, ERROR] = [30, 40, 50] as const

/** Asks without pause, on fresh or on kept connections, until told to stop; gives what went wrong. */
async function ask(crew: Crew, keeps: boolean, isOver: () => boolean): Promise<string[]> {
  const failures: string[] = []
  let client: RawClient | null = null
  while (!isOver()) {
    client ??= new RawClient(crew.port)
    client.send(keeps ? REQUEST : get())
    const response = await client.take(/hello/).catch((error: unknown) => String(error))
    if (statusOf(response) !== 200) failures.push(response)
    if (!/\r\nConnection: close\r\n/.test(response) && statusOf(response) === 200) continue
    await client.close()
    client = null
  }
  await client?.close()
  return failures
}

t.test('all workers are replaced under load, twice: no request fails', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const crew = await Crew.start(t, { servers: [web.port], logFormat: '$pid $status' })
  const first = crew.pids
  let isOver = false
  const load = [false, false, true, true, true].map((keeps) => ask(crew, keeps, () => isOver))
  await crew.supervisor.replaceWorkers()
  const second = crew.pids
  await crew.supervisor.replaceWorkers()
  const third = crew.pids
  isOver = true
  t.same((await Promise.all(load)).flat(), [])
  t.equal(new Set([...first, ...second, ...third]).size, 6, 'three generations of two')
  t.same([...crew.messages(WARN), ...crew.messages(ERROR)], [], 'and nobody has died')
  t.equal(crew.messages(INFO).filter((message) => message === 'all workers are new').length, 2)
  await crew.supervisor.stop(2000)
  const served = new Set(crew.accessLog().map((line) => Number(line.split(' ')[0])))
  for (const generation of [first, second]) {
    t.ok(
      generation.some((pid) => served.has(pid)),
      'those who were replaced had served'
    )
  }
  t.notOk(crew.accessLog().some((line) => !line.endsWith(' 200')))
})

t.test('a request that runs is finished by the worker that is replaced', async (t) => {
  const held: Socket[] = []
  const web = await scriptedUpstream((_request, socket) => held.push(socket))
  t.teardown(() => web.close())
  const crew = await Crew.start(t, { servers: [web.port] })
  const clients = Array.from({ length: 4 }, () => new RawClient(crew.port))
  for (const client of clients) client.send(REQUEST)
  await crew.until(() => held.length === 4)
  const done = crew.supervisor.replaceWorkers()
  await crew.until(() => crew.messages(INFO).includes('worker replaced'))
  for (const socket of held) socket.write(answer('hello'))
  for (const client of clients) {
    t.equal(statusOf(await client.take(/hello/)), 200)
    await client.close()
  }
  await done
})

t.test('a new worker knows which servers are disabled', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const crew = await Crew.start(t, {
    servers: [
      { port: await refusingPort(), maxFails: 1, failTimeoutMs: 3_600_000, recovery: 'request' },
      { port: web.port }
    ],
    logFormat: '$upstream_status'
  })
  t.equal(statusOf(await exchange(crew.port, get())), 200)
  t.equal(statusOf(await exchange(crew.port, get())), 200)
  await crew.supervisor.replaceWorkers()
  for (let i = 0; i < 8; i++) t.equal(statusOf(await exchange(crew.port, get())), 200)
  await crew.supervisor.stop(2000)
  const tried = crew.accessLog().filter((line) => line.includes('502'))
  t.equal(tried.length, 1, 'the dead server was tried once, before')
})

t.test('a new worker that does not start: the old ones stay, and serve', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const crew = await Crew.start(t, { servers: [web.port] })
  const before = crew.pids
  renameSync(crew.directory, `${crew.directory}.away`)
  await crew.supervisor.replaceWorkers()
  renameSync(`${crew.directory}.away`, crew.directory)
  t.same(crew.pids, before)
  const [why, outcome, ...more] = crew.messages(ERROR)
  t.match(why, /^log file .*error\.log cannot be opened: ENOENT/)
  t.equal(outcome, 'a new worker did not start: the workers that serve stay')
  t.same(more, [])
  t.equal(statusOf(await exchange(crew.port, get())), 200)
  await crew.supervisor.replaceWorkers()
  t.notOk(
    crew.pids.some((pid) => before.includes(pid)),
    'the next time it goes well'
  )
})

t.test('an old worker that dies while its successor begins is followed by that', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const crew = await Crew.start(t, { servers: [web.port] })
  const [first = 0] = crew.pids
  const done = crew.supervisor.replaceWorkers()
  process.kill(first, 'SIGKILL')
  await done
  t.same(crew.messages(ERROR), ['worker died'])
  t.equal(crew.pids.length, 2)
  t.equal(statusOf(await exchange(crew.port, get())), 200)
})

t.test('a replacement is no death: a worker that dies later is followed at once', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const crew = await Crew.start(t, { servers: [web.port] })
  for (let i = 0; i < 3; i++) await crew.supervisor.replaceWorkers()
  const [pid = 0] = crew.pids
  process.kill(pid, 'SIGKILL')
  await crew.until(() => crew.messages(ERROR).length > 0)
  const death = crew.log.find((line) => line['level'] === ERROR)
  t.match(death, { worker: pid, why: 'killed by SIGKILL', delayMs: 0 })
  await crew.until(() => crew.pids.length === 2 && !crew.pids.includes(pid))
})

t.test('one replacement at a time, and a stop ends it and all processes', async (t) => {
  const web = await scriptedUpstream(() => undefined)
  t.teardown(() => web.close())
  const crew = await Crew.start(t, { servers: [web.port] })
  const clients = Array.from({ length: 4 }, () => new RawClient(crew.port))
  for (const client of clients) client.send(REQUEST)
  await crew.until(() => web.requests.length === 4)
  const done = crew.supervisor.replaceWorkers()
  await crew.supervisor.replaceWorkers()
  t.same(crew.messages(WARN), ['the workers are being replaced already'])
  await crew.until(() => crew.messages(INFO).includes('worker replaced'))
  const begun = Date.now()
  await crew.supervisor.stop(100)
  t.ok(Date.now() - begun < 5000, 'the grace of the stop holds for the replaced one too')
  await done
  t.same(crew.pids, [])
  t.same(crew.messages(ERROR), [])
  await Promise.all(clients.map((client) => client.close()))
})
