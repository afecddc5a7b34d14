import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.js'
import { Engine } from '../../src/proxy/engine.js'
import { refusingPort } from '../proxy/support/upstream.js'
import { cannotRun } from '../netns/lab/requirements.js'

t.setTimeout(60_000)

/**
 * Servers that nobody can connect to, so that `$upstream_addr` tells every server that a request was
 * sent to, in order: connect() to this address fails at once, and nothing leaves the machine.
 */
const SERVERS = `
  server 127.255.255.255 max_fails=0;
  server 127.255.255.255:81 max_fails=0 weight=3;
  server 127.255.255.255:82 max_fails=0 down;
  server 127.255.255.255:83 max_fails=0 weight=2;
  server 127.255.255.255:84 max_fails=0 weight=2;
`

const METHODS = {
  turns: '',
  least: 'least_conn;',
  plain: 'hash $request_uri;',
  consistent: 'hash $request_uri consistent;',
  nokey: 'hash $http_x_none consistent;',
  address: 'ip_hash;'
}
type Method = keyof typeof METHODS

/** One file for both programs; only the ports and folders differ. */
function conf(directory: string, port: number): string {
  const upstreams = Object.entries(METHODS).map(
    ([name, method]) => `upstream ${name} { ${method} ${SERVERS} }`
  )
  const locations = Object.keys(METHODS).map(
    (name) => `location /${name}/ { proxy_pass http://${name}; proxy_next_upstream error; }`
  )
  return `
worker_processes 1;
error_log ${directory}/error.log;
pid ${directory}/pid;
events { worker_connections 512; }
http {
  log_format tried '$remote_addr $request_uri $upstream_addr';
  access_log ${directory}/access.log tried;
  ${upstreams.join('\n  ')}
  server { listen 127.0.0.1:${port}; ${locations.join('\n  ')} }
}
`
}

interface Question {
  readonly method: Method
  readonly path: string
  readonly from: string
}

/** For each question the servers that were tried, in order. */
type Answers = ReadonlyMap<string, readonly string[]>

function ask(port: number, { path, from }: Question, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, localAddress: from, agent },
      (answer) => {
        answer.resume()
        answer.on('end', resolve)
      }
    )
    asked.on('error', reject)
    asked.end()
  })
}

async function askAll(port: number, questions: readonly Question[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const question of questions) await ask(port, question, agent)
  agent.destroy()
}

function readAnswers(directory: string): Answers {
  const lines = readFileSync(join(directory, 'access.log'), 'latin1').trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [from = '', path = '', ...tried] = line.split(/,? /)
      return [`${from} ${path}`, tried]
    })
  )
}

async function untilListening(port: number): Promise<void> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => {
        resolve(true)
      })
      socket.once('error', () => {
        resolve(false)
      })
    })
    socket.destroy()
    if (isThere) return
    if (Date.now() > deadline) throw new Error('nginx does not listen')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function answersOfNginx(t: Test, questions: readonly Question[]): Promise<Answers> {
  const directory = t.testdir({ nginx: {} })
  const port = await refusingPort()
  const folder = join(directory, 'nginx')
  writeFileSync(join(folder, 'nginx.conf'), conf(folder, port))
  const args = [
    '-p',
    folder,
    '-c',
    join(folder, 'nginx.conf'),
    '-g',
    'daemon off; master_process off;'
  ]
  const nginx = spawn('nginx', args, { stdio: 'ignore' })
  const exited = once(nginx, 'exit')
  try {
    await untilListening(port)
    await askAll(port, questions)
  } finally {
    nginx.kill('SIGTERM')
    await exited
  }
  return readAnswers(folder)
}

async function answersOfTsha(t: Test, questions: readonly Question[]): Promise<Answers> {
  const directory = t.testdir({ tsha: {} })
  const folder = join(directory, 'tsha')
  const port = await refusingPort()
  writeFileSync(join(folder, 'nginx.conf'), conf(folder, port))
  const machine = {
    isRoot: false,
    cpuCount: 1,
    hostname: 'director1',
    hasUser: () => Promise.resolve(true),
    hasGroup: () => Promise.resolve(true)
  }
  const nginxConf = join(folder, 'nginx.conf')
  const { config } = await loadConfig({ role: null, nginxConf }, machine)
  if (config.proxy === null) throw new Error('no proxy')
  const engine = new Engine({ config: config.proxy, checkToken: 'none' })
  try {
    await engine.listen()
    await askAll(port, questions)
  } finally {
    await engine.shutdown(1000)
  }
  return readAnswers(folder)
}

await t.test(
  'the real nginx and tsha choose the same servers',
  { skip: cannotRun('nginx') },
  async (t) => {
    const keys = Array.from({ length: 200 }, (_, i) => `page-${i * 7919}?id=${i}&q=%C3%A4`)
    const questions: Question[] = [
      ...(['plain', 'consistent'] as const).flatMap((method) =>
        keys.map((key) => ({ method, path: `/${method}/${key}`, from: '127.0.0.1' }))
      ),
      ...Array.from({ length: 60 }, (_, i) => ({
        method: 'address' as const,
        path: '/address/',
        from: `127.${(i * 37) % 256}.${(i * 91) % 256}.1`
      })),
      ...(['turns', 'least', 'nokey'] as const).flatMap((method) =>
        Array.from({ length: 15 }, (_, i) => ({
          method,
          path: `/${method}/${i}`,
          from: '127.0.0.1'
        }))
      )
    ]
    const nginx = await answersOfNginx(t, questions)
    const tsha = await answersOfTsha(t, questions)
    t.equal(nginx.size, 505)
    t.match(
      nginx.get('127.0.0.1 /turns/0')?.join(' '),
      /^127\S+:81 127\S+ 127\S+ 127\S+$/,
      'four were tried'
    )
    for (const method of Object.keys(METHODS) as Method[]) {
      const asked = questions.filter((question) => question.method === method)
      const chosen = (answers: Answers): (string | undefined)[] =>
        asked.map(({ from, path }) => answers.get(`${from} ${path}`)?.[0])
      t.strictSame(chosen(tsha), chosen(nginx), `${method}: ${asked.length} first choices`)
      t.ok(new Set(chosen(nginx)).size >= 4, `${method}: every server is chosen by some`)
      const whole = (answers: Answers): (string | undefined)[] =>
        asked.map(({ from, path }) => answers.get(`${from} ${path}`)?.join(' '))
      t.strictSame(whole(tsha), whole(nginx), `${method}: and the way on when servers fail`)
    }
  }
)
