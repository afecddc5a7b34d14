import t from 'tap'
import { Counters, COUNTERS, LATENESS_BOUNDS } from '../../src/vrrp/counters.js'

t.test('a new count has every name, at 0', (t) => {
  const { lateness, ...counts } = new Counters().statistics
  t.same(Object.keys(counts), COUNTERS)
  t.ok(Object.values(counts).every((value) => value === 0))
  t.same(lateness, { count: 0, max: 0, sum: 0, classes: LATENESS_BOUNDS.map(() => 0).concat(0) })
  t.end()
})

t.test('what has no counter in keepalived is not counted', (t) => {
  const counters = new Counters()
  counters.count(null)
  counters.count('ip_ttl_err')
  counters.count('ip_ttl_err')
  t.equal(counters.statistics.ip_ttl_err, 2)
  t.equal(counters.statistics.packet_len_err, 0)
  t.end()
})

t.test('lateness goes into fixed classes; what is early is not late', (t) => {
  const counters = new Counters()
  for (const late of [-1.7, 0.4, 1, 1.1, 99, 1000, 1001, 60_000]) counters.countLateness(late, 0)
  t.same(counters.statistics.lateness, {
    count: 8,
    max: 60_000,
    sum: 62_102.5,
    classes: [3, 1, 0, 0, 0, 0, 1, 0, 0, 1, 2]
  })
  t.end()
})

t.test('statistics that were taken do not change', (t) => {
  const counters = new Counters()
  const before = counters.statistics
  counters.countLateness(5, 0)
  counters.count('advert_sent')
  t.equal(before.advert_sent, 0)
  t.equal(before.lateness.count, 0)
  t.same(before.lateness.classes[2], 0)
  t.end()
})
