import { execFileSync } from 'node:child_process'
import {
  closeSync,
  createReadStream,
  openSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { prepareLogFiles } from '../../src/director/workers/log-files.js'
import { LogTroubles } from '../../src/director/workers/log-troubles.js'
import type { Log } from '../../src/director/log.js'
import { errnoOf } from '../../src/errors.js'
import { LogFile, type LogNews } from '../../src/proxy/log-file.js'
import { writeLines } from '../../src/proxy/log-write.js'
import { Host } from '../netns/lab/host.js'
import { cannotRun } from '../netns/lab/requirements.js'
import { proxyConfig, startProxy } from './support/proxy.js'
import { exchange, get, statusOf } from './support/raw-client.js'
import { scriptedUpstream } from './support/upstream.js'

const directory = mkdtempSync(join(tmpdir(), 'tsha-logs-'))
t.teardown(() => {
  rmSync(directory, { recursive: true })
})

const MIB = 1024 * 1024
/** Sweeps of 100 ms each, at instants that the test makes up. */
class Sweeper {
  #now = 0

  async sweep(count: number, ...logs: LogFile[]): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#now += 100
      for (const log of logs) log.sweep(this.#now)
      await Promise.all(logs.map((log) => log.drain()))
    }
  }
}

/** `NAME SERIAL filling` with its end, 100 bytes. */
function lineOf(name: string, serial: number): string {
  return `${name} ${String(serial).padStart(7, '0')} `.padEnd(99, '.') + '\n'
}

t.test('a FIFO that nobody reads holds nobody; its reader gets whole lines', async (t) => {
  const path = join(directory, 'fifo')
  execFileSync('mkfifo', [path])
  const news: LogNews[] = []
  const [fifo, file] = [
    new LogFile(path, (each) => news.push(each)),
    new LogFile(join(directory, 'file'))
  ]
  const sweeper = new Sweeper()
  for (let serial = 0; serial < 2000; serial++) fifo.append(lineOf('a', serial))
  await sweeper.sweep(2, fifo)
  t.same(news, [], 'a reader may be slow for a moment')
  await sweeper.sweep(12, fifo)
  t.same(news, [{ problem: 'it took nothing for 1000 ms' }])
  file.append('line\n')
  await file.drain()
  t.equal(readFileSync(join(directory, 'file'), 'latin1'), 'line\n', 'others go on')

  let text = ''
  const reader = createReadStream(path, 'latin1')
  reader.on('data', (piece) => (text += String(piece)))
  while (text.length < 2000 * 100) {
    await sweeper.sweep(1, fifo)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await sweeper.sweep(12, fifo)
  t.same(news.slice(1), [{ lost: 0 }])
  const expected = Array.from({ length: 2000 }, (_, serial) => lineOf('a', serial))
  t.equal(text, expected.join(''))
  await Promise.all([fifo.close(), file.close()])
  reader.destroy()
})

t.test('lines for which there is no room are lost and counted', async (t) => {
  const path = join(directory, 'fifo2')
  execFileSync('mkfifo', [path])
  const news: LogNews[] = []
  const fifo = new LogFile(path, (each) => news.push(each))
  for (let serial = 0; serial < 60_000; serial++) fifo.append(lineOf('a', serial))
  t.same(news, [{ problem: 'it does not keep up' }])
  t.ok(fifo.dropped >= 60_000 - (8 * MIB) / 100 - 1 && fifo.dropped < 60_000, `${fifo.dropped}`)
  await fifo.close()
})

t.test('a rotation goes past a file that takes nothing', async (t) => {
  const path = join(directory, 'fifo3')
  execFileSync('mkfifo', [path])
  const log = new LogFile(path)
  for (let serial = 0; serial < 2000; serial++) log.append(lineOf('a', serial))
  await log.drain()
  renameSync(path, `${path}.1`)
  await log.reopen()
  log.append('new\n')
  await log.close()
  const lines = readFileSync(path, 'latin1').split('\n')
  t.equal(lines.at(-2), 'new')
  t.match(lines[0], /^a \d{7} \.+$/, 'what the old one did not take is there, from a whole line on')
})

t.test('a log that cannot be opened anew is opened as soon as it can be', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const folder = join(directory, 'vanishes')
  mkdirSync(folder)
  const path = join(folder, 'access.log')
  const route = { accessLogs: [{ path, format: '$request_uri' }] }
  const proxy = await startProxy(t, { servers: [web.port], route })
  rmSync(folder, { recursive: true })
  t.equal(statusOf(await exchange(proxy.port, get('/1'))), 200)
  await proxy.engine.reopenLogs()
  await proxy.engine.reopenLogs()
  t.equal(statusOf(await exchange(proxy.port, get('/2'))), 200, 'requests go on')
  const config = proxyConfig({ servers: [web.port], route }, directory)
  await prepareLogFiles(config, null)
  await retry(async () => {
    t.equal(statusOf(await exchange(proxy.port, get('/3'))), 200)
    return readFileSync(path, 'latin1').endsWith('/3\n')
  })
  const refusals = (await proxy.errorLog()).filter((line) => line.includes('open()'))
  t.equal(refusals.length, 1)
  t.match(refusals[0], `open() "${path}" failed: ENOENT`)
})

