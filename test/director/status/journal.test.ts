import t from 'tap'
import type { AdminEvent } from '../../../src/admin/model.js'
import { Journal } from '../../../src/director/status/journal.js'
import { journaledLog } from '../../../src/director/log.js'

function open() {
  const journal = new Journal()
  const written: string[] = []
  return { journal, written, log: journaledLog(journal, (line) => written.push(line)) }
}

/** What an event is about, and what is left of the line. */
function about(event: AdminEvent | undefined): readonly unknown[] {
  return [event?.kind, event?.subject, event?.details]
}

t.test('a line of the log is an event: the same time, level, text and fields', (t) => {
  const { journal, written, log } = open()
  const router = log.child({ router: 'VI_1', vrid: 51 })
  router.info({ from: 'backup', to: 'master', reason: 'priority-zero' }, 'vrrp state change')
  const [line = ''] = written
  const { time } = JSON.parse(line) as { time: string }
  t.same(journal.events(), [
    {
      id: 1,
      at: time,
      level: 'info',
      kind: 'virtual-router',
      subject: 'VI_1',
      text: 'vrrp state change',
      details: { vrid: 51, from: 'backup', to: 'master', reason: 'priority-zero' }
    }
  ])
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.end()
})

t.test('what an event is about is said by the fields', (t) => {
  const { journal, log } = open()
  log.info({ group: 'G1', state: 'MASTER' }, 'sync group changed')
  log.warn({ check: 'service', detail: 'connect ECONNREFUSED' }, 'check fails')
  log.warn({ server: '192.0.2.1:80', upstream: 'web', why: 'connect' }, 'upstream server is out')
  log.warn({ host: 'web1.example.org', detail: 'ENOTFOUND' }, 'upstream server cannot be resolved')
  log.error({ worker: 4711, why: 'killed by SIGKILL' }, 'worker died')
  log.warn({ interface: 'eth2', isUp: false }, 'link changed')
  log.error({ router: 'VI_1', interface: 'eth2' }, 'the interface is gone')
  log.info('stopping')
  t.same(journal.events().map(about), [
    ['sync-group', 'G1', { state: 'MASTER' }],
    ['check', 'service', { detail: 'connect ECONNREFUSED' }],
    ['peer', '192.0.2.1:80', { upstream: 'web', why: 'connect' }],
    ['peer', 'web1.example.org', { detail: 'ENOTFOUND' }],
    ['worker', '4711', { why: 'killed by SIGKILL' }],
    ['check', 'eth2', { isUp: false }],
    ['virtual-router', 'VI_1', { interface: 'eth2' }],
    ['director', null, {}]
  ])
  t.same(
    journal.events().map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7, 8]
  )
  t.end()
})

t.test('the newest thousand events are kept, and the count of them goes on', (t) => {
  const { journal, log } = open()
  for (let i = 0; i < 1200; i += 1) log.info({ i }, 'something')
  const events = journal.events()
  t.same([events.length, events[0]?.id, events.at(-1)?.id], [1000, 201, 1200])
  const idsAfter = (id: number, limit: number): readonly number[] =>
    journal.after(id, limit).map((event) => event.id)
  t.same(idsAfter(0, 2), [201, 202])
  t.same(idsAfter(1197, 10), [1198, 1199, 1200])
  t.same(idsAfter(1200, 10), [])
  t.same(idsAfter(9999, 10), [])
  t.end()
})

t.test('the text that is kept has a bound too, and one line cannot fill it', (t) => {
  const { journal, log } = open()
  for (let i = 0; i < 200; i += 1) log.info({ text: 'x'.repeat(10_000) }, 'something long')
  t.equal(journal.events().length, 103)
  log.info({ text: 'x'.repeat(100_000) }, 'y'.repeat(5000))
  const last = journal.events().at(-1)
  t.same([last?.text.length, last?.details], [1024, { truncated: true }])
  t.end()
})

t.test('a listener hears each event once, until it hears no more', (t) => {
  const { journal, log } = open()
  log.info('before')
  const heard: string[] = []
  const end = journal.onEvent(({ id, text }) => heard.push(`${id} ${text}`))
  log.warn('one')
  log.fatal(new Error('broken'), 'two')
  end()
  log.info('after')
  t.same(heard, ['2 one', '3 two'])
  t.equal(journal.events()[2]?.level, 'fatal')
  t.end()
})

t.test('what is below info, and what is no line of the log, is no event', (t) => {
  const { journal, log } = open()
  log.level = 'debug'
  log.debug('a detail')
  for (const line of ['', 'text', 'null', '[1]', '{"level":"info"}']) journal.take(line)
  t.same(journal.events(), [])
  t.end()
})
