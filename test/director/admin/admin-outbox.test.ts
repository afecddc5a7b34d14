import t from 'tap'
import type { DirectorToAdmin } from '../../../src/admin/messages.js'
import type { AdminEvent } from '../../../src/admin/model.js'
import { AdminOutbox } from '../../../src/director/admin/admin-outbox.js'

/** An outbox whose messages are taken when the test says so. */
function setup() {
  const events: AdminEvent[] = []
  const sent: DirectorToAdmin[] = []
  const told: string[] = []
  let taken = (): void => undefined
  let accepts = true
  const outbox = new AdminOutbox(
    {
      eventsAfter: (id, limit) => events.filter((event) => event.id > id).slice(0, limit),
      recordingReset: () => told.push('reset'),
      dropped: (what) => told.push(what)
    },
    (message, then) => {
      if (!accepts) return false
      sent.push(message)
      taken = then
      return true
    }
  )
  return {
    outbox,
    events,
    sent,
    told,
    take: (): void => {
      taken()
    },
    refuse: (): void => {
      accepts = false
    },
    accept: (): void => {
      accepts = true
    }
  }
}

function eventOf(id: number): AdminEvent {
  return { id, at: '', level: 'info', kind: 'director', subject: null, text: '', details: {} }
}

t.test('one batch is on its way at a time, and the next follows when it is taken', (t) => {
  const { outbox, events, sent, take } = setup()
  events.push(...Array.from({ length: 150 }, (_, index) => eventOf(index + 1)))
  outbox.record('a')
  outbox.record('b')
  outbox.flush()
  outbox.flush()
  t.equal(sent.length, 1)
  take()
  take()
  take()
  t.strictSame(
    sent.map((message) => (message.type === 'events' ? message.events.length : message)),
    [100, 50, { type: 'recording', reset: true, lines: ['a', 'b'] }]
  )
  outbox.record('c')
  outbox.flush()
  t.strictSame(sent[3], { type: 'recording', reset: false, lines: ['c'] })
  t.end()
})

t.test('a long recording goes in parts', (t) => {
  const { outbox, sent, take } = setup()
  const line = 'x'.repeat(1024)
  for (let count = 0; count < 100; count++) outbox.record(line)
  outbox.flush()
  take()
  take()
  t.strictSame(
    sent.map((message) => message.type === 'recording' && [message.reset, message.lines.length]),
    [
      [true, 64],
      [false, 36]
    ]
  )
  t.end()
})

t.test('beyond 4 MiB the lines are given up, counted, and the recording begins anew', (t) => {
  const { outbox, sent, told, take } = setup()
  outbox.record('first')
  outbox.flush()
  const line = 'x'.repeat(1024 * 1024)
  for (let count = 0; count < 7; count++) outbox.record(line)
  outbox.flush()
  t.equal(sent.length, 1)
  t.strictSame(told, [])
  take()
  t.strictSame(told, ['7 lines of the flight recording', 'reset'])
  outbox.record('anew')
  outbox.flush()
  t.strictSame(sent[1], { type: 'recording', reset: true, lines: ['anew'] })
  t.end()
})

t.test('events that are not kept any more are counted, but not those before its beginning', (t) => {
  const { outbox, events, told, take } = setup()
  events.push(eventOf(10))
  outbox.flush()
  take()
  t.strictSame(told, [])
  events.push(eventOf(14))
  outbox.flush()
  t.strictSame(told, ['3 events'])
  t.end()
})

t.test('what could not be sent is not lost', (t) => {
  const { outbox, events, sent, refuse, accept, take } = setup()
  refuse()
  events.push(eventOf(1))
  outbox.record('a')
  outbox.flush()
  t.equal(outbox.isWaiting, false)
  accept()
  outbox.flush()
  take()
  t.strictSame(sent, [
    { type: 'events', events: [eventOf(1)] },
    { type: 'recording', reset: true, lines: ['a'] }
  ])
  t.end()
})
