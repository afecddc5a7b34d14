import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { replay } from '../../src/cli/replay.js'

t.setTimeout(60_000)

const TSHA = fileURLToPath(new URL('../../bin/tsha.js', import.meta.url))
const WAIT_MS = 15_000

/** Loaded into the director, which has an error that nobody foresaw when it gets this signal. */
const BROKEN = `
process.on('SIGWINCH', () => {
  setImmediate(() => {
    throw new Error('a bug of ours')
  })
})
`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return address !== null && typeof address === 'object' ? address.port : 0
}

/** A director that only proxies, with its admin process. */
class Stage {
  readonly directory: string
  #director: ChildProcess | null = null
  #said = ''

  constructor(directory: string) {
    this.directory = directory
  }

  static async create(): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'tsha-broken-'))
    // The admin process may have become another user.
    await chmod(directory, 0o755)
    const port = await freePort()
    await writeFile(join(directory, 'broken.mjs'), BROKEN)
    await writeFile(
      join(directory, 'tsha.yaml'),
      `upstreams:
  web: { servers: [{ address: "127.0.0.1:9" }, { address: "127.0.0.2:9" }] }
listeners:
  - address: "127.0.0.1:${port}"
    routes: [{ path: /, upstream: web }]
workers: 1
admin: { socket: ${directory}/admin.sock, recordings: ${directory}/recordings }
`
    )
    return new Stage(directory)
  }

  get recordings(): string {
    return join(this.directory, 'recordings')
  }

  async start(): Promise<void> {
    const config = join(this.directory, 'tsha.yaml')
    const director = spawn(
      process.execPath,
      ['--import', join(this.directory, 'broken.mjs'), TSHA, 'run', '--config', config],
      { stdio: ['ignore', 'pipe', 'pipe'] }
    )
    this.#director = director
    this.#said = ''
    for (const stream of [director.stdout, director.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#said += text))
    }
    await this.said('admin process listens')
  }

  signal(signal: NodeJS.Signals): void {
    this.#director?.kill(signal)
  }

  /** Resolves when director or admin process have said something. */
  async said(text: string): Promise<void> {
    const until = Date.now() + WAIT_MS
    while (!this.#said.includes(text)) {
      if (Date.now() > until) throw new Error(`it does not say ${text}, but: ${this.#said}`)
      await delay(10)
    }
  }

  async ended(): Promise<number | null> {
    const director = this.#director
    if (director === null) return null
    if (director.exitCode === null && director.signalCode === null) await once(director, 'exit')
    return director.exitCode
  }

  async close(): Promise<void> {
    this.#director?.kill('SIGKILL')
    await this.ended()
    await rm(this.directory, { recursive: true })
  }
}

await t.test('what a director recorded outlives it', async (t) => {
  const stage = await Stage.create()
  t.teardown(() => stage.close())
  await stage.start()

  await t.test('one that has an error which nobody foresaw', async (t) => {
    stage.signal('SIGWINCH')
    await stage.said('its recording is in ')
    t.equal(await stage.ended(), 1)
    const [name = ''] = await readdir(stage.recordings)
    const file = join(stage.recordings, name)
    t.match(name, /^tsha-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\.jsonl$/)
    t.equal((await stat(file)).mode & 0o777, 0o640)
    t.match(await readFile(file, 'utf8'), '"facts":{"error":"a bug of ours"}')
    t.equal((await replay({ file, verbose: true })).code, 0)
  })

  await t.test(
    'the next one says where it is; stopped as it should be, it leaves none',
    async (t) => {
      await stage.start()
      await stage.said(`a recording of the last life is in ${stage.recordings}/tsha-`)
      stage.signal('SIGTERM')
      t.equal(await stage.ended(), 0)
      t.equal((await readdir(stage.recordings)).length, 1)
    }
  )

  await t.test('one that is killed', async (t) => {
    await stage.start()
    stage.signal('SIGKILL')
    await stage.said('its recording is in ')
    t.equal((await readdir(stage.recordings)).length, 2)
  })
})
