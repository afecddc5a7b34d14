import t from 'tap'
import { defaultLeaseMs, isShortLease, partnerWaitsMs } from '../../src/config/lease.js'

t.test('a lease ends, 0.2 s late, before the partner takes over', (t) => {
  const rows: [
    version: 2 | 3,
    intervalMs: number,
    adverts: number,
    partner: number,
    lease: number
  ][] = [
    [2, 1000, 3, 90, 3000],
    [2, 1000, 3, 204, 3000],
    // 3 s and 51/256 s are not enough for 3.2 s.
    [2, 1000, 3, 205, 2000],
    [2, 1000, 3, 254, 2000],
    [2, 1000, 1, 100, 1000],
    [2, 2000, 3, 100, 6000],
    [2, 255_000, 100, 100, 3_600_000],
    [3, 1000, 3, 100, 3000],
    [3, 500, 3, 100, 1000],
    // Nothing is short enough: the kernel counts whole seconds.
    [3, 100, 3, 100, 1000]
  ]
  for (const [version, advertIntervalMs, downTimerAdverts, partnerPriority, lease] of rows) {
    const input = { version, advertIntervalMs, downTimerAdverts, partnerPriority }
    t.equal(defaultLeaseMs(input), lease, JSON.stringify(input))
    t.equal(isShortLease(lease, input), advertIntervalMs !== 100, 'short enough')
    if (lease < 3_600_000) t.notOk(isShortLease(lease + 1000, input), 'no longer one is')
  }
  t.end()
})

t.test('the partner waits as RFC 3768 and RFC 9568 have it', (t) => {
  const seed = { advertIntervalMs: 1000, downTimerAdverts: 3, partnerPriority: 90 }
  t.equal(partnerWaitsMs({ ...seed, version: 2 }), 3648.4375)
  t.equal(partnerWaitsMs({ ...seed, version: 3, advertIntervalMs: 100 }), 364.84375)
  t.end()
})
