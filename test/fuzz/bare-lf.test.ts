// lane: patient - compares 60 000 messages
import t from 'tap'
import type { Intake } from '../../src/proxy/downstream/intake.js'
import { findLenientHeadEnd, withCrlf } from '../../src/proxy/http1/bare-lf.js'
import { parseRequestHead, type Refusal, type RequestHead } from '../../src/proxy/http1/head.js'
import { LENIENT_RULES, type Rules } from './reader.js'
import { run, summaryOf, type Side } from './run.js'

// A quarter of a minute of one core; longer beside other tests.
t.setTimeout(870_000)

const SEED = 1

const RUNS: [claim: string, side: Side, cases: number][] = [
  ['with accept_bare_lf requests are what llhttp makes of them with CRLF', 'requests', 40_000],
  ['with accept_bare_lf responses are what llhttp makes of them with CRLF', 'responses', 20_000]
]

for (const [claim, side, cases] of RUNS) {
  t.test(claim, async (t) => {
    const report = await run(side, { seed: SEED, cases, rules: LENIENT_RULES })
    t.comment(summaryOf(side, report))
    t.same(report.finds, [])
    t.equal(report.cases, cases)
    t.ok(report.verdicts['both accept'] > cases / 4, 'many cases are accepted')
    t.ok(report.verdicts['both refuse'] > cases / 10, 'many are refused')
  })
}

/** Prefers an empty line with CRLF to an earlier one without. */
function laterEnd(intake: Intake): RequestHead | Refusal | null {
  const bytes = intake.takeRest()
  if (bytes === null) return null
  const text = bytes.toString('latin1')
  const full = text.indexOf('\r\n\r\n')
  const end = full < 0 ? findLenientHeadEnd(text, 0) : full + 4
  intake.keep(end < 0 ? bytes : bytes.subarray(end))
  return end < 0 ? intake.read() : parseRequestHead(withCrlf(text.slice(0, end)), end)
}

/** Parsers with one fault each. */
const FAULTS: [fault: string, side: Side, rules: Partial<Rules>][] = [
  ['the end of a head is not the earliest', 'requests', { readHead: laterEnd }],
  [
    'a folded line is unfolded',
    'responses',
    {
      parseResponseHead: (text, method) =>
        LENIENT_RULES.parseResponseHead(text.replace(/\r\n[ \t]+/g, ' '), method)
    }
  ]
]

t.test('a lenient parser with a fault is found out', async (t) => {
  for (const [fault, side, rules] of FAULTS) {
    const all = { ...LENIENT_RULES, ...rules }
    const report = await run(side, { seed: SEED, cases: 20_000, rules: all })
    t.equal(report.finds.length, 1, fault)
    t.comment(`${fault}: ${report.finds[0] ?? 'not found'}`)
  }
})
