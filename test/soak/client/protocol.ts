/** What the clients are told, as JSON. */
export interface ClientOrder {
  readonly port: number
  readonly seed: number
  readonly journal: string
  /** For finding the peak: without faults, as fast as possible. */
  readonly calibrateSeconds: number
  readonly seconds: number
  /** Requests per second, or null for a share of the peak. */
  readonly rate: number | null
  readonly tellEveryMs: number
}

/** What the clients say, a line of JSON each. */
export type ClientReport =
  | { readonly type: 'rate'; readonly peak: number; readonly rate: number }
  | ({ readonly type: 'interval' } & IntervalFacts)
  | { readonly type: 'end'; readonly requests: number }

/** What has happened in an interval. */
export interface IntervalFacts {
  readonly atMs: number
  readonly finished: number
  readonly running: number
  /** Small GETs without a fault: the median and the 99th percentile, milliseconds. */
  readonly medianMs: number
  readonly p99Ms: number
  /** Requests that were not begun because too many were running. */
  readonly heldBack: number
}
