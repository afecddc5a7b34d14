import t from 'tap'
import { run, summaryOf, type Side } from './run.js'

/** The same cases in every run; `npm run fuzz` has new ones. */
export const SEED = 1

/** The claim of the differential runs, for one side. */
export function refusesMoreAndNothingElse(side: Side, cases: number): void {
  t.test(`tsha refuses more ${side} than llhttp but understands none differently`, async (t) => {
    const report = await run(side, { seed: SEED, cases })
    t.comment(summaryOf(side, report))
    t.same(report.finds, [])
    t.equal(report.cases, cases)
    t.ok(report.verdicts['both accept'] > cases / 4, 'many cases are accepted')
    t.ok(report.verdicts['both refuse'] > cases / 10, 'many are refused')
  })
}
