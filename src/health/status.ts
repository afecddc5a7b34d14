/** How many results in a row change a check's status. */
export interface Hysteresis {
  /** Consecutive passes that make a failed check pass. */
  readonly rise: number
  /** Consecutive failures that make a passed check fail. */
  readonly fall: number
}

/** What a check's results so far say. */
export interface CheckStatus {
  /** Null until the first result. */
  readonly isUp: boolean | null
  /** Results in a row that contradict `isUp`. */
  readonly contradictions: number
}

export const UNKNOWN: CheckStatus = { isUp: null, contradictions: 0 }

/** Taken for well until `fall` failures say otherwise. */
export const PASSED: CheckStatus = { isUp: true, contradictions: 0 }

/** Taken for failed until `rise` passes say otherwise (keepalived's `init_fail`). */
export const FAILED: CheckStatus = { isUp: false, contradictions: 0 }

/**
 * Takes one result into account. The first result counts at once, whatever rise and fall say; after
 * that only an unbroken run of contradicting results changes the status (keepalived).
 */
export function observe(status: CheckStatus, passed: boolean, hysteresis: Hysteresis): CheckStatus {
  if (status.isUp === null) return { isUp: passed, contradictions: 0 }
  if (passed === status.isUp) return { isUp: passed, contradictions: 0 }
  const contradictions = status.contradictions + 1
  const needed = passed ? hysteresis.rise : hysteresis.fall
  return contradictions >= needed
    ? { isUp: passed, contradictions: 0 }
    : { isUp: status.isUp, contradictions }
}
