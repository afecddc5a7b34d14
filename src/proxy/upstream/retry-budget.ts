import { OncePerPeriod } from '../once-per-period.js'

/** A refusal is told at once, then once in this time for all of them. */
const TELL_INTERVAL_MS = 10_000

/**
 * Bounds how many requests of a group may be retries at one time, so that a group in trouble does not
 * get its load twice. Counted are requests in flight, not a rate: a retry that is over costs nothing.
 */
export class RetryBudget {
  readonly #percent: number
  readonly #min: number
  #retries = 0
  readonly #refusals = new OncePerPeriod(TELL_INTERVAL_MS)

  /**
   * @param percent of the requests in flight that may be retries
   * @param min so many may be in any case
   */
  constructor({ percent, min }: { readonly percent: number; readonly min: number }) {
    this.#percent = percent
    this.#min = min
  }

  /** Retries in flight. */
  get retries(): number {
    return this.#retries
  }

  /**
   * Whether a request may be tried again.
   * @param inFlight all requests of the group, this one included
   * @param isRetry whether it is a retry already, which the next one would follow
   */
  affords(inFlight: number, isRetry: boolean): boolean {
    const allowed = Math.max(this.#min, Math.floor((inFlight * this.#percent) / 100))
    return this.#retries - (isRetry ? 1 : 0) < allowed
  }

  begin(): void {
    this.#retries++
  }

  end(): void {
    this.#retries--
  }

  /** Notes that a retry was refused. Returns how many were since the last telling, 0 to be silent. */
  refuse(now: number): number {
    return this.#refusals.happened(now)
  }
}
