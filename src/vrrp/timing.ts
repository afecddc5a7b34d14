/** Monotonic milliseconds; may be fractional, never floored. */
export type Milliseconds = number

/** Advertisements that may be missed before the master is down (RFC 3768 §6.1). */
const DOWN_TIMER_ADVERTS = 3

/** After becoming master, the announcement is repeated once (keepalived's `garp_master_delay`). */
export const SECOND_ANNOUNCEMENT_DELAY: Milliseconds = 5000

/**
 * How long a master that hands over waits for the partner's first advertisement: the longest
 * Skew_Time a partner can have (priority 1: 996 ms), and 250 ms for the two packets and a busy host.
 */
export const HAND_OVER_WAIT: Milliseconds = 1250

/** Skew_Time of VRRPv2 (RFC 3768 §6.1): (256 - Priority) / 256 seconds, whatever the interval. */
export function skewTime(priority: number): Milliseconds {
  return ((256 - priority) * 1000) / 256
}

/** Master_Down_Interval (RFC 3768 §6.1): 3 × Advertisement_Interval + Skew_Time. */
export function masterDownInterval(priority: number, adverInterval: Milliseconds): Milliseconds {
  return DOWN_TIMER_ADVERTS * adverInterval + skewTime(priority)
}
