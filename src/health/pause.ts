/** A timer that is this late did not fire since we stood still: SIGSTOP, the pause of a virtual machine. */
const PAUSE_MS = 500

/**
 * Whether a timer that has just fired is so late that what it was to measure was not given its time.
 *
 * @param begun `performance.now()` when it was set
 */
export function wasPaused(begun: number, timeoutMs: number): boolean {
  return performance.now() - begun >= timeoutMs + PAUSE_MS
}
