// lane: alone - clients ask as fast as they can
import t from 'tap'
import { EventLog } from './lab/event-log.js'
import { Host } from './lab/host.js'
import { TSHA_COMMAND } from './lab/pair-files.js'
import { cannotRun } from './lab/requirements.js'

t.setTimeout(60_000)

const TSHA_YAML = `
upstreams:
  web: { servers: [{ address: "127.0.0.1:81" }] }
listeners:
  - address: "127.0.0.1:80"
    routes: [{ path: /, upstream: web }]
workers: 2
user: root
logs: { access: /run/small/logs/access.log, error: /run/error.log, level: crit }
`

const WEB = `
require('http').createServer((q, r) => r.end('well')).listen(81, () => console.log('ready'))`
/** Asks without pause, on eight connections of their own, and prints what fails. */
const CLIENT = `
const { get } = require('http')
const ask = () => get('http://127.0.0.1/' + 'a'.repeat(500), { agent: false }, (r) => {
  if (r.statusCode !== 200) console.log('failed', r.statusCode)
  r.resume().on('end', () => { n++; setImmediate(ask) })
}).on('error', (e) => { console.log('failed', e.message); setImmediate(ask) })
let n = 0
for (let i = 0; i < 8; i++) ask()
setInterval(() => { console.log('asked', n); n = 0 }, 200)`

await t.test('a disk that is full, under a whole director', { skip: cannotRun() }, async (t) => {
  const host = await Host.start({ name: 'disk', address: '127.0.0.1' })
  t.teardown(() => host.close())
  await host.must('ip', 'link', 'set', 'lo', 'up')
  await host.must('mkdir', '-p', '/run/small')
  await host.must('mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', '/run/small')
  await host.writeFile('/etc/tsha/tsha.yaml', TSHA_YAML)
  const ready = (words: string) => (line: { text: string }) => line.text.includes(words)
  const web = await host.spawn(process.execPath, ['-e', WEB])
  await web.lines.waitFor(ready('ready'), 'web server', 5000)
  const tsha = await host.spawn(process.execPath, [TSHA_COMMAND, 'run'])
  const said = new EventLog<string>('the log of tsha', 1000)
  tsha.lines.follow(({ text }) => {
    said.push(text)
  })
  await said.waitFor((text) => text.includes('tsha runs'), 'start', 10_000)

  for (const worker of await host.pids('tsha: worker')) {
    const environment = await host.readFile(`/proc/${worker}/environ`)
    t.match(environment, /UV_THREADPOOL_SIZE=6\0/, 'a thread for each log, beside the usual four')
  }

  const client = await host.spawn(process.execPath, ['-e', CLIENT])
  const begin = await said.waitFor((text) => text.includes('takes no lines'), 'begin', 10_000)
  t.match(JSON.parse(begin), {
    path: '/run/small/logs/access.log',
    detail: '28: No space left on device',
    msg: 'log file takes no lines: they wait, then they are lost'
  })
  const mark = client.lines.mark
  await client.lines.waitFor(
    () => client.lines.mark > mark + 10,
    'two seconds of requests',
    10_000,
    mark
  )
  const asked = client.lines.since(mark).map(({ text }) => text)
  t.same(
    asked.filter((text) => text.startsWith('failed')),
    [],
    'no request fails'
  )
  t.notOk(asked.includes('asked 0'), `none of them waits: ${asked.join(', ')}`)

  await host.must('mount', '-o', 'remount,size=64m', '/run/small')
  const end = await said.waitFor((text) => text.includes('takes lines again'), 'end', 10_000)
  t.match(JSON.parse(end), { path: '/run/small/logs/access.log', lost: 0 })
  await client.stop()
  const log = await host.readFile('/run/small/logs/access.log')
  const broken = log.split('\n').filter((line) => !/^(127\.0\.0\.1 - .* "-"|)$/.test(line))
  t.same(broken, [], 'every line is whole')
  const about = said.entries.filter((text) => text.includes('access.log'))
  t.equal(about.length, 2, 'once at its begin and once at its end, for both workers')

  await host.must('rm', '-r', '/run/small/logs')
  tsha.signal('SIGUSR1')
  await said.waitFor((text) => text.includes('log files reopened'), 'reopening', 5000)
  const ask = `fetch('http://127.0.0.1/again').then((r) => console.log(r.status))`
  const again = await host.run(process.execPath, ['-e', ask])
  t.equal(again.stdout, '200\n')
  await tsha.stop()
  t.same(tsha.exit, { code: 0, signal: null })
  t.match(await host.readFile('/run/small/logs/access.log'), /"GET \/again HTTP\/1\.1" 200/)
})
