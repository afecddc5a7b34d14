import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { ProxyConfig } from '../../src/proxy/model.js'
import { HEALTHY } from '../../src/proxy/upstream/peer-status.js'
import { proxyConfig, type ProxySetup } from './support/proxy.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { answer, refusingPort, scriptedUpstream } from './support/upstream.js'
import { WorkerUnderTest } from './support/workers.js'

const directory = mkdtempSync(join(tmpdir(), 'tsha-worker-'))
t.teardown(() => {
  rmSync(directory, { recursive: true })
})

/** A configuration on a port that is free at the moment. */
async function configOn(setup: ProxySetup): Promise<{ config: ProxyConfig; port: number }> {
  const port = await refusingPort()
  const listen = { host: '127.0.0.1', port }
  const config = proxyConfig({ ...setup, server: { ...setup.server, listen } }, directory)
  return { config, port }
}

t.test('two workers share the port; one that is killed takes nothing with it', async (t) => {
  const web = await scriptedUpstream()
  const { config, port } = await configOn({ servers: [web.port] })
  const first = new WorkerUnderTest()
  const second = new WorkerUnderTest()
  t.teardown(async () => {
    await Promise.all([first.kill(), second.kill(), web.close()])
  })
  await Promise.all([first.start(config), second.start(config)])
  await Promise.all([first.hear('listening'), second.hear('listening')])
  t.equal(statusOf(await exchange(port, get())), 200)
  await first.kill()
  for (let i = 0; i < 10; i++) t.equal(statusOf(await exchange(port, get())), 200)
  const third = new WorkerUnderTest()
  t.teardown(() => third.kill())
  await third.start(config)
  await third.hear('listening')
  await second.kill()
  t.equal(statusOf(await exchange(port, get())), 200, 'its replacement serves alone')
})

t.test('a worker answers pings, reports failures, and believes the director', async (t) => {
  const web = await scriptedUpstream()
  const { config, port } = await configOn({ servers: [await refusingPort(), web.port] })
  const worker = new WorkerUnderTest()
  t.teardown(() => Promise.all([worker.kill(), web.close()]))
  await worker.start(config)
  await worker.hear('listening')
  worker.tell({ type: 'ping', id: 42 })
  t.same(await worker.hear('pong'), { type: 'pong', id: 42 })
  t.equal(statusOf(await exchange(port, get())), 200)
  const { index, event } = await worker.hear('peer-event')
  t.equal(index, 0)
  if (event.kind !== 'failed') throw new Error(`not a failure: ${event.kind}`)
  const now = Number(process.hrtime.bigint()) / 1e6
  t.ok(now - event.at >= 0 && now - event.at < 5000, 'one clock for all processes')
  worker.tell({
    type: 'peer',
    index: 0,
    status: { ...HEALTHY, fails: 2, accessedAt: now, checkedAt: now }
  })
  worker.tell({ type: 'ping', id: 43 })
  while (worker.messages.length < 5) await once(worker.worker, 'message')
  t.equal(worker.messages.filter(({ type }) => type === 'peer-event').length, 1)
})

t.test(
  'shutdown: the running request finishes, exit code 0; the signals of a group do nothing',
  async (t) => {
    const held: Socket[] = []
    const web = await scriptedUpstream((_request, socket) => held.push(socket))
    const { config, port } = await configOn({ servers: [web.port], logFormat: '$status' })
    const worker = new WorkerUnderTest()
    t.teardown(() => Promise.all([worker.kill(), web.close()]))
    await worker.start(config)
    await worker.hear('listening')
    t.equal(readFileSync(`/proc/${worker.pid}/cmdline`, 'latin1').split('\0')[0], 'tsha: worker')
    const log = join(directory, 'access.log')
    renameSync(log, `${log}.1`)
    worker.tell({ type: 'reopen-logs' })
    const client = new RawClient(port)
    client.send(get())
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
      worker.worker.process.kill(signal)
    }
    worker.tell({ type: 'shutdown', graceMs: 5000 })
    worker.tell({ type: 'ping', id: 1 })
    await worker.hear('pong')
    held[0]?.write(answer('late'))
    t.match(await client.rest(), /Connection: close\r\n\r\nlate$/)
    t.same(await worker.exited, { code: 0, signal: null })
    t.equal(
      readFileSync(log, 'latin1'),
      '200\n',
      'the log was reopened, and written before the exit'
    )
  }
)

