import type { Difference } from './compare.js'
import type { Feature } from './features.js'
import { judge, PAIR_NAMES, PAIRS, type ByPair, type PairName } from './judge.js'
import { Lateness } from '../../netns/lab/lateness.js'
import { Stage, type Outcome } from './play.js'

/**
 * Networks wait for timers nearly all of their time, so that two processors are enough for all of them.
 * Building them is work, and comes first; the stories begin this far apart.
 */
const BUILT_TOGETHER = 2
const STAGGER_MS = 300
/** Half of what a time may differ: a machine that was later than this measured itself. */
const LATE_MS = 50

/** What a feature came to. */
export interface Judgement {
  readonly differences: ByPair<readonly Difference[]>
  /** How late the machine was when the feature was played first, if it had to be played again for that. */
  readonly againAfterMs: number | null
}

/**
 * Plays every feature by every pair at the same time. What differs while the machine itself was late is
 * played once more, and then counts.
 */
export function playAll(features: readonly Feature[]): ReadonlyMap<Feature, Promise<Judgement>> {
  const firsts = playRound(features)
  const lateness = new Lateness()
  const ended = Promise.allSettled(firsts.values()).then(() => lateness.end())
  const again = ended.then(async (lateMs) => {
    if (lateMs <= LATE_MS) return new Map<Feature, Promise<Judgement>>()
    const judged = await Promise.allSettled(firsts.values())
    const bad = features.filter((_, index) => !isGood(judged[index]))
    return new Map(
      [...playRound(bad)].map(([feature, second]) => [
        feature,
        observed(second.then(({ differences }) => ({ differences, againAfterMs: lateMs })))
      ])
    )
  })
  return new Map(
    [...firsts].map(([feature, first]) => [
      feature,
      observed(again.then((seconds) => seconds.get(feature) ?? first))
    ])
  )
}

function isGood(judged: PromiseSettledResult<Judgement> | undefined): boolean {
  if (judged?.status !== 'fulfilled') return false
  return Object.values(judged.value.differences).every((list) => list.every((d) => d.isAllowed))
}

/** Builds a network for every pair, then plays all stories. */
function playRound(features: readonly Feature[]): ReadonlyMap<Feature, Promise<Judgement>> {
  const built: Promise<Stage>[] = []
  const stages = features.map((feature) => {
    const ofFeature = PAIR_NAMES.map((pair) => {
      const turn = Promise.allSettled([built[built.length - BUILT_TOGETHER]])
      const stage = turn.then(() => Stage.build(feature, PAIRS[pair]))
      built.push(stage)
      return [pair, stage] as const
    })
    return [feature, ofFeature] as const
  })
  const allBuilt = Promise.allSettled(built)
  let begun = 0
  const perform = async (pair: PairName, stage: Promise<Stage>): Promise<readonly Outcome[]> => {
    const delayMs = STAGGER_MS * begun++
    await allBuilt
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    return (await stage).play().catch((cause: unknown) => {
      throw new Error(`${pair}: ${String(cause)}`, { cause })
    })
  }
  return new Map(
    stages.map(([feature, pairs]) => {
      const outcomes = pairs.map(
        async ([pair, stage]) => [pair, await perform(pair, stage)] as const
      )
      const judged = allOf(outcomes).then((found) => ({
        differences: judge(feature, Object.fromEntries(found) as ByPair<readonly Outcome[]>),
        againAfterMs: null
      }))
      return [feature, observed(judged)]
    })
  )
}

/** As `Promise.all`, but when it rejects nothing goes on: every network has ended. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/** A failure is told by the test that waits for it, which may be later. */
function observed<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
