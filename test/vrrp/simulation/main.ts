import { parseArgs } from 'node:util'
import { simulateGroups } from './groups.js'
import { simulate } from './simulate.js'

/**
 * `npm run simulate -- [--runs N] [--seed S] [--groups]`: many runs, or with `--trace` one that is told;
 * with `--groups` those of two directors with sync groups.
 */

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    groups: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false }
  }
})
const seed = Number(values.seed)
const runs = values.trace ? 1 : Number(values.runs)
if (!Number.isInteger(seed) || !(runs > 0)) {
  process.stderr.write(
    'usage: npm run simulate -- [--runs N] [--seed INTEGER] [--groups] [--trace]\n'
  )
  process.exit(2)
}
const play = values.groups ? simulateGroups : simulate
const startedAt = performance.now()
let length = 0
let done = 0
for (let each = seed; each < seed + runs; each++) {
  const run = play(each, undefined, values.trace)
  length += run.length
  done++
  if (run.violation === null && !values.trace) continue
  process.exitCode = run.violation ? 1 : 0
  const { trace } = play(each, undefined, true)
  process.stdout.write(`seed ${each}: ${run.violation?.invariant ?? 'ok'}\n${trace.join('\n')}\n`)
  break
}
const seconds = (performance.now() - startedAt) / 1000
process.stdout.write(
  `${done} runs from seed ${seed}, ${(length / 3_600_000).toFixed(1)} simulated hours, in ${seconds.toFixed(1)} s\n`
)
