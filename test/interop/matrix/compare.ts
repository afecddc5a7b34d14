import type { Outcome } from './play.js'
import type { Step } from './story.js'

/** How far a time may be from that of two keepalived. */
export const TOLERANCE_MS = 100
/**
 * A script that is run every second, and a timer that began up to a second before: where the moment of
 * the advertisement is compared already, the whole time may differ by these.
 */
const PHASES_MS = 2000

/** The difference between two pairs in one time. */
export interface Difference {
  /** Step, virtual router and time in words. */
  readonly what: string
  readonly ms: number
  readonly isAllowed: boolean
}

/** Where tsha does in its own manner what two keepalived do otherwise. */
export interface OwnManner {
  /** It gives the mastership away: the partner may have it earlier, never later. */
  readonly mayBeFaster: boolean
  /** How often it advertises once more, exactly, of all virtual routers together. */
  readonly lastWords: number
}

/**
 * Compares what became of a pair with what became of two keepalived.
 *
 * @param mannerOf what is to be different in a step
 */
export function compare(
  reference: readonly Outcome[],
  actual: readonly Outcome[],
  mannerOf: (step: Step) => OwnManner
): readonly Difference[] {
  const steps = new Set(reference.map(({ step }) => step))
  return [
    ...reference.flatMap((wanted, index) => {
      const found = actual[index]
      if (!found) throw new RangeError(`the story ends before ${wanted.step.name}`)
      return differences(wanted, found, mannerOf(wanted.step).mayBeFaster)
    }),
    ...[...steps].flatMap((step) => {
      const wanted = lastWords(reference, step) + mannerOf(step).lastWords
      const found = lastWords(actual, step)
      return wanted === found ? [] : [difference(`${step.name}: ${found} last words`)]
    })
  ]
}

/** Of all virtual routers together: those of a sync group move when one of them hears a stronger one. */
function lastWords(outcomes: readonly Outcome[], step: Step): number {
  const own = outcomes.filter((outcome) => outcome.step === step)
  return own.reduce((sum, outcome) => sum + outcome.lastWords, 0)
}

/** What no time can make good. */
export function difference(what: string): Difference {
  return { what, ms: Infinity, isAllowed: false }
}

function differences(wanted: Outcome, found: Outcome, mayBeFaster: boolean): Difference[] {
  const { step, vrid } = found
  const list: Difference[] = []
  const note = (time: string, ms: number, allowedMs: number): void => {
    list.push({ what: `${step.name}, ${vrid}: ${time}`, ms, isAllowed: ms <= allowedMs })
  }
  const apart = (a: number | null, b: number | null): number =>
    a === null || b === null ? (a === b ? 0 : Infinity) : Math.abs(a - b)
  const later = (a: number | null, b: number | null): number =>
    a === null || b === null ? (a === b ? 0 : Infinity) : Math.max(0, a - b)

  const sameReigns = wanted.reigns.join(' ') === found.reigns.join(' ')
  if (!sameReigns)
    list.push(difference(`${step.name}, ${vrid}: masters ${found.reigns.join(', ')}`))
  const takeover = mayBeFaster ? later : apart
  note('takeover', takeover(found.takenAfter, wanted.takenAfter), TOLERANCE_MS)
  note('address gained', apart(found.gainedAfter, wanted.gainedAfter), TOLERANCE_MS)
  if (step.anchor === 'previous') {
    // Not a deviation to be shown: it is chance within its limits.
    const ms = apart(found.takenAfterAct, wanted.takenAfterAct)
    if (ms > PHASES_MS + TOLERANCE_MS) note('takeover after the act', ms, PHASES_MS)
  }
  if (step.isKill !== true && wanted.lostAfter !== null) {
    // Before the new master has the address nobody minds how long it was gone.
    note('address lost', later(found.lostAfter, Math.max(0, wanted.lostAfter)), TOLERANCE_MS)
  }
  return list
}

/** The largest difference, or 0. */
export function largest(list: readonly Difference[]): number {
  return Math.max(0, ...list.map(({ ms }) => ms))
}
