import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get, type IncomingMessage } from 'node:http'

import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { AdminEvent, Status } from '../../../src/admin/model.js'
import { ask, begin, until, type Answer } from '../../admin/support.js'
import { refusingPort } from '../../proxy/support/upstream.js'

t.setTimeout(60_000)

/*
 * Reloads of a whole director, asked for through its API: it only forwards, on loopback.
 */

const TSHA = fileURLToPath(new URL('../../../bin/tsha.js', import.meta.url))
const OLD_TOKEN = 'correct-horse-battery-staple-old'
const NEW_TOKEN = 'correct-horse-battery-staple-new'

// A path of a socket is short, which those of tap are not.
const folder = mkdtempSync(join(tmpdir(), 'tsha-answers-'))
chmodSync(folder, 0o755)
const tokenFile = join(folder, 'token')
writeFileSync(tokenFile, `${OLD_TOKEN}\n`, { mode: 0o600 })
const onSocket = { socketPath: join(folder, 'admin.sock') }
const onPort = { host: '127.0.0.1', port: await refusingPort() }
const proxyPort = await refusingPort()

/** Answers at once, but for `/slow`, which waits until it is let go. */
let letGo: () => void = () => undefined
const web = createServer((request, response) => {
  if (request.url === '/slow') letGo = () => response.end('slow')
  else response.end('web')
})
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
const webPort = (web.address() as AddressInfo).port

/** Writes the configuration, and whether there is a port for administrators, and how many failures a server may have. */
function configure(wish: { readonly hasPort: boolean; readonly maxFails: number }): void {
  const recordings = join(folder, 'recordings')
  const listen = { listen: `127.0.0.1:${onPort.port}`, token_file: tokenFile }
  writeFileSync(
    join(folder, 'tsha.yaml'),
    JSON.stringify({
      upstreams: {
        web: {
          servers: [
            { address: `127.0.0.1:${webPort}`, max_fails: wish.maxFails },
            { address: '127.0.0.1:9' }
          ]
        }
      },
      listeners: [{ address: `127.0.0.1:${proxyPort}`, routes: [{ path: '/', upstream: 'web' }] }],
      logs: { access: 'off', error: 'off' },
      workers: 1,
      admin: { socket: onSocket.socketPath, recordings, ...(wish.hasPort ? listen : {}) }
    })
  )
}

configure({ hasPort: false, maxFails: 1 })
const director: ChildProcess = spawn(
  process.execPath,
  [TSHA, 'run', '--config', join(folder, 'tsha.yaml')],
  { stdio: ['ignore', 'pipe', 'inherit'] }
)
let log = ''
director.stdout?.setEncoding('utf8').on('data', (text: string) => (log += text))
const exited = new Promise<void>((resolve) => {
  director.on('exit', () => {
    resolve()
  })
})
t.teardown(async () => {
  letGo()
  director.kill('SIGTERM')
  await exited
  web.closeAllConnections()
  web.close()
  rmSync(folder, { recursive: true, force: true })
})

/** How often the admin process has begun to listen. */
const listened = (): number => log.split('admin process listens').length - 1

await until(() => listened() === 1)

async function reload(): Promise<Answer> {
  return ask(onSocket, '/v1/reload', { method: 'POST' })
}

async function statusOf(): Promise<Status> {
  const { status, json } = await ask(onSocket, '/v1/status')
  if (status !== 200) throw new Error(`status ${status}`)
  return json as Status
}

/** A stream of events as it is read. */
class Stream {
  readonly events: AdminEvent[] = []
  isOver = false
  #hello: unknown = null
  #rest = ''

  static async open(after?: number): Promise<Stream> {
    const stream = new Stream()
    const since = after === undefined ? {} : { 'Last-Event-ID': String(after) }
    const headers = { Accept: 'text/event-stream', ...since }
    const response = await begin(onSocket, '/v1/events', { headers })
    stream.#read(response)
    await until(() => stream.#hello !== null)
    return stream
  }

  get texts(): readonly string[] {
    return this.events.map(({ text }) => text)
  }

  #read(response: IncomingMessage): void {
    response.on('error', () => undefined)
    response.on('close', () => (this.isOver = true))
    response.setEncoding('utf8').on('data', (piece: string) => {
      const parts = (this.#rest + piece).split('\n\n')
      this.#rest = parts.pop() ?? ''
      for (const part of parts) {
        const data = /^data: (.*)$/m.exec(part)?.[1]
        if (data === undefined) continue
        if (part.includes('event: hello')) this.#hello = JSON.parse(data)
        else if (part.includes('event: log')) this.events.push(JSON.parse(data) as AdminEvent)
      }
    })
  }
}

async function request(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get({ host: '127.0.0.1', port: proxyPort, path, agent: false }, (response) => {
      let body = ''
      response.on('error', reject)
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece))
      response.on('end', () => {
        resolve(body)
      })
    })
    sent.on('error', reject)
  })
}

