const TICK_MS = 10

/**
 * How late this machine runs a process that has next to nothing to do. What tests measure are times of
 * processes that have little to do as well: where we are late they may be, whatever they are worth.
 */
export class Lateness {
  readonly #timer: NodeJS.Timeout
  #last = performance.now()
  #worst = 0

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#worst = Math.max(this.#worst, now - this.#last - TICK_MS)
      this.#last = now
    }, TICK_MS)
  }

  /** Ends it; resolves to the longest time that a tick was late, in milliseconds. */
  end(): number {
    clearInterval(this.#timer)
    return this.#worst
  }
}
