// lane: patient - 10 000 simulated networks
import t from 'tap'
import { simulateGroups } from './groups.js'
import { simulate } from './simulate.js'

/** A shared machine may take several times the usual ten seconds. */
t.setTimeout(870_000)

const RUNS = 10_000
const GROUP_RUNS = 2000

void t.test('lossy networks with every kind of fault come to one holder, in time', (t) => {
  let length = 0
  const violations: string[] = []
  for (let seed = 1; seed <= RUNS && violations.length === 0; seed++) {
    const run = simulate(seed)
    length += run.length
    if (run.violation === null) continue
    const { trace } = simulate(seed, undefined, true)
    const again = `node dist/test/vrrp/simulation/main.js --seed ${seed} --trace`
    violations.push([`${run.violation.invariant} (${again})`, ...trace].join('\n'))
  }
  t.same(violations, [])
  t.comment(`${RUNS} runs, ${(length / 3_600_000).toFixed(1)} simulated hours`)
  t.end()
})

void t.test('a sync group is whole on one director, and nothing changes once it is calm', (t) => {
  const violations: string[] = []
  for (let seed = 1; seed <= GROUP_RUNS && violations.length === 0; seed++) {
    const { violation } = simulateGroups(seed)
    if (violation === null) continue
    const { trace } = simulateGroups(seed, undefined, true)
    const again = `node dist/test/vrrp/simulation/main.js --groups --seed ${seed} --trace`
    violations.push([`${violation.invariant} (${again})`, ...trace].join('\n'))
  }
  t.same(violations, [])
  t.end()
})

void t.test('the same seed is the same run', (t) => {
  const first = simulate(7, undefined, true)
  const second = simulate(7, undefined, true)
  t.ok(first.trace.length > 10)
  t.same(second.trace, first.trace)
  t.end()
})
