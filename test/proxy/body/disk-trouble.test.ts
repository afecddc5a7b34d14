import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { BodyBudget } from '../../../src/proxy/body/budget.js'
import { systemClock } from '../../../src/proxy/clock.js'
import { bodyOf, chunkedUpload, patternOf, sha256, upload } from '../support/bodies.js'
import { startProxy } from '../support/proxy.js'
import { RawClient, statusOf } from '../support/raw-client.js'
import { scriptedUpstream } from '../support/upstream.js'
import { BodyUnderTest, FilesUnderTest, namelessFiles, until } from './support.js'

const MIB = 1024 * 1024
const BODY = patternOf(2 * MIB)
const SUM = sha256(BODY)

/** Sends the same request several times, one after the other, and gives the statuses. */
async function statusesOf(port: number, request: Buffer, count: number): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) {
    const client = new RawClient(port)
    client.socket.write(request)
    statuses.push(statusOf(await client.take(/\r\n\r\n/)))
    await client.close()
  }
  return statuses
}

t.test(
  'a directory that does not exist: bodies stream whole, and a line each minute tells why',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const system = systemClock()
    let aheadMs = 0
    const clock = { now: () => system.now() + aheadMs, wall: () => system.wall() }
    const setup = {
      servers: [web.port],
      config: { bodyTempPath: '/nowhere' },
      route: { maxBodySize: 0 }
    }
    const proxy = await startProxy(t, setup, { clock })
    t.same(await statusesOf(proxy.port, upload('PUT', BODY), 3), [200, 200, 200])
    t.same(await statusesOf(proxy.port, chunkedUpload('POST', BODY), 2), [200, 200])
    for (const request of web.requests) t.equal(sha256(bodyOf(request)), SUM)
    t.match(web.requests[4], /\r\nTransfer-Encoding: chunked\r\n/)
    aheadMs = 60_000
    await until(() => proxy.errorsSoFar().includes('4 times since the last such line'), 'a minute')
    const lines = (await proxy.errorLog()).filter((line) => line.includes('temporary file'))
    t.equal(lines.length, 2)
    t.match(
      lines[0],
      /\[crit\] \d+#\d+: open\(\) of a temporary file in "\/nowhere" failed \(2: No such file or directory\) while buffering a client request body$/
    )
  }
)

t.test(
  'a full disk: what is in the file goes first, the rest streams, and one line tells why',
  { skip: process.geteuid?.() !== 0 && 'needs root' },
  async (t) => {
    const web = await scriptedUpstream()
    const directory = mkdtempSync(join(tmpdir(), 'tsha-full-'))
    t.teardown(async () => {
      await web.close()
      rmSync(directory, { recursive: true })
    })
    const program = fileURLToPath(new URL('full-disk.js', import.meta.url))
    const script = 'mount -t tmpfs -o size=64k tmpfs "$1" && exec "$2" "$3" "$4" "$1"'
    const child = spawn(
      'unshare',
      ['-m', 'sh', '-c', script, 'sh', directory, process.execPath, program, String(web.port)],
      { stdio: ['pipe', 'pipe', 'inherit'] }
    )
    const exited = once(child, 'exit')
    t.teardown(async () => {
      child.kill('SIGKILL')
      await exited
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    await until(() => output.includes('\n') || child.exitCode !== null, 'the proxy')
    const port = Number(output)
    t.same(await statusesOf(port, upload('PUT', BODY), 3), [200, 200, 200])
    t.same(await statusesOf(port, chunkedUpload('POST', BODY), 2), [200, 200])
    for (const request of web.requests) t.equal(sha256(bodyOf(request)), SUM)
    child.stdin.end()
    t.same(await exited, [0, null])
    t.match(output, /\n0 open, 0 passing\n/)
    const lines = output.split('\n').filter((line) => line.includes('[crit]'))
    t.equal(lines.length, 1)
    t.match(
      lines[0],
      /: write\(\) of a temporary file in ".*" failed \(28: No space left on device\) /
    )
  }
)

t.test('what cannot be read back is a 500, and no fault of the server', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port, web.port],
    route: { maxBodySize: 0, bodyBufferSize: 16_384 }
  })
  const client = new RawClient(proxy.port)
  client.socket.write(upload('PUT', Buffer.alloc(16 * MIB)))
  await until(() => web.sockets.length === 1, 'the connection')
  web.sockets[0]?.pause()
  truncateSync(namelessFiles('/tsha-proxy-')[0] ?? 'none', 0)
  web.sockets[0]?.resume()
  t.equal(statusOf(await client.take(/\r\n\r\n/)), 500)
  await client.close()
  t.same(proxy.events, [])
  t.equal(proxy.engine.bodyFiles.open, 0)
  const lines = (await proxy.errorLog()).filter((line) => line.includes('[crit]'))
  t.equal(lines.length, 1)
  t.match(lines[0], /: read\(\) of a temporary file in ".*" failed \(the file ended early\) /)
})

t.test(
  'a disk that says nothing for 30 s has failed; what it says later is not heard',
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'tsha-late-'))
    t.teardown(() => {
      rmSync(directory, { recursive: true })
    })
    const { files, lines } = new FilesUnderTest(directory, new BodyBudget())
    const under = new BodyUnderTest(files)
    under.body.begin(10, true)
    under.body.push(Buffer.from('hello world'))
    files.sweep(29_999)
    t.same([under.told, under.body.isReady], [[], false])
    files.sweep(30_000)
    t.same([under.told, under.body.isReady, under.body.isReplayable], [['ready'], true, true])
    t.match(lines, [/open\(\) of a temporary file in .* failed \(110: Connection timed out\)/])
    // Another file is made after the first one, so that one has come by then.
    const later = new BodyUnderTest(files)
    later.body.begin(10, true)
    later.body.push(Buffer.from('hello world'))
    later.body.end()
    await until(() => later.body.isReady, 'the other file')
    later.body.release()
    t.equal(files.open, 0)
    await until(() => namelessFiles(directory).length === 0, 'the late file is closed')
    under.body.push(Buffer.from('!'))
    under.body.end()
    t.equal((await under.drain()).toString(), 'hello world!')
    under.body.release()
    t.same(under.told, ['ready'])
  }
)

t.test('a disk that fails is told of once a minute, with the number of times', (t) => {
  const under = new FilesUnderTest('/spool')
  const error = Object.assign(new Error('full'), { code: 'ENOSPC' })
  const fail = (now: number): void => {
    under.now = now
    under.files.failed('write()', error)
  }
  for (const now of [0, 1, 59_999]) fail(now)
  under.files.sweep(59_999)
  t.equal(under.lines.length, 1)
  under.files.sweep(60_000)
  t.equal(under.lines.length, 2)
  t.match(
    under.lines[1],
    /failed \(28: No space left on device\) .*, 2 times since the last such line\n$/
  )
  under.files.sweep(120_000)
  t.equal(under.lines.length, 2, 'nothing new')
  fail(120_000)
  t.equal(under.lines.length, 3)
  t.end()
})
