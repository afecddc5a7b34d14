import t from 'tap'
import { InFlight } from '../../../src/director/workers/in-flight.js'

t.test('the sum is known when every worker has told, and a peer is drained once', (t) => {
  const drained: number[] = []
  const inFlight = new InFlight((index) => drained.push(index))
  inFlight.told(1, 7, 5)
  t.equal(inFlight.countOf(7), null, 'it takes requests')
  inFlight.begin(7, [1, 2])
  t.equal(inFlight.countOf(7), null)
  inFlight.told(1, 7, 0)
  t.same([inFlight.countOf(7), drained], [null, []], 'the other worker has not told')
  inFlight.told(2, 7, 3)
  t.equal(inFlight.countOf(7), 3)
  inFlight.begin(7, [1, 2])
  t.equal(inFlight.countOf(7), 3, 'ordered twice, counted once')
  inFlight.told(2, 7, 0)
  inFlight.told(1, 7, 0)
  t.same([inFlight.countOf(7), drained], [0, [7]])
  t.end()
})

t.test('a worker that is gone has no requests, and one that comes has few', (t) => {
  const drained: number[] = []
  const inFlight = new InFlight((index) => drained.push(index))
  inFlight.begin(0, [1, 2])
  inFlight.told(1, 0, 4)
  inFlight.told(3, 0, 0)
  inFlight.exited(2)
  t.equal(inFlight.countOf(0), 4)
  inFlight.exited(1)
  t.same([inFlight.countOf(0), drained], [0, [0]])
  t.end()
})

t.test('a peer that takes requests again is not counted, and may be drained again', (t) => {
  const drained: number[] = []
  const inFlight = new InFlight((index) => drained.push(index))
  inFlight.begin(0, [])
  inFlight.end(0)
  inFlight.told(1, 0, 2)
  t.equal(inFlight.countOf(0), null)
  inFlight.begin(0, [])
  t.same(drained, [0, 0])
  t.end()
})
