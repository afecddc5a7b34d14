import t from 'tap'
import { textOf } from '../../../src/admin/page/element.js'
import {
  addStatus,
  limitOf,
  NO_ADVERTISEMENTS,
  sawtooth
} from '../../../src/admin/page/advertisements.js'
import { isStale, linkBadge, linkWarning, retryAfter } from '../../../src/admin/page/link-state.js'
import { StreamText } from '../../../src/admin/page/stream-text.js'
import { addTraffic, linesOf, NO_TRAFFIC } from '../../../src/admin/page/traffic.js'
import type { Status } from '../../../src/admin/model.js'
import { BACKUP, LISTENER, MASTER, PROXY, statusOf } from '../../cli/statuses.js'

const START = Date.parse('2026-11-22T12:00:00.000Z')

function at(ms: number): string {
  return new Date(START + ms).toISOString()
}

t.test('a stream is read wherever it is cut', (t) => {
  const text =
    'retry: 1000\r\nevent: hello\r\ndata: {"a":\r\ndata: 1}\r\n\r\n: beat\n\nid: 7\nevent: log\ndata: x\n\n'
  const expected = [
    { event: 'hello', data: '{"a":\n1}', id: null },
    { event: 'log', data: 'x', id: '7' }
  ]
  t.strictSame(new StreamText().read(text), expected)
  const reader = new StreamText()
  t.strictSame(
    Array.from(text).flatMap((character) => reader.read(character)),
    expected
  )
  t.strictSame(new StreamText().read('data: not ended\n'), [])
  t.throws(() => new StreamText().read('x'.repeat(17 * 1024 * 1024)), /does not end/)
  t.end()
})

t.test('three seconds without a status are said, with the age of what is shown', (t) => {
  const live = { heardAt: 10_000, problem: null, retryAt: null }
  t.equal(isStale(live, 12_999), false)
  t.equal(isStale(live, 13_000), true)
  t.equal(textOf(linkBadge(live, 12_999)), 'live')
  t.equal(linkWarning(live, 12_999), null)
  t.equal(textOf(linkBadge(live, 13_000)), 'no news for 3 s')
  t.equal(
    linkWarning({ ...live, problem: 'the director is silent', retryAt: 75_000 }, 74_000),
    'Connection lost: no news for 1 min 4 s. What you see below is 1 min 4 s old and may be wrong. the director is silent. Next try in 1.0 s.'
  )
  const never = { heardAt: null, problem: null, retryAt: null }
  t.equal(textOf(linkBadge(never, 0)), 'connecting')
  t.equal(linkWarning(never, 0), null)
  t.match(linkWarning({ ...never, problem: 'refused' }, 0), /^Not connected\. refused\. Trying/)
  t.end()
})

t.test('tries come ever rarer, up to 8 s, and not all pages at once', (t) => {
  t.strictSame(
    [1, 2, 3, 4, 5, 6, 99].map((failures) => retryAfter(failures, 0.5)),
    [500, 1000, 2000, 4000, 8000, 8000, 8000]
  )
  t.strictSame(
    [0, 1].map((chance) => Math.round(retryAfter(5, chance))),
    [6400, 9600]
  )
  t.end()
})

t.test('advertisements that came between two statuses were evenly apart', (t) => {
  const heard = (count: number, agoS: number) => ({
    ...BACKUP,
    counters: { advert_rcvd: count },
    master: { address: '192.168.64.130', priority: 100, last_heard_s: agoS }
  })
  const one = addStatus(NO_ADVERTISEMENTS, heard(10, 0.4), at(1000))
  t.strictSame(one.times, [START + 600])
  const same = addStatus(one, heard(10, 1.4), at(2000))
  t.strictSame(same.times, [START + 600])
  const three = addStatus(same, heard(13, 0.4), at(4000))
  t.strictSame(three.times, [START + 600, START + 1600, START + 2600, START + 3600])
  const sending = { ...MASTER, counters: { advert_sent: 500 } }
  const asMaster = addStatus(three, sending, at(5000))
  t.strictSame(asMaster.times.at(-1), START + 5000 - 588)
  t.equal(asMaster.times.length, 5)
  t.strictSame(addStatus(asMaster, { ...BACKUP, master: null }, at(70_000)).times, [])
  t.end()
})

t.test('the line falls to zero with each advertisement and climbs while there is none', (t) => {
  t.strictSame(sawtooth([1000, 2000], 4500), [
    [1, 2, 2, 4.5],
    [0, 1, 0, 2.5]
  ])
  t.strictSame(sawtooth([], 4500), [[], []])
  t.strictSame(limitOf(BACKUP), { what: 'takes over after', ms: 3609.375 })
  t.strictSame(limitOf(MASTER), { what: 'due after', ms: 1000 })
  t.end()
})

function statusWith(ms: number, requests: Readonly<Record<string, number>>): Status {
  const traffic = { ...LISTENER.traffic, requests }
  return statusOf({ now: at(ms), proxy: { ...PROXY, listeners: [{ ...LISTENER, traffic }] } })
}

t.test('rates are differences of counts over the time between two statuses', (t) => {
  const first = addTraffic(NO_TRAFFIC, statusWith(0, { '200': 100 }))
  t.strictSame(first.samples, [])
  const early = addTraffic(first, statusWith(300, { '200': 130 }))
  t.strictSame(early.samples, [], 'a status after an event comes too early')
  const second = addTraffic(
    early,
    statusWith(2000, { '200': 300, '304': 2, '404': 4, '502': 6, '000': 8 })
  )
  t.strictSame(second.samples, [
    {
      at: START / 1000 + 2,
      perSecond: 110,
      classes: { '2xx': 100, '3xx': 1, '4xx': 2, '5xx': 3, none: 4 },
      p50: 1.31,
      p99: 20.4
    }
  ])
  t.end()
})

t.test('a silence breaks the lines, and another life of the director is not compared', (t) => {
  const first = addTraffic(NO_TRAFFIC, statusWith(0, { '200': 100 }))
  const gap = addTraffic(first, statusWith(60_000, { '200': 200 }))
  t.strictSame(linesOf(gap.samples, [({ perSecond }) => perSecond, ({ p99 }) => p99]), [
    [START / 1000 + 30],
    [null],
    [null]
  ])
  const other = { ...statusWith(61_000, { '200': 5 }), started_at: at(60_500) }
  t.equal(addTraffic(gap, other).samples.length, 1)
  t.equal(
    addTraffic(addTraffic(gap, other), { ...other, now: at(62_000) }).samples.at(-1)?.perSecond,
    0
  )
  t.end()
})

t.test('five minutes of traffic are kept', (t) => {
  let history = NO_TRAFFIC
  for (let second = 0; second <= 400; second++) {
    history = addTraffic(history, statusWith(second * 1000, { '200': second }))
  }
  t.equal(history.samples.length, 301)
  t.end()
})
