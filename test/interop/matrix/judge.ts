import { compare, difference, TOLERANCE_MS, type Difference } from './compare.js'
import type { DirectorName, Feature } from './features.js'
import type { Outcome, Products } from './play.js'

/** Two keepalived, which is what a pair with one tsha is compared with. */
export const REFERENCE = 'two keepalived'

/** Every pair that plays a feature. */
export const PAIRS = {
  [REFERENCE]: { director1: 'keepalived', director2: 'keepalived' },
  'tsha master, keepalived backup': { director1: 'tsha', director2: 'keepalived' },
  'keepalived master, tsha backup': { director1: 'keepalived', director2: 'tsha' }
} as const satisfies Readonly<Record<string, Products>>

export type PairName = keyof typeof PAIRS
export const PAIR_NAMES = Object.keys(PAIRS) as PairName[]

/** Something for each pair. */
export type ByPair<T> = Readonly<Record<PairName, T>>

/** What a feature came to: for the reference how far it is from the standard, for others from it. */
export function judge(
  feature: Feature,
  outcomes: ByPair<readonly Outcome[]>
): ByPair<readonly Difference[]> {
  const judged = PAIR_NAMES.map((pair) => [
    pair,
    pair === REFERENCE
      ? fromStandard(feature, outcomes[REFERENCE])
      : fromReference(feature, PAIRS[pair], outcomes[REFERENCE], outcomes[pair])
  ])
  return Object.fromEntries(judged) as ByPair<readonly Difference[]>
}

/** Two keepalived that do not keep the time of the standard are no reference. */
function fromStandard(feature: Feature, outcomes: readonly Outcome[]): readonly Difference[] {
  const kills = outcomes.filter(({ step }) => step.isKill === true)
  if (kills.length !== feature.addresses.size) {
    return [difference(`${kills.length} virtual routers lose their master, each has to once`)]
  }
  return kills.map(({ vrid, takenAfter }) => {
    const ms = Math.abs((takenAfter ?? Infinity) - feature.masterDownMs)
    return { what: `kill, ${vrid}: takeover`, ms, isAllowed: ms <= TOLERANCE_MS }
  })
}

function fromReference(
  feature: Feature,
  products: Products,
  wanted: readonly Outcome[],
  found: readonly Outcome[]
): readonly Difference[] {
  // `hand_over: keepalived` is the manner of keepalived itself.
  const isOwn = (director: DirectorName | undefined): boolean =>
    feature.tshaYaml === undefined && director !== undefined && products[director] === 'tsha'
  return compare(wanted, found, ({ givenBy, lastWord }) => ({
    mayBeFaster: isOwn(givenBy),
    lastWords: isOwn(lastWord?.by) ? (lastWord?.of === 'each' ? feature.addresses.size : 1) : 0
  }))
}
