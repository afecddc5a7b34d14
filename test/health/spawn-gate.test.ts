import t from 'tap'
import { SpawnGate } from '../../src/health/spawn-gate.js'

t.test('five children start at once, the others in order, five in each 100 ms', async (t) => {
  const gate = new SpawnGate()
  const begun: { readonly child: number; readonly at: number }[] = []
  const start = performance.now()
  await new Promise<void>((resolve) => {
    for (let child = 0; child < 12; child++) {
      gate.enter(() => {
        begun.push({ child, at: performance.now() - start })
        if (child === 11) resolve()
      })
    }
    t.equal(begun.length, 5)
  })
  t.same(
    begun.map(({ child }) => child),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
  )
  t.ok((begun[5]?.at ?? 0) >= 95, 'the sixth waits')
  t.ok((begun[10]?.at ?? 0) >= 190, 'the eleventh waits twice')
})

t.test('who leaves the queue does not start, and takes nobody’s turn', async (t) => {
  const gate = new SpawnGate()
  for (let child = 0; child < 5; child++) gate.enter(() => undefined)
  const leave = gate.enter(() => t.fail('started'))
  const started = new Promise<void>((resolve) => gate.enter(resolve))
  leave()
  await started
  t.pass('the next one started')
})
