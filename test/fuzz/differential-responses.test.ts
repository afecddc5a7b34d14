import t from 'tap'
import { endToEndSummary, requestsEndToEnd, responsesEndToEnd } from './end-to-end.js'
import { run, summaryOf } from './run.js'

// A quarter of a minute of one core; longer beside other tests.
t.setTimeout(110_000)

/** The same cases in every run; `npm run fuzz` has new ones. */
const SEED = 1

t.test('tsha refuses more responses than llhttp but understands none differently', async (t) => {
  const cases = 80_000
  const report = await run('responses', { seed: SEED, cases })
  t.comment(summaryOf('responses', report))
  t.same(report.finds, [])
  t.equal(report.cases, cases)
  t.ok(report.verdicts['both accept'] > cases / 4, 'many cases are accepted')
  t.ok(report.verdicts['both refuse'] > cases / 10, 'many are refused')
})

t.test('what arrives at an upstream server is what llhttp reads from the client', async (t) => {
  const report = await requestsEndToEnd(t, SEED, 3000)
  t.comment(endToEndSummary('requests', report))
  t.same(report.finds, [])
  t.ok(report.messages > 1000)
})

t.test('what arrives at a client is what llhttp reads from the upstream server', async (t) => {
  const report = await responsesEndToEnd(t, SEED, 3000)
  t.comment(endToEndSummary('responses', report))
  t.same(report.finds, [])
  t.ok(report.messages > 500)
})