await t.test('a reload is answered while a stream is open, which goes on', async (t) => {
  const stream = await Stream.open()
  t.match(await reload(), { status: 200, json: { lines: ['nothing has changed'] } })
  await until(() => stream.texts.includes('order carried out'))
  t.equal(stream.isOver, false)
  t.equal(listened(), 1, 'by the same process')
})

await t.test(
  'a port that comes: the answer arrives, and the stream goes on where it was with the next process',
  async (t) => {
    const stream = await Stream.open()
    configure({ hasPort: true, maxFails: 1 })
    const { status, json } = await reload()
    t.equal(status, 200)
    t.match(json, { lines: [/^admin: .*listen/] })
    await until(() => stream.isOver && listened() === 2)
    const last = stream.events.at(-1)?.id ?? 0
    t.ok(stream.texts.includes('configuration reloaded'))
    const resumed = await Stream.open(last)
    t.match(await reload(), { status: 200 })
    await until(() => resumed.texts.includes('order carried out'))
    t.equal(resumed.events[0]?.id, last + 1, 'no event is missed, none comes twice')
    t.equal(resumed.isOver, false)
    t.match(await ask(onPort, '/v1/status', { token: OLD_TOKEN }), { status: 200 })
  }
)

await t.test(
  'another token in the same file holds after a reload, the old one does not',
  async (t) => {
    writeFileSync(tokenFile, `${NEW_TOKEN}\n`, { mode: 0o600 })
    t.match(await ask(onPort, '/v1/reload', { method: 'POST', token: OLD_TOKEN }), { status: 200 })
    await until(() => listened() === 3)
    const [fresh, old] = await Promise.all(
      [NEW_TOKEN, OLD_TOKEN].map((token) => ask(onPort, '/v1/status', { token }))
    )
    t.equal(fresh?.status, 200)
    t.match(old, { status: 401, json: { code: 'TSHA_E_TOKEN' } })
    t.notMatch(log, /horse/)
  }
)

await t.test('after a reload the status has what is new, and what has survived', async (t) => {
  t.match(
    await ask(onSocket, '/v1/upstreams/web/peers/127.0.0.1:9', { body: { state: 'drain' } }),
    { status: 200 }
  )
  for (let i = 0; i < 5; i += 1) t.equal(await request('/'), 'web')
  // Workers report once a second.
  const answered = async (): Promise<unknown> =>
    (await statusOf()).proxy?.listeners[0]?.traffic.requests['200']
  await until(async () => (await answered()) === 5)
  const slow = request('/slow')
  await until(async () => inFlight(await statusOf()) === 1)
  const before = await statusOf()
  configure({ hasPort: true, maxFails: 3 })
  const stream = await Stream.open()
  t.match(await reload(), {
    status: 200,
    json: { lines: [`upstream web server 127.0.0.1:${webPort}: max_fails 1 -> 3`] }
  })
  const after = await statusOf()
  t.not(after.configuration.hash, before.configuration.hash)
  t.match(after.configuration, {
    hash: /^[0-9a-f]{12}$/,
    last_reload: { ok: true, lines: [`upstream web server 127.0.0.1:${webPort}: max_fails 1 -> 3`] }
  })
  t.ok(after.configuration.loaded_at > before.configuration.loaded_at)
  t.match(after.proxy, {
    upstreams: [{ peers: [{ state: 'up', max_fails: 3 }, { state: 'drain' }] }],
    listeners: [{ traffic: { requests: { 200: 5 } } }]
  })
  const [worker] = before.proxy?.workers ?? []
  t.match(
    after.proxy?.workers.map(({ pid, state, connections }) => [pid, state, connections]),
    [
      [Number, 'listening', 0],
      [worker?.pid, 'ending', 1]
    ]
  )
  letGo()
  t.equal(await slow, 'slow')
  await until(async () => (await statusOf()).proxy?.workers.length === 1)
  t.match((await statusOf()).proxy, {
    workers: [{ state: 'listening' }],
    listeners: [{ traffic: { requests: { 200: 6 } } }]
  })
  t.match([stream.isOver, listened()], [false, 3], 'what administrators use stays the same process')
})

function inFlight({ proxy }: Status): number {
  return proxy?.upstreams[0]?.peers[0]?.traffic.in_flight ?? 0
}
