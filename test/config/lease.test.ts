import t from 'tap'
import { defaultLeaseMs, isShortLease, partnerWaitsMs } from '../../src/config/lease.js'

t.test(
  'a lease that was renewed an interval after the last advertisement ends, 0.2 s late, before the partner takes over',
  (t) => {
    const rows: [
      version: 2 | 3,
      intervalMs: number,
      adverts: number,
      partner: number,
      lease: number
    ][] = [
      [2, 1000, 3, 90, 2000],
      [2, 1000, 3, 204, 2000],
      // 3 s and 51/256 s, less an interval, are not enough for 2.2 s.
      [2, 1000, 3, 205, 1000],
      [2, 1000, 3, 254, 1000],
      [2, 2000, 3, 100, 4000],
      [2, 255_000, 100, 100, 3_600_000],
      [3, 1000, 3, 100, 2000],
      [3, 500, 3, 100, 1000],
      // Nothing is short enough: the kernel counts whole seconds.
      [2, 1000, 1, 100, 1000],
      [3, 100, 3, 100, 1000]
    ]
    for (const [version, advertIntervalMs, downTimerAdverts, partnerPriority, lease] of rows) {
      const isPossible = advertIntervalMs !== 100 && downTimerAdverts !== 1
      const input = { version, advertIntervalMs, downTimerAdverts, partnerPriority }
      t.equal(defaultLeaseMs(input), lease, JSON.stringify(input))
      t.equal(isShortLease(lease, input), isPossible, 'short enough')
      if (lease < 3_600_000) t.notOk(isShortLease(lease + 1000, input), 'no longer one is')
    }
    t.end()
  }
)

t.test('the partner waits as RFC 3768 and RFC 9568 have it', (t) => {
  const seed = { advertIntervalMs: 1000, downTimerAdverts: 3, partnerPriority: 90 }
  t.equal(partnerWaitsMs({ ...seed, version: 2 }), 3648.4375)
  t.equal(partnerWaitsMs({ ...seed, version: 3, advertIntervalMs: 100 }), 364.84375)
  t.end()
})
