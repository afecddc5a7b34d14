/** A followed check: its weight, and its status so far. */
export interface TrackedResult {
  /** Subtracted (negative) while the check fails, added (positive) while it passes. */
  readonly weight: number
  /** Null until the first result, which changes nothing. */
  readonly isUp: boolean | null
}

const LOWEST = 1
const HIGHEST = 254

/**
 * The priority that is advertised: the configured one plus the weights that apply, 1 to 254 (0 and 255
 * have meanings of their own; keepalived's vrrp_set_effective_priority).
 */
export function effectivePriority(base: number, results: readonly TrackedResult[]): number {
  let total = base
  for (const { weight, isUp } of results) {
    if (weight < 0 ? isUp === false : isUp === true) total += weight
  }
  return Math.min(HIGHEST, Math.max(LOWEST, total))
}
