import t from 'tap'
import { ToldSenders } from '../../../src/director/elections/told-senders.js'
import { FakeClock } from '../fake-clock.js'

const MINUTE = 60_000

function create() {
  const clock = new FakeClock()
  const more: string[] = []
  const told = new ToldSenders<'a' | 'b'>(clock, (kind, count) => more.push(`${kind} ${count}`))
  return { clock, more, told }
}

t.test('a sender is told once in ten minutes, and what it repeats is counted', (t) => {
  const { clock, more, told } = create()
  t.equal(told.happened('a', 'x'), true)
  t.equal(told.happened('a', 'x'), false)
  t.equal(told.happened('a', 'x'), false)
  clock.advanceTo(10 * MINUTE - 1)
  t.strictSame(more, [])
  clock.advanceTo(10 * MINUTE)
  t.strictSame(more, ['a 2'])
  t.equal(told.happened('a', 'x'), true, 'it still does it')
  t.end()
})

t.test('three senders are told for each kind, whatever the number of senders', (t) => {
  const { clock, more, told } = create()
  const lines = Array.from({ length: 500_000 }, (_, i) => told.happened('a', String(i % 200)))
  t.equal(lines.filter((isTold) => isTold).length, 3)
  t.equal(told.happened('b', '1'), true, 'another kind is another matter')
  t.equal(clock.timers, 2)
  clock.advanceTo(10 * MINUTE)
  t.strictSame(more, ['a 499997'], 'nothing more is to be told of b')
  t.end()
})

t.test('nothing stays untold at the end, and no timer', (t) => {
  const { clock, more, told } = create()
  told.happened('a', 'x')
  told.happened('a', 'x')
  told.happened('b', 'x')
  told.close()
  t.strictSame(more, ['a 1'])
  t.equal(clock.timers, 0)
  t.end()
})
