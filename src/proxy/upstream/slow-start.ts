/** A server that has just come back gets a little all the same: it has to show that it is well. */
const MIN_SHARE = 0.01

/**
 * The part of its weight that a server gets so long after it came back: it grows evenly over
 * `slowStartMs`, to 1.
 */
export function shareAfter(elapsedMs: number, slowStartMs: number): number {
  if (elapsedMs >= slowStartMs) return 1
  return Math.max(MIN_SHARE, elapsedMs / slowStartMs)
}