t.test('the director tells the trouble of a log once for all workers', (t) => {
  const lines: unknown[] = []
  const write = (level: string) => (facts: object, message: string) => {
    lines.push([level, facts, message])
  }
  const log = { error: write('error'), warn: write('warn') } as unknown as Log
  const troubles = new LogTroubles(log)
  troubles.tell(1, '/a.log', { problem: '28: No space left on device' })
  troubles.tell(2, '/a.log', { problem: '28: No space left on device' })
  troubles.tell(3, '/a.log', { problem: '28: No space left on device' })
  troubles.tell(1, '/a.log', { lost: 5 })
  troubles.tell(1, '/a.log', { lost: 5 })
  troubles.exited(3)
  troubles.tell(2, '/a.log', { lost: 7 })
  troubles.exited(2)
  t.same(lines, [
    [
      'error',
      { path: '/a.log', detail: '28: No space left on device' },
      'log file takes no lines: they wait, then they are lost'
    ],
    ['warn', { path: '/a.log', lost: 12 }, 'log file takes lines again']
  ])
  t.end()
})

t.test('a full disk', { skip: cannotRun() }, async (t) => {
  // A machine of its own for its mounts, which this process sees through /proc.
  const host = await Host.start({ name: 'disk', address: null })
  t.teardown(() => host.close())
  const disk = async (name: string, size: string): Promise<string> => {
    await host.must('mkdir', '-p', `/run/${name}`)
    await host.must('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', `/run/${name}`)
    return host.path(`/run/${name}`)
  }
  const grow = (name: string, size: string): Promise<string> =>
    host.must('mount', '-o', `remount,size=${size}`, `/run/${name}`)

  await t.test(
    'two writers of one file: no line is broken, every lost one is counted',
    async (t) => {
      const path = join(await disk('one', '64k'), 'access.log')
      const news: [string, LogNews][] = []
      const [a, b] = ['a', 'b'].map((name) => new LogFile(path, (each) => news.push([name, each])))
      if (!a || !b) throw new Error('no logs')
      const sweeper = new Sweeper()
      const written = { a: 0, b: 0 }
      const append = (count: number): void => {
        for (let i = 0; i < count; i++) {
          a.append(lineOf('a', written.a++))
          b.append(lineOf('b', written.b++))
        }
      }
      for (let i = 0; i < 10; i++) {
        append(50)
        await sweeper.sweep(1, a, b)
      }
      const problem = '28: No space left on device'
      t.same(news.toSorted(), [
        ['a', { problem }],
        ['b', { problem }]
      ])
      append(50_000)
      await sweeper.sweep(20, a, b)
      t.equal(news.length, 2, 'told once')
      t.ok(a.dropped > 1000, `${a.dropped} lines of a are lost`)
      await grow('one', '32m')
      await sweeper.sweep(20, a, b)
      append(1)
      await sweeper.sweep(20, a, b)
      t.same(news.slice(2).toSorted(), [
        ['a', { lost: a.dropped }],
        ['b', { lost: b.dropped }]
      ])
      await Promise.all([a.close(), b.close()])
      const lines = readFileSync(path, 'latin1').split(/(?<=\n)/)
      const broken = lines.filter((line) => !/^[ab] \d{7} \.{89}\n$/.test(line))
      t.same(broken, [])
      t.equal(lines.filter((line) => line.startsWith('a')).length, written.a - a.dropped)
      t.equal(lines.filter((line) => line.startsWith('b')).length, written.b - b.dropped)
      t.equal(lines.at(-1)?.slice(1), lineOf('b', written.b - 1).slice(1))
    }
  )

  await t.test('a file that may only be written to: the next line begins a line', async (t) => {
    const path = join(await disk('blind', '8k'), 'access.log')
    const fd = openSync(path, 'a')
    t.teardown(() => {
      closeSync(fd)
    })
    const lines = Array.from({ length: 100 }, (_, serial) => lineOf('a', serial))
    const full = await writeLines(fd, Buffer.from(lines.join('')), false)
    t.equal(errnoOf(full.error), 'ENOSPC')
    t.equal(full.lost, 1)
    await grow('blind', '64k')
    t.same(await writeLines(fd, full.rest, false), { rest: Buffer.alloc(0), lost: 0, error: null })
    const found = readFileSync(path, 'latin1').split(/(?<=\n)/)
    t.equal(found.length, 100)
    t.same(
      found.filter((line) => !lines.includes(line)),
      [(lines[81] ?? '').slice(0, 92) + '\n'],
      'the one that the disk took in part'
    )
  })

  await t.test('requests go on, and the error log on another disk says it once', async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const path = join(await disk('two', '8k'), 'access.log')
    const told: LogNews[] = []
    const route = { accessLogs: [{ path, format: `$request_uri ${'.'.repeat(200)}` }] }
    const proxy = await startProxy(
      t,
      { servers: [web.port], route },
      { tellLog: (_path, news) => told.push(news) }
    )
    let serial = 0
    const ask = async (): Promise<void> => {
      t.equal(statusOf(await exchange(proxy.port, get(`/${serial++}`))), 200)
    }
    await retry(async () => {
      await ask()
      return told.length === 1
    })
    for (let i = 0; i < 50; i++) await ask()
    t.equal(told.length, 1)
    // More than the requests of the second until it says so can fill.
    await grow('two', '64m')
    await retry(async () => {
      await ask()
      return told.length === 2
    })
    t.same(told, [{ problem: '28: No space left on device' }, { lost: 0 }])
    const said = (await proxy.errorLog()).filter((line) => line.includes('access.log'))
    t.equal(said.length, 2)
    t.match(
      said[0],
      /\[crit\] .* write\(\) to ".*access\.log" failed: 28: No space left on device$/
    )
    t.match(said[1], /\[crit\] .* ".*access\.log" takes lines again, 0 were lost$/)
    const lines = readFileSync(path, 'latin1').split('\n').slice(0, -1)
    t.same(
      lines.map((line) => line.split(' ')[0]),
      Array.from({ length: serial }, (_, i) => `/${i}`)
    )
  })
})

/** Repeats until it is true. */
async function retry(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await isDone())) if (Date.now() > deadline) throw new Error('it never came true')
}
