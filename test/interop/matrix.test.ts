import t, { type Test } from 'tap'
import { cannotRun } from '../netns/lab/requirements.js'
import { compare, largest, TOLERANCE_MS } from './matrix/compare.js'
import { FEATURES, type DirectorName, type Feature } from './matrix/features.js'
import { isKeepalived } from './matrix/keepalived.js'
import { Stage, type Outcome, type Products } from './matrix/play.js'

t.setTimeout(170_000)

const REFERENCE: Products = { director1: 'keepalived', director2: 'keepalived' }
const DIRECTIONS: Readonly<Record<string, Products>> = {
  'tsha master, keepalived backup': { director1: 'tsha', director2: 'keepalived' },
  'keepalived master, tsha backup': { director1: 'keepalived', director2: 'tsha' }
}
/**
 * Networks wait for timers nearly all of their time, so that two processors are enough for all of them.
 * Building them is work, and comes first; the stories begin this far apart.
 */
const BUILT_TOGETHER = 2
const STAGGER_MS = 300

/** Only features that have this in their names. */
const ONLY = process.env['TSHA_FEATURE'] ?? ''

await t.test(
  'the interop matrix with the real keepalived',
  { skip: cannotRun('keepalived', 'tcpdump') },
  async (t) => {
    const features = FEATURES.filter(({ name }) => name.includes(ONLY))
    const played = features.filter(isPlayed)
    const plays = performAll(played)
    const table: string[] = []
    for (const feature of features) {
      const { name, since = '' } = feature
      const skip = played.includes(feature) ? false : `needs keepalived ${since}`
      await t.test(name, { skip }, async (t) => {
        const outcomesOf = (products: Products): Promise<readonly Outcome[]> =>
          plays.get(feature)?.get(products) ?? Promise.resolve([])
        const wanted = await outcomesOf(REFERENCE)
        expectReference(t, feature, wanted)
        for (const [direction, products] of Object.entries(DIRECTIONS)) {
          let verdict = 'FAILED'
          await t.test(direction, async (t) => {
            const found = await outcomesOf(products)
            verdict = expectLikeReference(t, feature, products, wanted, found)
          })
          table.push(`${name.padEnd(32)} ${direction.padEnd(32)} ${verdict}`)
        }
      })
    }
    for (const line of table) t.comment(line)
  }
)

function isPlayed({ since }: Feature): boolean {
  return since === undefined || isKeepalived(since)
}

type Plays = ReadonlyMap<Feature, ReadonlyMap<Products, Promise<readonly Outcome[]>>>

/** Builds a network for every pair, then plays all stories at the same time. */
function performAll(features: readonly Feature[]): Plays {
  const built: Promise<Stage>[] = []
  const build = (feature: Feature, products: Products): Promise<Stage> => {
    const turn = Promise.allSettled([built[built.length - BUILT_TOGETHER]])
    const stage = turn.then(() => Stage.build(feature, products))
    built.push(stage)
    return stage
  }
  const stages = features.map((feature) => {
    const pairs = [REFERENCE, ...Object.values(DIRECTIONS)]
    return [feature, pairs.map((pair) => [pair, build(feature, pair)] as const)] as const
  })
  const allBuilt = Promise.allSettled(built)
  let begun = 0
  const perform = async (stage: Promise<Stage>): Promise<readonly Outcome[]> => {
    const delayMs = STAGGER_MS * begun++
    await allBuilt
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    return (await stage).play()
  }
  return new Map(
    stages.map(([feature, pairs]) => [
      feature,
      new Map(pairs.map(([pair, stage]) => [pair, observed(perform(stage))]))
    ])
  )
}

/** A failure is told by the test that waits for it, which may be later. */
function observed<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
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
  const isOwn = (director: DirectorName | undefined): boolean =>
    isOwnManner && director !== undefined && products[director] === 'tsha'
  const found = compare(wanted, outcomes, ({ givenBy, yieldedBy }) => ({
    mayBeFaster: isOwn(givenBy),
    speaksLast: isOwn(yieldedBy)
  }))
  for (const { what, ms, isAllowed } of found) t.ok(isAllowed, `${what}: ${ms.toFixed(0)} ms`)
  const isGood = found.every(({ isAllowed }) => isAllowed)
  return `${isGood ? 'ok' : 'FAILED'}, at most ${largest(found).toFixed(0)} ms`
}
