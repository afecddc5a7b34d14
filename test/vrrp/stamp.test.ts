import t from 'tap'
import { isFresh, nextStamp, ReplayMemory, type Freshness } from '../../src/vrrp/stamp.js'

const TIME: Freshness = { antiReplay: 'time', window: 5000 }
const MONOTONIC: Freshness = { antiReplay: 'monotonic', window: 5000 }
const MULTICAST = { kind: 'multicast', group: '224.0.0.18' } as const

/** A stamp by its fields. */
function stamp(seconds: number, fraction = 0, counter = 0): bigint {
  return (BigInt(seconds) << 32n) | (BigInt(fraction) << 16n) | BigInt(counter)
}

t.test('a stamp is the clock: seconds and 1/65536 s', (t) => {
  t.equal(nextStamp(null, 1_000_500, TIME), stamp(1000, 0x8000))
  t.equal(nextStamp(stamp(999), 1_000_250, TIME), stamp(1000, 0x4000))
  t.end()
})

t.test('where the clock has not moved on, the counter grows, and carries', (t) => {
  t.equal(nextStamp(stamp(1000, 0x8000), 1_000_500, TIME), stamp(1000, 0x8000, 1))
  t.equal(nextStamp(stamp(1000, 0x8000, 0xffff), 1_000_500, TIME), stamp(1000, 0x8001))
  t.equal(nextStamp(stamp(1003), 1_000_000, TIME), stamp(1003, 0, 1), 'set back within the window')
  t.end()
})

t.test('after the clock was set back by more than the window, stamps begin anew', (t) => {
  t.equal(nextStamp(stamp(1006), 1_000_000, TIME), stamp(1000))
  t.equal(nextStamp(stamp(1006), 1_000_000, MONOTONIC), stamp(1006, 0, 1), 'but not if monotonic')
  t.end()
})

t.test('in 2038 and in 2106 stamps go on growing', (t) => {
  t.equal(nextStamp(null, 0x8000_0000 * 1000, TIME), stamp(0x8000_0000))
  t.equal(nextStamp(stamp(0xffff_ffff), 0x1_0000_0000 * 1000, TIME), stamp(0))
  t.equal(isFresh(0xffff_ffff, 0x1_0000_0002 * 1000, 5000), true)
  const memory = new ReplayMemory(MULTICAST)
  t.equal(memory.admits('a', stamp(0xffff_ffff), 0xffff_ffff * 1000, TIME), true)
  t.equal(memory.admits('a', stamp(0), 0x1_0000_0000 * 1000, TIME), true)
  t.equal(memory.admits('a', stamp(0xffff_ffff), 0x1_0000_0000 * 1000, TIME), false)
  t.end()
})

t.test('senders are remembered apart', (t) => {
  const memory = new ReplayMemory(MULTICAST)
  t.equal(memory.admits('a', stamp(1000), 1_000_000, TIME), true)
  t.equal(memory.admits('b', stamp(1000), 1_000_000, TIME), true)
  t.equal(memory.admits('a', stamp(1000), 1_000_000, TIME), false)
  t.end()
})

t.test(
  'what left the window is forgotten: a sender whose clock was set back is heard again',
  (t) => {
    const memory = new ReplayMemory(MULTICAST)
    memory.admits('a', stamp(1005), 1_000_000, TIME)
    t.equal(memory.admits('a', stamp(999), 999_000, TIME), true)
    const strict = new ReplayMemory(MULTICAST)
    strict.admits('a', stamp(1005), 1_000_000, MONOTONIC)
    t.equal(strict.admits('a', stamp(999), 999_000, MONOTONIC), false)
    t.end()
  }
)

t.test('four multicast senders are remembered, the longest silent is forgotten first', (t) => {
  const memory = new ReplayMemory(MULTICAST)
  const hear = (source: string, seconds: number): boolean =>
    memory.admits(source, stamp(seconds), 1_000_000, MONOTONIC)
  for (const source of ['a', 'b', 'c', 'd']) hear(source, 1000)
  hear('a', 1001)
  hear('e', 1000)
  t.equal(memory.size, 4)
  t.equal(hear('a', 1001), false, 'a was heard after b')
  t.equal(hear('b', 1000), true, 'b is forgotten')
  t.end()
})

t.test('every unicast peer is remembered', (t) => {
  const peers = Array.from({ length: 9 }, (_, i) => ({ address: `10.0.0.${i}`, ttl: null }))
  const memory = new ReplayMemory({ kind: 'unicast', peers, checkSource: false, ttl: 255 })
  for (const { address } of peers) memory.admits(address, stamp(1000), 1_000_000, TIME)
  t.equal(memory.size, 9)
  t.end()
})
