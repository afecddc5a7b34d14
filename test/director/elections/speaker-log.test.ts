import t from 'tap'
import { SpeakerLog } from '../../../src/director/elections/speaker-log.js'
import { FakeClock } from '../fake-clock.js'
import { LogRecord } from '../log-record.js'

function create(tellsForeign = false) {
  const record = new LogRecord()
  const clock = new FakeClock()
  return { record, clock, log: new SpeakerLog(record.log, clock, tellsForeign) }
}

t.test('a flood from 200 senders is three lines and a number', (t) => {
  const { record, clock, log } = create()
  for (let i = 0; i < 1000; i += 1) log.discarded('auth-data', `192.0.2.${i % 200}`)
  const text = 'advertisement discarded: its password differs from ours'
  t.strictSame(record.lines, [
    `warn ${text} {"reason":"auth-data","sender":"192.0.2.0"}`,
    `warn ${text} {"reason":"auth-data","sender":"192.0.2.1"}`,
    `warn ${text} {"reason":"auth-data","sender":"192.0.2.2"}`
  ])
  record.lines.length = 0
  clock.advanceTo(600_000)
  t.strictSame(record.lines, [`warn more ${text} {"reason":"auth-data","count":997}`])
  t.end()
})

t.test('other addresses are told in the same way', (t) => {
  const { record, log } = create()
  const heard = { source: '192.0.2.1', priority: 100 }
  log.accepted({ ...heard, sameAddresses: true })
  log.accepted({ ...heard, sameAddresses: false })
  log.accepted({ ...heard, sameAddresses: false })
  log.close()
  const text = 'the virtual addresses of another director differ from ours'
  t.strictSame(record.lines, [
    `warn ${text} {"sender":"192.0.2.1"}`,
    `warn more advertisements: ${text} {"count":1}`
  ])
  t.end()
})

t.test('another virtual router is told of where that is wanted', (t) => {
  const silent = create()
  silent.log.discarded('vrid', '192.0.2.1')
  t.strictSame(silent.record.lines, [])
  const telling = create(true)
  telling.log.discarded('vrid', '192.0.2.1')
  t.strictSame(telling.record.lines, [
    'warn advertisement discarded: it is for another virtual router {"reason":"vrid","sender":"192.0.2.1"}'
  ])
  t.end()
})
