import t, { type Test } from 'tap'
import { cannotRun } from '../netns/lab/requirements.js'
import { compare, largest, TOLERANCE_MS } from './matrix/compare.js'
import { FEATURES, NOT_YET, type Feature } from './matrix/features.js'
import { play, type Outcome, type Products } from './matrix/play.js'

t.setTimeout(170_000)

const REFERENCE: Products = { director1: 'keepalived', director2: 'keepalived' }
const DIRECTIONS: Readonly<Record<string, Products>> = {
  'tsha master, keepalived backup': { director1: 'tsha', director2: 'keepalived' },
  'keepalived master, tsha backup': { director1: 'keepalived', director2: 'tsha' }
}
/** A network waits for timers nearly all of its time; they start so far apart that two processors do. */
const STAGGER_MS = 400

/** The name of one feature plays that one alone. */
const ONLY = process.env['TSHA_FEATURE']

await t.test(
  'the interop matrix with the real keepalived',
  { skip: cannotRun('keepalived', 'tcpdump') },
  async (t) => {
    const launch = launcher()
    const plays = FEATURES.filter(({ name }) => ONLY === undefined || ONLY === name).map(
      (feature) => ({
        feature,
        reference: launch(feature, REFERENCE),
        directions: Object.entries(DIRECTIONS).map(([name, products]) => ({
          name,
          products,
          outcomes: isNotYet(feature) ? Promise.resolve([]) : launch(feature, products)
        }))
      })
    )
    const table: string[] = []
    for (const { feature, reference, directions } of plays) {
      await t.test(feature.name, async (t) => {
        const wanted = await reference
        expectReference(t, feature, wanted)
        for (const { name, products, outcomes } of directions) {
          let verdict = isNotYet(feature) ? 'not yet' : 'FAILED'
          await t.test(name, { todo: NOT_YET[feature.name] ?? false }, async (t) => {
            verdict = expectLikeReference(t, feature, products, wanted, await outcomes)
          })
          table.push(`${feature.name.padEnd(32)} ${name.padEnd(32)} ${verdict}`)
        }
      })
    }
    for (const line of table) t.comment(line)
  }
)

/** Every story is played at the same time, each on a network of its own. */
function launcher(): (feature: Feature, products: Products) => Promise<readonly Outcome[]> {
  let launched = 0
  return (feature, products) => {
    const delayMs = STAGGER_MS * launched++
    const outcomes = new Promise((resolve) => setTimeout(resolve, delayMs)).then(() =>
      play(feature, products)
    )
    outcomes.catch(() => {
      // The test that waits for it tells.
    })
    return outcomes
  }
}

function isNotYet({ name }: Feature): boolean {
  return NOT_YET[name] !== undefined
}

/** Two keepalived that do not keep the time of the standard are no reference. */
function expectReference(t: Test, feature: Feature, outcomes: readonly Outcome[]): void {
  const killed = outcomes.filter(({ step }) => step.isKill === true)
  t.equal(killed.length, feature.addresses.size, 'every virtual router loses its master once')
  for (const { vrid, takenAfter } of killed) {
    const ms = takenAfter ?? Infinity
    const isGood = Math.abs(ms - feature.masterDownMs) <= TOLERANCE_MS
    t.ok(isGood, `two keepalived, master of ${vrid} killed: ${ms.toFixed(0)} ms`)
  }
}

/** @returns the verdict for the table */
function expectLikeReference(
  t: Test,
  feature: Feature,
  products: Products,
  wanted: readonly Outcome[],
  outcomes: readonly Outcome[]
): string {
  // `hand_over: keepalived` is the manner of keepalived itself.
  const isOwnManner = feature.tshaYaml === undefined
  const found = compare(wanted, outcomes, ({ step }) => {
    return isOwnManner && step.givenBy !== undefined && products[step.givenBy] === 'tsha'
  })
  for (const { what, ms, isAllowed } of found) t.ok(isAllowed, `${what}: ${ms.toFixed(0)} ms`)
  const isGood = found.every(({ isAllowed }) => isAllowed)
  return `${isGood ? 'ok' : 'FAILED'}, at most ${largest(found).toFixed(0)} ms`
}
