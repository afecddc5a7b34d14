/** What the length of an address lease depends on. */
export interface LeaseInput {
  readonly version: 2 | 3
  readonly advertIntervalMs: number
  readonly downTimerAdverts: number
  /** The highest priority that a partner may have; our own where nobody said. */
  readonly partnerPriority: number
}

/** A lease of the kernel counts whole seconds. */
const GRANULARITY_MS = 1000
/** Measured: an address goes 40 to 160 ms after its lease has ended. */
const EXPIRY_DELAY_MS = 200
const MAX_LEASE_MS = 3_600_000

/** Skew_Time: seconds in VRRPv2 (RFC 3768 section 6.1), a part of the interval in VRRPv3 (RFC 9568). */
function skewMs({ version, advertIntervalMs, partnerPriority }: LeaseInput): number {
  return ((256 - partnerPriority) * (version === 2 ? 1000 : advertIntervalMs)) / 256
}

/** How long the partner waits for an advertisement of ours, in ms. */
export function partnerWaitsMs(input: LeaseInput): number {
  return input.downTimerAdverts * input.advertIntervalMs + skewMs(input)
}

/**
 * True when an address that is no longer renewed is gone before the partner takes over. The partner
 * waits from our last advertisement on, and the lease may have been renewed up to an interval later.
 */
export function isShortLease(leaseMs: number, input: LeaseInput): boolean {
  return leaseMs <= longestLeaseMs(input)
}

function longestLeaseMs(input: LeaseInput): number {
  return partnerWaitsMs(input) - input.advertIntervalMs - EXPIRY_DELAY_MS
}

/** The longest lease that ends before the partner takes over; 1 s when none is short enough. */
export function defaultLeaseMs(input: LeaseInput): number {
  const longest = Math.floor(longestLeaseMs(input) / GRANULARITY_MS)
  return Math.min(MAX_LEASE_MS, Math.max(1, longest) * GRANULARITY_MS)
}
