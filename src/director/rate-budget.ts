/** How much may come. */
export interface Rate {
  readonly perSecond: number
  /** What may come at once. */
  readonly burst: number
}

/**
 * A bucket that also counts what it refuses: while more comes than it allows it stays empty, so that
 * its being half full says that it is calm again.
 */
export class RateBudget {
  readonly #rate: Rate
  #left: number
  #at = -Infinity

  constructor(rate: Rate) {
    this.#rate = rate
    this.#left = rate.burst
  }

  /**
   * Takes one.
   *
   * @param now milliseconds
   * @returns whether there was one
   */
  take(now: number): boolean {
    this.#fill(now)
    this.#left = Math.max(-this.#rate.burst, this.#left - 1)
    return this.#left >= 0
  }

  /** At least half of the burst could come now. */
  isCalm(now: number): boolean {
    this.#fill(now)
    return this.#left >= this.#rate.burst / 2
  }

  #fill(now: number): void {
    const { perSecond, burst } = this.#rate
    const passed = Math.max(0, now - this.#at)
    this.#left = Math.min(burst, this.#left + (passed * perSecond) / 1000)
    this.#at = now
  }
}
