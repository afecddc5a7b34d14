import { spawn, type ChildProcess } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { refusingPort } from '../proxy/support/upstream.js'
import { ask, begin, eventOf, Office, until } from './support.js'

const TSHA = fileURLToPath(new URL('../../bin/tsha.js', import.meta.url))
t.setTimeout(60_000)

const isRoot = process.getuid?.() === 0

t.test(
  'a process that is killed is followed by another, which is told all that is kept',
  async (t) => {
    const office = await Office.open(t)
    const first = office.link?.pid ?? 0
    office.happen(eventOf(1), eventOf(2))
    const stream = await begin({ socketPath: office.socket }, '/v1/events', {
      headers: { Accept: 'text/event-stream' }
    })
    stream.on('error', () => undefined)
    const mark = office.log.length
    process.kill(first, 'SIGKILL')
    const died = await office.waitForLine((line) => line['level'] === 50, mark)
    t.match(died, {
      msg: 'admin process died, starting another',
      why: 'killed by SIGKILL',
      delayMs: 0
    })
    await office.waitForLine((line) => line['msg'] === 'admin process listens', mark)
    t.not(office.link?.pid, first)
    t.equal(office.resets, 2, 'and its copy of the recording begins anew')
    let ids: unknown
    while (JSON.stringify(ids) !== '[1,2]') {
      const { json } = await office.ask('/v1/events')
      ids = (json as { events: { id: number }[] }).events.map(({ id }) => id)
    }
    t.same(ids, [1, 2])
  }
)

t.test('the recording comes over as it is told', async (t) => {
  const office = await Office.open(t)
  const lines = ['{"a":1}', '{"type":"segment","b":"\u00e9"}']
  for (const line of lines) office.link?.record(line)
  let text = ''
  await until(async () => {
    ;({ text } = await office.ask('/v1/recording'))
    return text.length >= 16
  })
  t.equal(text, `${lines.join('\n')}\n`)
})

t.test('at a stop it gives its last answers, takes its socket away, and is gone', async (t) => {
  const office = await Office.open(t)
  t.equal(statSync(office.socket).mode & 0o777, 0o660)
  const { pid = 0 } = office.link ?? {}
  const stream = await begin({ socketPath: office.socket }, '/v1/events', {
    headers: { Accept: 'text/event-stream' }
  })
  let isOver = false
  stream.on('error', () => undefined)
  stream.on('close', () => (isOver = true))
  stream.resume()
  await office.link?.stop()
  await until(() => isOver)
  t.equal(existsSync(office.socket), false)
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  t.notOk(
    office.log.some((line) => Number(line['level']) > 30),
    'and nothing is wrong with that'
  )
})

t.test('a frozen process holds the stop for half a second at most', async (t) => {
  const office = await Office.open(t)
  process.kill(office.link?.pid ?? 0, 'SIGSTOP')
  const startedAt = performance.now()
  await office.link?.stop()
  const took = performance.now() - startedAt
  t.ok(took >= 450 && took < 2000, `${took.toFixed(0)} ms`)
  t.equal(existsSync(office.socket), false, 'and leaves no socket')
})

t.test(
  'a frozen process costs lines of its copy of the recording, which then begins anew',
  async (t) => {
    const office = await Office.open(t)
    const { pid = 0 } = office.link ?? {}
    process.kill(pid, 'SIGSTOP')
    const line = JSON.stringify({ text: 'x'.repeat(1000) })
    // Less than is kept, and more than the channel takes.
    for (let count = 0; count < 3000; count++) office.link?.record(line)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const startedAt = performance.now()
    for (let count = 0; count < 10_000; count++) office.link?.record(line)
    const took = performance.now() - startedAt
    t.ok(took < 500, `10 000 lines took ${took.toFixed(0)} ms`)
    t.equal(office.resets, 1)
    process.kill(pid, 'SIGCONT')
    await until(() => office.resets === 2)
    t.match(
      office.messages().at(-1),
      /^the admin process did not take 1\d{4} lines of the flight recording$/
    )
    office.link?.record('{"begins":"anew"}')
    let text = ''
    await until(async () => {
      ;({ text } = await office.ask('/v1/recording'))
      return text.endsWith('{"begins":"anew"}\n')
    })
    t.equal(text, '{"begins":"anew"}\n')
  }
)

