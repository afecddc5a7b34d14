import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { AdminEvent } from '../../src/admin/model.js'
import {
  FakeDirector,
  FakeStream,
  json,
  problem,
  SILENCE,
  start,
  tsha,
  type Answer
} from './fake-director.js'
import { BACKUP, MASTER, PEER, PROXY, statusOf } from './statuses.js'

t.jobs = 4

async function director(
  t: { teardown: (end: () => Promise<void>) => void },
  answers: Readonly<Record<string, Answer>>
): Promise<FakeDirector> {
  const fake = new FakeDirector({ 'GET /v1/status': json(statusOf()), ...answers })
  t.teardown(() => fake.remove())
  await fake.listen()
  return fake
}

const DONE = json({ lines: ['it was done'] })

void t.test('status, --json and --check tell the same director', async (t) => {
  const { socket } = await director(t, {})
  const [text, raw, check] = await Promise.all([
    tsha(['status'], { TSHA_SOCKET: socket, COLUMNS: '80' }),
    tsha(['status', '--json', '--socket', socket]),
    tsha(['status', '--check', '--socket', socket])
  ])
  t.match(text, { code: 0, stderr: '' })
  t.match(
    text.stdout,
    /^director1 \(master\) {2}all is well {2}tsha 0\.1\.0, up 2 h 5 min\n\nnginx: MASTER since/
  )
  t.notMatch(text.stdout, '\u001B', 'no colours in a pipe')
  t.same(JSON.parse(raw.stdout), statusOf())
  t.match(check, { code: 0, stdout: /^TSHA OK - nginx is MASTER of 192\.168\.64\.200 \| .*\n$/ })
})

void t.test(
  '--check tells CRITICAL of a director that is away, and UNKNOWN of what it cannot ask',
  async (t) => {
    const { socket } = await director(t, {
      'GET /v1/status': problem(503, 'TSHA_E_SILENT', 'no answer within 1 s')
    })
    const [silent, away, wrong] = await Promise.all([
      tsha(['status', '--check', '--socket', socket]),
      tsha(['status', '--check', '--socket', `${socket}.not`]),
      tsha(['status', '--check', '--url', 'director1'])
    ])
    t.same(silent, { code: 2, stdout: 'TSHA CRITICAL - no answer within 1 s\n', stderr: '' })
    t.match(away, { code: 2, stdout: /^TSHA CRITICAL - no director runs here.*\n$/, stderr: '' })
    t.match(wrong, {
      code: 3,
      stdout: /^TSHA UNKNOWN - --url is director1; expected https:\/\/HOST:PORT\n$/
    })
  }
)

void t.test('a director of another version whose status lacks something is named', async (t) => {
  const router = { name: MASTER.name, state: MASTER.state }
  const older = { ...statusOf(), version: '0.0.9', virtual_routers: [router], proxy: {} }
  const { socket } = await director(t, { 'GET /v1/status': json(older) })
  const said =
    'tsha: the director runs tsha 0.0.9 and this command is tsha 0.1.0, which cannot read its status; ' +
    'status --json shows it as it is [TSHA_E_ANSWER]\n'
  for (const command of ['status', 'why', 'top']) {
    const outcome = await tsha([command, '--socket', socket])
    t.same(outcome, { code: 1, stdout: '', stderr: said }, command)
  }
  t.match(await tsha(['status', '--json', '--socket', socket]), { code: 0 })
})

void t.test('each command asks for what it says, and prints what was done', async (t) => {
  const virtual_routers = [
    { ...BACKUP, name: 'nginx' },
    { ...BACKUP, name: 'a/b c' }
  ]
  const upstreams = [
    { name: 'web', balance: 'round-robin', peers: [PEER, { ...PEER, name: 'unix:/run/app.sock' }] },
    { name: 'app', balance: 'round-robin', peers: [PEER] }
  ]
  const all = 'POST /v1/'
  const paths = [
    'reload',
    'logs/reopen',
    'workers/replace',
    'proxy/stop',
    'proxy/start',
    'virtual-routers/step-down',
    'virtual-routers/resume',
    'virtual-routers/nginx/step-down',
    'virtual-routers/a%2Fb%20c/resume',
    'virtual-routers/nginx/priority',
    'upstreams/web/peers/192.168.64.143%3A80',
    'upstreams/app/peers/192.168.64.143%3A80',
    'upstreams/web/peers/unix%3A%2Frun%2Fapp.sock'
  ]
  const fake = await director(t, {
    'GET /v1/status': json(statusOf({ virtual_routers, proxy: { ...PROXY, upstreams } })),
    ...Object.fromEntries(paths.map((path) => [all + path, DONE]))
  })
  const cases: readonly (readonly [words: string, ...requests: string[]])[] = [
    ['reload', 'reload'],
    ['reopen-logs', 'logs/reopen'],
    ['replace-workers', 'workers/replace'],
    ['proxy stop', 'proxy/stop'],
    ['proxy start', 'proxy/start'],
    ['step-down', 'virtual-routers/step-down'],
    ['step-down ng', 'virtual-routers/nginx/step-down'],
    ['resume', 'virtual-routers/resume'],
    ['resume a', 'virtual-routers/a%2Fb%20c/resume'],
    ['priority nginx 150', 'virtual-routers/nginx/priority {"priority":150}'],
    ['priority nginx default', 'virtual-routers/nginx/priority {"priority":null}'],
    ['drain web/192', 'upstreams/web/peers/192.168.64.143%3A80 {"state":"drain"}'],
    ['up unix', 'upstreams/web/peers/unix%3A%2Frun%2Fapp.sock {"state":"up"}'],
    ['weight app/192.168.64.143 5', 'upstreams/app/peers/192.168.64.143%3A80 {"weight":5}'],
    [
      'down --all 192.168.64.143',
      'upstreams/web/peers/192.168.64.143%3A80 {"state":"down"}',
      'upstreams/app/peers/192.168.64.143%3A80 {"state":"down"}'
    ]
  ]
  for (const [words, ...requests] of cases) {
    fake.requests.length = 0
    const result = await tsha([...words.split(' '), '--socket', fake.socket])
    t.same(
      result,
      { code: 0, stdout: requests.map(() => 'it was done\n').join(''), stderr: '' },
      words
    )
    t.same(
      fake.requests.filter((request) => request.startsWith(all)),
      requests.map((request) => all + request),
      words
    )
  }
})

