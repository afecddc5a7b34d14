import { execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { tcpCheck } from '../../src/health/checks/tcp.js'
import { isInstalled } from '../netns/lab/requirements.js'
import { childrenOf } from '../netns/lab/process-tree.js'
import { exchange, get, statusOf } from '../proxy/support/raw-client.js'
import { refusingPort, scriptedUpstream } from '../proxy/support/upstream.js'

t.setTimeout(60_000)

const WORKER_DIED = 'worker died, starting another'
const TSHA = resolve(import.meta.dirname, '../../bin/tsha.js')

t.test(
  'a director without a free file descriptor goes on, and starts workers again when it can',
  { skip: !isInstalled('prlimit') && 'needs prlimit' },
  async (t) => {
    const web = await scriptedUpstream()
    const port = await refusingPort()
    const directory = t.testdir({
      'nginx.conf': `worker_processes 2; error_log ERROR; pid PID; user root;
        events { worker_connections 1024; }
        http { access_log off; server { listen 127.0.0.1:${port};
        location / { proxy_pass http://127.0.0.1:${web.port}; } } }`
    })
    const file = join(directory, 'nginx.conf')
    const text = readFileSync(file, 'utf8')
      .replace('ERROR', join(directory, 'error.log'))
      .replace('PID', join(directory, 'tsha.pid'))
    execFileSync('tee', [file], { input: text })

    const command = [
      '--nofile=128:128',
      process.execPath,
      TSHA,
      'run',
      '--nginx-conf',
      file,
      '--admin-socket',
      'off'
    ]
    const director = spawn('prlimit', command, { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = director.pid ?? 0
    const exited = new Promise((done) => director.once('exit', done))
    t.teardown(async () => {
      director.kill('SIGTERM')
      await Promise.all([exited, web.close()])
    })
    const lines: string[] = []
    let wake: () => void = () => undefined
    createInterface(director.stdout).on('line', (line) => {
      lines.push(line)
      wake()
    })
    const hear = async (words: string, from = 0): Promise<string> => {
      for (;;) {
        const found = lines.slice(from).find((line) => line.includes(words))
        if (found !== undefined) return found
        await new Promise<void>((done) => (wake = done))
      }
    }
    await hear('tsha runs')
    t.match(JSON.parse(await hear('worker_connections')), {
      level: 40,
      msg: '1024 worker_connections exceed the limit of open files: 128; a worker takes 88'
    })
    t.equal(statusOf(await exchange(port, get())), 200)

    // Not one more: 0, 1 and 2 are in use.
    execFileSync('prlimit', ['--pid', String(pid), '--nofile=3:128'])
    const mark = lines.length
    const [victim] = childrenOf(pid)
    process.kill(victim ?? 0, 'SIGKILL')
    await hear('killed by SIGKILL', mark)
    t.match(JSON.parse(await hear('EMFILE', mark)), { level: 50, msg: WORKER_DIED })
    for (let i = 0; i < 20; i++) t.equal(statusOf(await exchange(port, get())), 200)
    t.equal(director.exitCode, null)

    execFileSync('prlimit', ['--pid', String(pid), '--nofile=128:128'])
    await hear('worker listens', mark)
    t.equal(childrenOf(pid).length, 2)
    t.equal(statusOf(await exchange(port, get())), 200)
    director.kill('SIGTERM')
    t.equal(await exited, 0)
  }
)

t.test('a check without a descriptor says so, and nothing about the server', async (t) => {
  const held: number[] = []
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    // Now there is none left.
  }
  const check = tcpCheck({ host: '127.0.0.1', port: 1, timeoutMs: 1000 })
  const result = await check(new AbortController().signal)
  for (const fd of held) closeSync(fd)
  t.match(result, { passed: false, detail: 'connect EMFILE 127.0.0.1:1', isOurs: true })
})
