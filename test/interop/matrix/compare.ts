import type { Outcome } from './play.js'

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

/**
 * Compares what became of a pair with what became of two keepalived. Where tsha gives the mastership
 * away in its own manner, the partner may have it earlier, never later.
 *
 * @param mayBeFaster whether that is so for a step
 */
export function compare(
  reference: readonly Outcome[],
  actual: readonly Outcome[],
  mayBeFaster: (outcome: Outcome) => boolean
): readonly Difference[] {
  return reference.flatMap((wanted, index) => {
    const found = actual[index]
    if (!found) throw new RangeError(`the story ends before ${wanted.step.name}`)
    return differences(wanted, found, mayBeFaster(found))
  })
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
  if (!sameReigns) note(`masters ${found.reigns.join(', ')}`, Infinity, TOLERANCE_MS)
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
