// lane: patient - compares 80 000 messages and more
import t from 'tap'
import { endToEndSummary, requestsEndToEnd, responsesEndToEnd } from './end-to-end.js'
import { SEED, refusesMoreAndNothingElse } from './fixed-run.js'

// A quarter of a minute of one core; longer beside other tests.
t.setTimeout(870_000)

refusesMoreAndNothingElse('responses', 80_000)

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
