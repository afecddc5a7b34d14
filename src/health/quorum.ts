/** How many processes pass a check, and how long a change has to last. */
export interface QuorumRules {
  readonly quorum: number
  /** Infinity for no limit. */
  readonly quorumMax: number
  /** How long the quorum has to be lost before the check fails. */
  readonly terminateDelayMs: number
  /** How long the quorum has to be there before the check passes. */
  readonly forkDelayMs: number
}

/** What the counts so far say. */
export interface QuorumStatus {
  /** Null until the first count. */
  readonly isUp: boolean | null
  /** Since when the counts contradict `isUp`, on the monotonic clock; null when they agree. */
  readonly contradictedAt: number | null
}

export const UNCOUNTED: QuorumStatus = { isUp: null, contradictedAt: null }

/** Takes one count into account. The first one counts at once (keepalived). */
export function observeCount(
  status: QuorumStatus,
  count: number,
  rules: QuorumRules,
  now: number
): QuorumStatus {
  const hasQuorum = count >= rules.quorum && count <= rules.quorumMax
  if (status.isUp === null || hasQuorum === status.isUp) return settled(hasQuorum)
  const contradictedAt = status.contradictedAt ?? now
  return now >= contradictedAt + delayOf(hasQuorum, rules)
    ? settled(hasQuorum)
    : { isUp: status.isUp, contradictedAt }
}

/** When a count that is still the same changes the status; null when it changes nothing. */
export function changesAt(status: QuorumStatus, rules: QuorumRules): number | null {
  if (status.contradictedAt === null) return null
  return status.contradictedAt + delayOf(status.isUp === false, rules)
}

function delayOf(hasQuorum: boolean, rules: QuorumRules): number {
  return hasQuorum ? rules.forkDelayMs : rules.terminateDelayMs
}

function settled(isUp: boolean): QuorumStatus {
  return { isUp, contradictedAt: null }
}
