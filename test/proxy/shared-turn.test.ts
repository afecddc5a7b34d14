import t from 'tap'
import { SharedTurn } from '../../src/proxy/upstream/shared-turn.js'

const peers = [
  { weight: 1, effectiveWeight: 1, currentWeight: -1, share: 1 },
  { weight: 1, effectiveWeight: 1, currentWeight: 1, share: 1 }
]

t.test('each turn is told at once, named by the first peer', (t) => {
  const told: unknown[] = []
  const turn = new SharedTurn(4, peers, 2, (index, weights) => told.push([index, weights]))
  turn.moved(0)
  turn.moved(1)
  t.same(told, [
    [4, [-1, 1]],
    [4, [-1, 1]]
  ])
  t.end()
})

t.test(
  'after 50 in a row only one in 10 ms (two workers) is told, the last one always',
  async (t) => {
    let told = 0
    let last = (): void => undefined
    const toldLate = new Promise<void>((resolve) => (last = resolve))
    const turn = new SharedTurn(0, peers, 2, () => {
      told += 1
      if (told === 51) last()
    })
    for (let i = 0; i < 1000; i++) turn.moved(1000)
    t.equal(told, 50)
    const keepAlive = setTimeout(() => undefined, 5000) // the timer of the turn does not hold the process
    await toldLate
    clearTimeout(keepAlive)
    turn.moved(2000)
    t.equal(told, 52, 'after a pause turns are told at once again')
  }
)