void t.test(
  'a refusal is told with all of its problems, and its exit code says whose turn it is',
  async (t) => {
    const fake = await director(t, {
      'POST /v1/reload': problem(
        422,
        'TSHA_E_CONFIG_REFUSED',
        'tsha.yaml:3:1: wrong [TSHA_E_VALUE]',
        'tsha.yaml:9:1: \u001B[2J'
      ),
      'POST /v1/proxy/stop': problem(409, 'TSHA_E_CONFLICT', 'there is no proxy'),
      'POST /v1/proxy/start': problem(
        503,
        'TSHA_E_SILENT',
        'no answer within 90 s; it may still be done'
      )
    })
    const [refused, conflict, silent, peer] = await Promise.all([
      tsha(['reload', '--socket', fake.socket]),
      tsha(['proxy', 'stop', '--socket', fake.socket]),
      tsha(['proxy', 'start', '--socket', fake.socket]),
      tsha(['drain', 'web7', '--socket', fake.socket])
    ])
    t.same(refused, {
      code: 2,
      stdout: '',
      stderr:
        'tsha: the title [TSHA_E_CONFIG_REFUSED]\n  tsha.yaml:3:1: wrong [TSHA_E_VALUE]\n  tsha.yaml:9:1: ?[2J\n'
    })
    t.same(conflict, { code: 1, stdout: '', stderr: 'tsha: there is no proxy [TSHA_E_CONFLICT]\n' })
    t.match(silent, {
      code: 3,
      stderr: 'tsha: no answer within 90 s; it may still be done [TSHA_E_SILENT]\n'
    })
    t.same(peer, {
      code: 2,
      stdout: '',
      stderr:
        'tsha: there is no peer web7; there are: [TSHA_E_UNKNOWN_NAME]\n  web/192.168.64.143:80\n  web/192.168.64.138:80\n'
    })
  }
)

void t.test('who cannot be asked is told, with what to do about it', async (t) => {
  const fake = await director(t, { 'GET /metrics': SILENCE, 'GET /v1/events': json('what?') })
  const garbage = await listen(t, join(fake.folder, 'garbage.sock'), 'SSH-2.0-OpenSSH_9.2\r\n')
  const closing = await listen(t, join(fake.folder, 'closing.sock'), null)
  const [none, silent, ssh, closed, json_] = await Promise.all([
    tsha(['why', '--socket', join(fake.folder, 'none.sock')]),
    tsha(['metrics', '--timeout', '300ms', '--socket', fake.socket]),
    tsha(['status', '--socket', garbage]),
    tsha(['status', '--socket', closing]),
    tsha(['events', '--socket', fake.socket])
  ])
  t.match(none, {
    code: 3,
    stdout: '',
    stderr:
      /^tsha: no director runs here, or its admin socket is off \(.*none\.sock\): systemctl status 'tsha@\*' \[TSHA_E_NO_DIRECTOR\]\n$/
  })
  t.match(silent, {
    code: 3,
    stdout: '',
    stderr: /^tsha: no answer within 0\.3 s.* \[TSHA_E_NO_ANSWER\]\n$/
  })
  t.match(ssh, {
    code: 1,
    stdout: '',
    stderr: /^tsha: this is no answer of a director: it does not speak HTTP.* \[TSHA_E_ANSWER\]\n$/
  })
  t.match(closed, {
    code: 3,
    stdout: '',
    stderr:
      /^tsha: the connection was closed before the answer was complete \[TSHA_E_NO_ANSWER\]\n$/
  })
  t.match(json_, { code: 1, stderr: /expected a list of events.* \[TSHA_E_ANSWER\]\n$/ })
})