t.test(
  'the socket of one that was killed is replaced; one in use, or another file, is not',
  async (t) => {
    const office = Office.prepare(t)
    mkdirSync(join(office.directory, 'run'))
    const other = createServer()
    await new Promise<void>((resolve) => {
      other.listen(office.socket, resolve)
    })
    await office.start()
    t.match(await office.waitForLine((line) => line['level'] === 40), {
      where: office.socket,
      msg: /somebody listens there already/
    })
    await office.link?.stop()
    t.equal(existsSync(office.socket), true, 'the socket of the other one is still there')
    await new Promise((resolve) => other.close(resolve))

    writeFileSync(office.socket, 'mine')
    await office.start()
    await office.waitForLine((line) => /there is a file of that name/.test(String(line['msg'])))
    await office.link?.stop()
    t.equal(readFileSync(office.socket, 'utf8'), 'mine')
  }
)

/** A whole director without virtual routers, and what it logged. */
async function startDirector(
  t: { teardown: (undo: () => Promise<void>) => void },
  flags: readonly string[] = []
): Promise<{ readonly child: ChildProcess; readonly socket: string }> {
  // A path of a socket is short, which those of tap are not.
  const directory = mkdtempSync(join(tmpdir(), 'tsha-admin-'))
  const socket = join(directory, 'admin.sock')
  const config = join(directory, 'tsha.yaml')
  writeFileSync(
    config,
    JSON.stringify({
      upstreams: { web: { servers: [{ address: '127.0.0.1:9' }] } },
      listeners: [
        {
          address: `127.0.0.1:${await refusingPort()}`,
          routes: [{ path: '/', upstream: 'web' }]
        }
      ],
      logs: { access: 'off', error: 'off' },
      workers: 1,
      admin: { recordings: join(directory, 'recordings') }
    })
  )
  const args = [TSHA, 'run', '--config', config, '--admin-socket', socket, ...flags]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text))
  const exited = new Promise<void>((resolve) => {
    child.on('exit', () => {
      resolve()
    })
  })
  t.teardown(async () => {
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    await exited
    rmSync(directory, { recursive: true, force: true })
  })
  await until(() => log.includes('admin process listens'))
  return { child, socket }
}

t.test('a whole director: frozen it is told to be silent, stopped it leaves nothing', async (t) => {
  const { child, socket } = await startDirector(t)
  const where = { socketPath: socket }
  t.match(await ask(where, '/v1/status'), { status: 200, json: { pid: child.pid } })
  const stream = await begin(where, '/v1/events?status=1', {
    headers: { Accept: 'text/event-stream' }
  })
  let streamed = ''
  stream.on('data', (data: Buffer) => (streamed += data.toString()))
  await until(() => streamed.includes('event: status'))

  child.kill('SIGSTOP')
  await until(() => streamed.includes('event: problem'))
  const startedAt = performance.now()
  const [status, health, command] = await Promise.all([
    ask(where, '/v1/status'),
    ask(where, '/healthz'),
    Promise.race([
      ask(where, '/v1/reload', { method: 'POST' }).catch(() => null),
      until(() => performance.now() - startedAt > 1200).then(() => 'waits')
    ])
  ])
  t.match(status, { status: 503, json: { code: 'TSHA_E_SILENT' } })
  t.match(health, { status: 503, text: 'the director does not answer\n' })
  t.equal(command, 'waits', 'a command may take its time')
  const took = performance.now() - startedAt
  t.ok(took < 3000, `told after ${took.toFixed(0)} ms`)
  child.kill('SIGCONT')
  await until(() => (streamed.match(/event: status/g) ?? []).length > 2)
  t.match(await ask(where, '/healthz'), { status: 200 })

  child.kill('SIGTERM')
  await until(() => child.exitCode !== null)
  t.equal(child.exitCode, 0)
  t.equal(existsSync(socket), false)
})

t.test(
  'as root it becomes an unprivileged user, and is gone soon after its director is killed',
  { skip: isRoot ? false : 'needs root' },
  async (t) => {
    const { child, socket } = await startDirector(t)
    const admin = adminOf(child.pid ?? 0)
    const status = readFileSync(`/proc/${admin}/status`, 'latin1')
    t.notMatch(status, /^Uid:\s+0\s/m)
    t.match(status, /^Groups:\s*$/m)
    t.match(status, /^CapEff:\s+0+$/m)
    t.match(
      readFileSync(`/proc/${admin}/stat`, 'latin1'),
      /^\d+ \(.*\) (?:\S+ ){15}25 5 /,
      'nice 5'
    )
    child.kill('SIGKILL')
    await until(() => !existsSync(`/proc/${admin}`))
    t.equal(await ask({ socketPath: socket }, '/healthz').catch(() => null), null)
  }
)

/** The child of a director that serves administrators. */
function adminOf(director: number): number {
  const children = readFileSync(`/proc/${director}/task/${director}/children`, 'latin1')
  const found = children
    .trim()
    .split(' ')
    .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('tsha: admin'))
  return Number(found)
}