t.test('shutdown: the grace is a bound', async (t) => {
  const web = await scriptedUpstream(() => undefined)
  const { config, port } = await configOn({ servers: [web.port] })
  const worker = new WorkerUnderTest()
  t.teardown(() => Promise.all([worker.kill(), web.close()]))
  await worker.start(config)
  await worker.hear('listening')
  const client = new RawClient(port)
  client.send(get())
  while (web.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  worker.tell({ type: 'shutdown', graceMs: 100 })
  t.same(await worker.exited, { code: 0, signal: null })
  t.equal(await client.rest(), '')
})

t.test('a worker whose director is gone stops at once', async (t) => {
  const web = await scriptedUpstream(() => undefined)
  const { config, port } = await configOn({ servers: [web.port] })
  const worker = new WorkerUnderTest()
  t.teardown(() => Promise.all([worker.kill(), web.close()]))
  await worker.start(config)
  await worker.hear('listening')
  const client = new RawClient(port)
  client.send(get())
  while (web.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  worker.worker.process.disconnect()
  t.equal((await worker.exited).signal, null)
  t.equal(await client.rest(), '')
})

t.test('a worker with a log that hangs serves, logs elsewhere, and stops at once', async (t) => {
  const fifo = join(directory, 'fifo')
  execFileSync('mkfifo', [fifo])
  for (const how of ['disconnect', 'shutdown'] as const) {
    const web = await scriptedUpstream()
    const accessLogs = [
      { path: join(directory, 'hanging.log'), format: 'hanging' },
      { path: join(directory, `${how}.log`), format: '$status' }
    ]
    const { config, port } = await configOn({ servers: [web.port], route: { accessLogs } })
    const worker = new WorkerUnderTest(fifo)
    t.teardown(() => Promise.all([worker.kill(), web.close()]))
    await worker.start(config)
    await worker.hear('listening')
    t.equal(statusOf(await exchange(port, get())), 200)
    const { path, news } = await worker.hear('log')
    t.same([path, news], [accessLogs[0]?.path, { problem: 'it took nothing for 1000 ms' }])
    t.equal(statusOf(await exchange(port, get())), 200)
    const isLogged = (): boolean =>
      readFileSync(join(directory, `${how}.log`), 'latin1') === '200\n200\n'
    while (!isLogged()) await new Promise((resolve) => setTimeout(resolve, 10))
    if (how === 'disconnect') worker.worker.process.disconnect()
    else worker.tell({ type: 'shutdown', graceMs: 0 })
    t.same(await worker.exited, { code: null, signal: 'SIGKILL' }, 'a thread never returns')
  }
})

t.test(
  'failed: a port that is taken, a log that cannot be opened, a variable that is none',
  async (t) => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    t.teardown(() => taken.close())
    const { port } = taken.address() as AddressInfo
    const { config } = await configOn({ servers: [1] })
    const [server] = config.servers
    if (server === undefined) throw new Error('no server')
    const cases: [config: ProxyConfig, code: string, message: RegExp][] = [
      [
        { ...config, servers: [{ ...server, listen: { host: '127.0.0.1', port } }] },
        'TSHA_E_LISTEN',
        new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is taken by another program$`)
      ],
      [
        { ...config, servers: [{ ...server, listen: { host: '192.0.2.1', port: 80 } }] },
        'TSHA_E_LISTEN',
        /^port 80 on 192\.0\.2\.1 is not an address of this machine$/
      ],
      [
        { ...config, errorLog: { path: '/nowhere/error.log', level: 'error' } },
        'TSHA_E_LOG_FILE',
        /^log file \/nowhere\/error\.log cannot be opened: ENOENT/
      ],
      [
        {
          ...config,
          servers: [{ ...server, accessLogs: [{ path: '/dev/null', format: '$nope' }] }]
        },
        'TSHA_E_WORKER',
        /^unknown variable \$nope$/
      ]
    ]
    for (const [broken, code, message] of cases) {
      const worker = new WorkerUnderTest()
      t.teardown(() => worker.kill())
      await worker.start(broken)
      const failed = await worker.hear('failed')
      t.equal(failed.code, code)
      t.match(failed.message, message)
      t.same(await worker.exited, { code: 1, signal: null })
    }
  }
)

const isRoot = process.geteuid?.() === 0

t.test(
  'privileges: root is given up after listening',
  { skip: !isRoot && 'needs root' },
  async (t) => {
    const web = await scriptedUpstream()
    const { config, port } = await configOn({ servers: [web.port] })
    const worker = new WorkerUnderTest()
    t.teardown(() => Promise.all([worker.kill(), web.close()]))
    await worker.start({ ...config, user: 'nobody' })
    await worker.hear('listening')
    const status = readFileSync(`/proc/${worker.pid}/status`, 'utf8')
    t.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m)
    t.match(status, /^Gid:\t65534\t65534\t65534\t65534$/m)
    t.match(status, /^CapEff:\t0+$/m)
    t.equal(statusOf(await exchange(port, get())), 200)
    const unknown = new WorkerUnderTest()
    t.teardown(() => unknown.kill())
    await unknown.start({ ...config, user: 'no-such-user' })
    t.equal((await unknown.hear('failed')).code, 'TSHA_E_WORKER')
  }
)

t.test('connections that wait to be accepted outlive the worker that ends', async (t) => {
  const web = await scriptedUpstream()
  const { config, port } = await configOn({ servers: [web.port] })
  const [old, next] = [new WorkerUnderTest(), new WorkerUnderTest()]
  t.teardown(() => Promise.all([old.kill(), next.kill(), web.close()]))
  await Promise.all([old.start(config), next.start(config)])
  await Promise.all([old.hear('listening'), next.hear('listening')])
  for (const worker of [old, next]) worker.worker.process.kill('SIGSTOP')
  const clients = Array.from({ length: 20 }, () => new RawClient(port))
  for (const client of clients) {
    await once(client.socket, 'connect')
    client.send(get())
  }
  old.tell({ type: 'shutdown', graceMs: 5000 })
  old.worker.process.kill('SIGCONT')
  t.same(await old.exited, { code: 0, signal: null })
  next.worker.process.kill('SIGCONT')
  for (const client of clients) t.equal(statusOf(await client.rest()), 200)
})