void t.test(
  'who may not use the socket is told which group may',
  { skip: process.getuid?.() !== 0 },
  async (t) => {
    const fake = await director(t, {})
    chmodSync(fake.folder, 0o711)
    chmodSync(fake.socket, 0o660)
    const asNobody = `process.setgroups([]); process.setgid(65534); process.setuid(65534)`
    const preload = join(fake.folder, 'nobody.cjs')
    writeFileSync(preload, asNobody, { mode: 0o644 })
    const result = await tsha(['status', '--socket', fake.socket], {
      NODE_OPTIONS: `--require ${preload}`
    })
    t.match(result, {
      code: 1,
      stdout: '',
      stderr:
        /^tsha: may not use .*admin\.sock: only root may; admin\.socket_group lets others in \[TSHA_E_ACCESS\]\n$/
    })
  }
)

void t.test('a flag that cannot be right is refused before anybody is asked', async (t) => {
  const cases: readonly (readonly [words: string, message: RegExp])[] = [
    ['priority nginx 255', /PRIORITY is 255, the owner/],
    ['weight web1 0', /WEIGHT is 0; expected 1 to 65535, or default/],
    ['status --timeout 5', /--timeout is 5; expected a duration such as/],
    ['events --since yesterday', /--since is yesterday/],
    ['status --token-file x', /belong to --url/],
    [
      'status --url http://director1:9112 --token-file /dev/null',
      /would cross the network in clear/
    ],
    ['drain web1 --at-most 5s', /--at-most belongs to --wait/],
    ['status --watch', /status --watch needs a terminal/],
    ['proxy restart', /restart.*stop.*start/s]
  ]
  const { socket } = await director(t, {})
  await Promise.all(
    cases.map(async ([words, message]) => {
      const { code, stdout, stderr } = await tsha([...words.split(' ')], { TSHA_SOCKET: socket })
      t.equal(code, 2, words)
      t.equal(stdout, '')
      t.match(stderr, message)
      t.match(stderr, /\[TSHA_E_FLAG\]\n$/)
    })
  )
})

const EVENT: AdminEvent = {
  id: 1,
  at: '2026-11-22T12:05:00.042Z',
  level: 'warn',
  kind: 'peer',
  subject: 'web1:80',
  text: 'peer is out',
  details: {}
}

void t.test(
  'events -f goes on after the director was started anew, and ends with its reader',
  async (t) => {
    const stream = new FakeStream()
    const fake = await director(t, { 'GET /v1/events': stream.answer })
    stream.lastId = 2
    stream.events = [EVENT, { ...EVENT, id: 2, text: 'peer is up' }]
    const events = start(['events', '-f', '--socket', fake.socket])
    t.teardown(() => events.child.kill())
    await events.said(/peer is up/)
    await stream.opened()
    t.equal(fake.requests.at(-1), 'GET /v1/events?level=info')
    stream.sendEvent({ ...EVENT, id: 2, text: 'peer is up' })
    stream.sendEvent({ ...EVENT, id: 3, text: 'third' })
    await events.said(/third/)
    await fake.close()
    await events.said(/trying again/)
    stream.lastId = 2
    await fake.listen()
    await stream.opened()
    stream.sendEvent({ ...EVENT, id: 2, text: 'a new life' })
    await events.said(/a new life/)
    t.match(events.stderr, /^tsha: .*; trying again\ntsha: connected again\n$/)
    t.equal(
      events.stdout,
      [
        '2026-11-22 12:05:00.042 WARN  peer web1:80: peer is out\n',
        '2026-11-22 12:05:00.042 WARN  peer web1:80: peer is up\n',
        '2026-11-22 12:05:00.042 WARN  peer web1:80: third\n',
        '2026-11-22 12:05:00.042 WARN  peer web1:80: a new life\n'
      ].join('')
    )
    events.child.stdout?.destroy()
    stream.sendEvent({ ...EVENT, id: 3 })
    stream.sendEvent({ ...EVENT, id: 4 })
    t.match(await events.ended, { code: 0 })
  }
)

void t.test('drain --wait tells how many are in flight, and ends when none is', async (t) => {
  let left = 2
  const status: Answer = (request, response, body) => {
    const traffic = { ...PEER.traffic, in_flight: left }
    const state = left === 2 ? 'up' : 'drain'
    const upstreams = [{ name: 'web', balance: 'x', peers: [{ ...PEER, state, traffic } as const] }]
    json(statusOf({ proxy: { ...PROXY, upstreams } }))(request, response, body)
    if (left === 1) left = 0
  }
  const fake = await director(t, {
    'GET /v1/status': status,
    'POST /v1/upstreams/web/peers/192.168.64.143%3A80': (request, response, body) => {
      left = 1
      DONE(request, response, body)
    }
  })
  const result = await tsha(['drain', '192', '--wait', '--socket', fake.socket])
  t.match(result, {
    code: 0,
    stdout:
      /^it was done\nweb\/192\.168\.64\.143:80: nothing in flight any more, after \d\.\d s\n$/,
    stderr: 'web/192.168.64.143:80: 1 in flight\n'
  })
})

async function listen(
  t: { teardown: (end: () => void) => void },
  path: string,
  answer: string | null
): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.end(answer ?? '')
    })
  })
  t.teardown(() => {
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return path
}
