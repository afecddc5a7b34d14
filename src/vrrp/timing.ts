/** Monotonic milliseconds; may be fractional, never floored. */
export type Milliseconds = number

/** What the times of a virtual router depend on, beside its priority. */
export interface Timed {
  readonly version: 2 | 3
  readonly isOwner: boolean
  readonly adverInterval: Milliseconds
  readonly downTimerAdverts: number
}

/** The priority of the owner of the addresses (RFC 3768 §5.3.4). */
export const OWNER_PRIORITY = 255

/** Added to the longest Skew_Time of a partner: two packets, and a host that is busy. */
const HAND_OVER_MARGIN: Milliseconds = 250

/**
 * Skew_Time: in VRRPv2 (256 - Priority) / 256 seconds, whatever the interval (RFC 3768 §6.1); in
 * VRRPv3 that share of the master's interval (RFC 9568 §6.1). Whole microseconds, as in keepalived
 * (VRRP_TIMER_SKEW_CALC).
 */
export function skewTime(
  { version, isOwner }: Pick<Timed, 'version' | 'isOwner'>,
  priority: number,
  masterAdverInterval: Milliseconds
): Milliseconds {
  const share = 256 - (isOwner ? OWNER_PRIORITY : priority)
  const whole = version === 3 ? masterAdverInterval : 1000
  return Math.floor((share * whole * 1000) / 256) / 1000
}

/** Master_Down_Interval: the intervals that may be missed, 3 in the RFCs, and Skew_Time. */
export function masterDownInterval(
  router: Timed,
  priority: number,
  masterAdverInterval: Milliseconds
): Milliseconds {
  return (
    router.downTimerAdverts * masterAdverInterval + skewTime(router, priority, masterAdverInterval)
  )
}

/** How long one listens after a pause of ours: a master that lives is heard meanwhile. */
export function listenInterval(
  router: Timed,
  priority: number,
  masterAdverInterval: Milliseconds
): Milliseconds {
  return masterAdverInterval + skewTime(router, priority, masterAdverInterval)
}

/** How long a member of a sync group listens that starts as MASTER (keepalived, vrrp_init_state). */
export function groupStartInterval({ version, adverInterval }: Timed): Milliseconds {
  return adverInterval + skewTime({ version, isOwner: true }, OWNER_PRIORITY, adverInterval)
}

/**
 * How long a master that hands over waits for the partner's first advertisement: longer than the
 * longest Skew_Time that a backup can have; 1.25 s in VRRPv2.
 */
export function handOverWait({
  version,
  adverInterval
}: Pick<Timed, 'version' | 'adverInterval'>): Milliseconds {
  return (version === 3 ? adverInterval : 1000) + HAND_OVER_MARGIN
}

/** The same where the partner is master already: it is heard within an interval of its own, too. */
export function offerWait(router: Timed, masterAdverInterval: Milliseconds): Milliseconds {
  return Math.max(handOverWait(router), masterAdverInterval + HAND_OVER_MARGIN)
}

/**
 * How late the advertisement of a master may be before a partner may have taken over, so that it gives
 * the addresses up: the last one left an interval before, and a weaker partner waits for
 * Master_Down_Interval with at least our own Skew_Time. For the pair 2.6 s; a lease of 2 s is over by then.
 */
export function longestLateness(router: Timed, priority: number): Milliseconds {
  return masterDownInterval(router, priority, router.adverInterval) - router.adverInterval
}
