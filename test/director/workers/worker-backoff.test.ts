import t from 'tap'
import { afterDeath, FRESH } from '../../../src/director/workers/worker-backoff.js'

/** The delays before each restart of a worker that lived for these times, in ms. */
function delays(lives: readonly number[]): readonly number[] {
  let backoff = FRESH
  return lives.map((livedMs) => {
    const next = afterDeath(backoff, livedMs)
    backoff = next.backoff
    return next.delayMs
  })
}

t.test('the first death is answered at once, a crash loop ever more slowly, up to 3 s', (t) => {
  t.same(delays([50, 50, 50, 50, 50, 50, 50, 50]), [0, 100, 200, 400, 800, 1600, 3000, 3000])
  t.end()
})

t.test('a worker that ran for 10 s was well', (t) => {
  t.same(delays([50, 50, 50, 10_000, 50]), [0, 100, 200, 0, 100])
  t.end()
})
