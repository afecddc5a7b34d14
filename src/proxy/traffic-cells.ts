/**
 * What is counted of the traffic, and where: each listen address and each peer has a row of cells, and
 * workers and director number the cells alike. Amounts are whole numbers: requests, bytes, microseconds.
 */

/**
 * Why an attempt has no answer: `connect` no connection came about, `timeout` the peer was silent too
 * long, `reset` the connection broke, `closed` the peer ended it too early, `invalid` what came is no
 * HTTP, `local` this machine had no descriptor left.
 */
export const FAILURES = ['connect', 'timeout', 'reset', 'closed', 'invalid', 'local'] as const
export type Failure = (typeof FAILURES)[number]

/** The first cells count by status, from `000`, no answer at all. */
export const STATUSES = 1000
/** Cell of the first of `FAILURES`; those before it and these count requests or attempts. */
export const FIRST_FAILURE = STATUSES
const BEHIND_FAILURES = FIRST_FAILURE + FAILURES.length
export const ACCEPTED = BEHIND_FAILURES
export const BYTES_RECEIVED = BEHIND_FAILURES + 1
export const BYTES_SENT = BEHIND_FAILURES + 2
/** Sum of what the histogram counts, microseconds. */
export const TIME = BEHIND_FAILURES + 3
/** Cell of the first class of the histogram. */
export const FIRST_CLASS = BEHIND_FAILURES + 4

/** Ten steps for each decade, the rounded ones of ISO 3 (R10), which have 1, 2 and 5 among them. */
const STEPS = [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8]
const DECADES = [0.1, 1, 10, 100, 1000, 10_000]

/** Upper bounds of the classes, ms, from 0.1 ms to 100 s; what is above all has a class of its own. */
export const BOUNDS_MS: readonly number[] = [
  ...DECADES.flatMap((decade) => STEPS.map((step) => Number((decade * step).toPrecision(3)))),
  100_000
]

export const CLASSES = BOUNDS_MS.length + 1
/** Cells of one row. */
export const ROW_CELLS = FIRST_CLASS + CLASSES

const SEARCHED = Float64Array.from(BOUNDS_MS)

/** The class of a duration: the first whose bound is not below it. */
export function classOf(ms: number): number {
  let low = 0
  let high = SEARCHED.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((SEARCHED[middle] ?? 0) < ms) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * What a worker has counted since its last report. Rows are numbered: first the listen addresses in
 * the order in which the configuration names them first, then the peers by their index.
 */
export interface TrafficReport {
  /** Cell (row × `ROW_CELLS` + cell) and what is added to it, in turns. */
  readonly counts: readonly number[]
  /** Connections of clients that are open now, for each listen address. */
  readonly active: readonly number[]
  /** Requests that have each peer now, by its index. */
  readonly inFlight: readonly number[]
}
