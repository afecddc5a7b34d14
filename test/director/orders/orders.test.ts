import cluster from 'node:cluster'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { Config } from '../../../src/config/model.js'
import { Director } from '../../../src/director/director.js'
import { Journal } from '../../../src/director/status/journal.js'
import { proxyConfig, type ProxySetup } from '../../proxy/support/proxy.js'
import { RawClient, get, statusOf } from '../../proxy/support/raw-client.js'
import { answer, refusingPort, scriptedUpstream } from '../../proxy/support/upstream.js'
import { PLAIN_ELECTION } from '../elections/router-config.js'

t.setTimeout(60_000)

const LIMIT_MS = 10_000
const BY = 'uid 0 on the socket'

/** A director with a proxy alone, two workers, and web servers that count. */
class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), 'tsha-orders-'))
  readonly log: Readonly<Record<string, unknown>>[] = []
  readonly held: Socket[] = []
  readonly systemd: string[] = []
  webs: Awaited<ReturnType<typeof scriptedUpstream>>[] = []
  port = 0
  #director: Director | null = null

  static async start(t: Test, setup: Partial<ProxySetup> = {}, count = 3): Promise<Stage> {
    const stage = new Stage()
    t.teardown(async () => {
      await stage.#director?.stop({ graceMs: 0 })
      await Promise.all(stage.webs.map((web) => web.close()))
      rmSync(stage.directory, { recursive: true, force: true })
    })
    stage.port = await refusingPort()
    for (let i = 0; i < count; i++) {
      const web = await scriptedUpstream((request, socket) => {
        if (request.includes('/hold')) stage.held.push(socket)
        else socket.write(answer('hello'))
      })
      stage.webs.push(web)
    }
    const whole = {
      servers: stage.webs.map(({ port }) => port),
      ...setup,
      server: { listen: { host: '127.0.0.1', port: stage.port } },
      config: { workers: 2 }
    }
    const config = {
      ...NO_ELECTIONS,
      proxy: proxyConfig(whole, stage.directory)
    }
    const log = pino(
      {},
      { write: (line) => stage.log.push(JSON.parse(line) as Record<string, unknown>) }
    )
    stage.#director = new Director(
      config,
      { role: null },
      log,
      {
        watchdogIntervalMs: null,
        notify: (...lines: string[]) => stage.systemd.push(...lines),
        close: () => undefined
      },
      { journal: new Journal(), files: [], hash: '' }
    )
    await stage.#director.start()
    return stage
  }

  get director(): Director {
    if (this.#director === null) throw new Error('not started')
    return this.#director
  }

  name(web: number): string {
    return `127.0.0.1:${this.webs[web]?.port ?? 0}`
  }

  async order(command: object): Promise<readonly string[]> {
    const { ok, lines } = await this.director.perform(command, BY)
    return ok ? lines : ['REFUSED', ...lines]
  }

  async peer(web: number, change: object): Promise<readonly string[]> {
    return this.order({ action: 'peer', upstream: 'web', peer: this.name(web), ...change })
  }

  counts(): number[] {
    return this.webs.map((web) => web.requests.length)
  }

  told(message: string): Readonly<Record<string, unknown>>[] {
    return this.log.filter((line) => line['msg'] === message)
  }

  async until(isReached: () => boolean): Promise<void> {
    const deadline = Date.now() + LIMIT_MS
    while (!isReached()) {
      if (Date.now() > deadline) throw new Error(`waited in vain: ${JSON.stringify(this.log)}`)
      await setImmediate()
    }
  }

  /** Asks until told to stop, on fresh or on kept connections; gives what went wrong. */
  async ask(keeps: boolean, isOver: () => boolean): Promise<string[]> {
    const failures: string[] = []
    let client: RawClient | null = null
    while (!isOver()) {
      client ??= new RawClient(this.port)
      client.send(keeps ? 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' : get())
      const response = await client.take(/hello/).catch((error: unknown) => String(error))
      if (statusOf(response) !== 200) failures.push(response)
      if (!/\r\nConnection: close\r\n/.test(response) && statusOf(response) === 200) continue
      await client.close()
      client = null
    }
    await client?.close()
    return failures
  }

  /** How many of so many requests each server gets; all are answered well. */
  async spread(t: Test, requests: number): Promise<number[]> {
    const before = this.counts()
    let left = requests
    t.same(await this.ask(false, () => left-- <= 0), [])
    return this.counts().map((count, i) => count - (before[i] ?? 0))
  }

  /** Whether a connection is refused. */
  async refuses(): Promise<boolean> {
    const client = new RawClient(this.port)
    client.send(get())
    await client.rest()
    await client.close()
    return client.ending === 'reset'
  }
}

const NO_ELECTIONS: Omit<Config, 'proxy'> = {
  role: null,
  admin: null,
  routerId: 'here',
  virtualRouters: [],
  syncGroups: [],
  election: PLAIN_ELECTION,
  scripts: [],
  processes: [],
  files: [],
  serviceCheck: null,
  pidFile: null
}

t.test(
  'a server is drained and put down under load: no request fails, and it gets none',
  async (t) => {
    const stage = await Stage.start(t)
    let isOver = false
    const load = [false, false, true, true, true].map((keeps) => stage.ask(keeps, () => isOver))
    await stage.until(() => stage.counts().every((count) => count > 10))
    t.same(await stage.peer(0, { state: 'drain' }), [
      `web ${stage.name(0)} drains: it takes no new requests`,
      'no request is in flight'
    ])
    const [drained = 0, ...others] = stage.counts()
    await stage.until(() =>
      stage
        .counts()
        .slice(1)
        .every((count, i) => count > (others[i] ?? 0) + 50)
    )
    t.equal(stage.counts()[0], drained, 'not one more')
    t.match(stage.told('upstream server has no request any more'), [{ server: stage.name(0) }])
    t.equal((await stage.peer(1, { state: 'down' }))[1], 'no request is in flight')
    const [, down = 0, last = 0] = stage.counts()
    await stage.until(() => (stage.counts()[2] ?? 0) > last + 50)
    t.same(stage.counts().slice(0, 2), [drained, down])
    for (const web of [0, 1]) await stage.peer(web, { state: 'up' })
    await stage.until(
      () => (stage.counts()[0] ?? 0) > drained + 10 && (stage.counts()[1] ?? 0) > down + 10
    )
    isOver = true
    t.same((await Promise.all(load)).flat(), [])
  }
)

t.test('every worker obeys, later ones too, and after a stop and a start', async (t) => {
  const stage = await Stage.start(t, {}, 2)
  await stage.peer(0, { state: 'down' })
  t.same(await stage.peer(1, { weight: 7 }), [
    `web ${stage.name(1)} has weight 7 in the place of the configured 1, until another order or a restart of tsha`
  ])
  t.same(await stage.order({ action: 'replace-workers' }), ['all workers are new'])
  t.same(await stage.spread(t, 6), [0, 6])
  const [worker] = Object.values(cluster.workers ?? {})
  worker?.process.kill('SIGKILL')
  await stage.until(() => stage.told('worker listens').length === 5)
  t.same(await stage.spread(t, 6), [0, 6])
  await stage.order({ action: 'proxy', state: 'stop' })
  await stage.order({ action: 'proxy', state: 'start' })
  t.same(await stage.spread(t, 6), [0, 6])
  await stage.peer(0, { state: 'up' })
  t.same(await stage.spread(t, 16), [2, 14], 'the weight holds too')
  t.same(await stage.peer(1, { weight: null, state: 'up' }), [
    `web ${stage.name(1)} is up (was up already): it takes requests, and what failed is forgotten`,
    `web ${stage.name(1)} has its configured weight 1 again`
  ])
  t.same(await stage.spread(t, 16), [8, 8])
})

t.test('who is taken out and what is left is told plainly', async (t) => {
  const stage = await Stage.start(t, {}, 2)
  const client = new RawClient(stage.port)
  client.send(get('/hold'))
  await stage.until(() => stage.held.length === 1)
  const busy = stage.counts().indexOf(1)
  t.same(await stage.peer(busy, { state: 'drain' }), [
    `web ${stage.name(busy)} drains: it takes no new requests`,
    '1 request is in flight; the log tells when there is none any more'
  ])
  t.same(await stage.peer(1 - busy, { state: 'down' }), [
    `web ${stage.name(1 - busy)} is down: it takes no new requests, and is not checked`,
    'no request is in flight',
    'WARNING: web has no server left that takes requests: clients get 502 until one is up'
  ])
  const refused = await stage.ask(false, once3())
  t.match(refused, [/HTTP\/1.1 502 /, /HTTP\/1.1 502 /, /HTTP\/1.1 502 /])
  stage.held[0]?.write(answer('hello'))
  t.equal(statusOf(await client.take(/hello/)), 200, 'what ran was finished')
  await client.close()
  await stage.until(() => stage.told('upstream server has no request any more').length === 2)
  t.same(await stage.peer(busy, { state: 'drain' }), [
    `web ${stage.name(busy)} was draining already: it takes no new requests`,
    'no request is in flight',
    'WARNING: web has no server left that takes requests: clients get 502 until one is up'
  ])
})

t.test(
  'a server that failed is up at an order, and is asked by nobody while it is down',
  async (t) => {
    const port = await refusingPort()
    const stage = await Stage.start(
      t,
      {
        servers: [{ port, maxFails: 1, failTimeoutMs: 3_600_000 }, await refusingPort()]
      },
      0
    )
    const [name, other] = [`127.0.0.1:${port}`, 'web']
    const peer = (state: string): Promise<readonly string[]> =>
      stage.order({ action: 'peer', upstream: other, peer: name, state })
    await stage.ask(false, once3())
    await stage.until(() => stage.told('upstream server is out').length > 0)
    await peer('down')
    const sockets: Socket[] = []
    const server = await listenOn(port, (socket) => sockets.push(socket))
    t.teardown(() => closeServer(server, sockets))
    // Longer than a probe of a server that took no connection needs.
    await new Promise((resolve) => setTimeout(resolve, 800))
    t.equal(sockets.length, 0, 'nobody asked')
    const [line] = await peer('up')
    t.equal(line, `web ${name} is up (was down): it takes requests, and what failed is forgotten`)
    const failures = stage.ask(false, once3())
    await stage.until(() => sockets.length > 0)
    for (const socket of sockets) socket.destroy()
    await closeServer(server, sockets)
    await failures
  }
)

t.test(
  'the proxy is stopped and started: what runs is finished, the rest is refused',
  async (t) => {
    const stage = await Stage.start(t, {}, 1)
    const running = new RawClient(stage.port)
    running.send('GET /hold HTTP/1.1\r\nHost: a\r\n\r\n')
    await stage.until(() => stage.held.length === 1)
    const stopped = stage.order({ action: 'proxy', state: 'stop' })
    const again = stage.order({ action: 'proxy', state: 'stop' })
    t.match(await stage.order({ action: 'proxy', state: 'start' }), [
      'REFUSED',
      'the proxy is being stopped; start it then'
    ])
    while (!(await stage.refuses())) await setImmediate()
    stage.held[0]?.write(answer('hello'))
    t.equal(statusOf(await running.take(/hello/)), 200)
    await running.close()
    const lines = ['the proxy is stopped until start or a restart of tsha: connections are refused']
    t.same(await stopped, lines)
    t.same(await again, lines)
    t.same(await stage.order({ action: 'proxy', state: 'stop' }), ['the proxy was stopped already'])
    t.same(Object.keys(cluster.workers ?? {}), [])
    t.same(await stage.order({ action: 'replace-workers' }), [
      'REFUSED',
      'the proxy does not run: there are no workers to replace'
    ])
    await stage.director.replaceWorkers()
    t.same(await stage.order({ action: 'reopen-logs' }), ['the log files are reopened'])
    t.same(Object.keys(cluster.workers ?? {}), [], 'nothing starts a worker but an order')
    t.same(await stage.order({ action: 'proxy', state: 'start' }), [
      'the proxy runs: 2 workers listen'
    ])
    t.same(await stage.order({ action: 'proxy', state: 'start' }), [
      'the proxy was running already'
    ])
    t.same(await stage.spread(t, 4), [4])
    t.equal(stage.log.filter((line) => Number(line['level']) > 40).length, 0, 'nothing died')
  }
)

t.test('a proxy that cannot be started says why, and can be when that is mended', async (t) => {
  const stage = await Stage.start(t, {}, 1)
  await stage.order({ action: 'proxy', state: 'stop' })
  const server = await listenOn(stage.port, (socket) => socket.destroy())
  const [word, why] = await stage.order({ action: 'proxy', state: 'start' })
  t.equal(word, 'REFUSED')
  t.match(
    why,
    /^the proxy stays stopped: port \d+ on 127\.0\.0\.1 is taken by another program \[TSHA_E_LISTEN\]$/
  )
  await closeServer(server, [])
  t.same(await stage.order({ action: 'proxy', state: 'start' }), [
    'the proxy runs: 2 workers listen'
  ])
  t.same(await stage.spread(t, 2), [2])
})

t.test('a director whose proxy is stopped ends as usual, and takes no more orders', async (t) => {
  const stage = await Stage.start(t, {}, 1)
  await stage.order({ action: 'proxy', state: 'stop' })
  await stage.director.stop()
  t.same(await stage.order({ action: 'proxy', state: 'start' }), [
    'REFUSED',
    'the director is stopping'
  ])
})

t.test('every order is logged with who asked and what came of it', async (t) => {
  const stage = await Stage.start(t, {}, 1)
  const name = stage.name(0)
  t.same(
    await stage.director.perform({ action: 'peer', upstream: 'wev', peer: name, state: 'up' }, BY),
    {
      ok: false,
      code: 'TSHA_E_UNKNOWN_NAME',
      lines: ['there is no upstream "wev"; did you mean "web"?', 'there is: web']
    }
  )
  t.match(await stage.peer(7, { state: 'up' }), [
    'REFUSED',
    /^there is no peer of upstream web "127.0.0.1:0"/,
    `there is: ${name}`
  ])
  t.match(await stage.director.perform({ action: 'reload' }, BY), {
    ok: false,
    code: 'TSHA_E_CONFIG_REFUSED',
    lines: [/^tsha: no configuration given; .*\[TSHA_E_FLAG\]$/]
  })
  t.match(await stage.order({ action: 'step-down', router: null }), [
    'REFUSED',
    'this director has no virtual routers'
  ])
  t.same(await stage.order({ action: 'priority', router: 'VI_1', priority: 0 }), [
    'REFUSED',
    'priority is 0; use a whole number from 1 to 254, or null for the configured one'
  ])
  await stage.peer(0, { state: 'up' })
  t.match(stage.told('order refused').at(0), {
    level: 40,
    by: BY,
    action: 'peer',
    code: 'TSHA_E_UNKNOWN_NAME'
  })
  t.equal(stage.told('order refused').length, 5)
  t.match(stage.told('order received').at(-1), { by: BY, command: { peer: name, state: 'up' } })
  t.match(stage.told('order carried out'), [{ level: 30, by: BY, action: 'peer', lines: [String] }])
})

t.test('a worker that talks nonsense is replaced, and ends nobody else', async (t) => {
  const stage = await Stage.start(t)
  const event = { kind: 'failed', at: 1, cause: 'connect' }
  const nonsense = [
    null,
    { type: 'peer-event', index: 7, event },
    { type: 'peer-event', index: 0, event: { ...event, kind: 'trusted' } },
    { type: 'peer-event', index: 0, event: { ...event, at: '1' } },
    { type: 'traffic', counts: null }
  ]
  for (const message of nonsense) {
    const listening = stage.told('worker listens').length
    const [worker] = Object.values(cluster.workers ?? {})
    worker?.process.emit('message', message)
    await stage.until(() => stage.told('worker listens').length > listening)
  }
  t.match(stage.told('worker talks nonsense: no peer 7'), [{ level: 50 }])
  t.equal(stage.told('worker died, starting another').length, nonsense.length)
  t.same(await stage.ask(false, once3()), [])
})

/** True after three questions. */
function once3(): () => boolean {
  let left = 3
  return () => left-- <= 0
}

async function listenOn(port: number, onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onSocket).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function closeServer(server: Server, sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy()
  if (!server.listening) return
  server.close()
  await once(server, 'close')
}
