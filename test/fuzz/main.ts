import { parseArgs } from 'node:util'
import { endToEndSummary, requestsEndToEnd, responsesEndToEnd } from './end-to-end.js'
import { LENIENT_RULES, RULES, type Rules } from './reader.js'
import { run, summaryOf, type Side } from './run.js'

/** `npm run fuzz -- [--seconds N] [--seed S]`: new cases for as long as it is told. */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) }
  }
})
const seconds = Number(values.seconds)
const seed = Number(values.seed)
if (!(seconds > 0) || !Number.isInteger(seed)) {
  process.stderr.write('usage: npm run fuzz -- [--seconds N] [--seed INTEGER]\n')
  process.exit(2)
}

const KINDS: readonly (readonly [name: string, side: Side, rules: Rules])[] = [
  ['requests', 'requests', RULES],
  ['responses', 'responses', RULES],
  ['requests with accept_bare_lf', 'requests', LENIENT_RULES],
  ['responses with accept_bare_lf', 'responses', LENIENT_RULES]
]

/** One round: this many cases in memory, then some through a whole engine. */
const ROUND_CASES = 50_000
const ROUND_END_TO_END = 2000

const deadline = performance.now() + seconds * 1000
let found = 0
for (let round = seed; performance.now() < deadline && found === 0; round++) {
  for (const [name, side, rules] of KINDS) {
    const limitMs = Math.max(0, deadline - performance.now())
    const report = await run(side, { seed: round, cases: ROUND_CASES, limitMs, rules, finds: 10 })
    tell(summaryOf(name, report), report.finds)
  }
  if (performance.now() >= deadline) break
  const undo: (() => Promise<void>)[] = []
  const test = { teardown: (each: () => Promise<void>) => undo.push(each) }
  const requests = await requestsEndToEnd(test, round, ROUND_END_TO_END)
  tell(endToEndSummary('requests', requests), requests.finds)
  const responses = await responsesEndToEnd(test, round, ROUND_END_TO_END)
  tell(endToEndSummary('responses', responses), responses.finds)
  for (const each of undo.reverse()) await each()
}
process.exitCode = found === 0 ? 0 : 1

function tell(summary: string, finds: readonly string[]): void {
  found += finds.length
  process.stdout.write(`${summary}\n`)
  for (const find of finds) process.stdout.write(`FOUND ${find}\n`)
}
