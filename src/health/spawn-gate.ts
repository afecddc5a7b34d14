/** Starting a child process holds the loop up for its fork, 0.8 ms: so many may start in so long. */
const MOST_STARTS = 5
const PERIOD_MS = 100

/**
 * The gate that everything passes which starts a child process: at most five start in 100 ms, the
 * others wait for their turn, in order. Its users bound the queue: each waits for its own child.
 */
export class SpawnGate {
  readonly #waiting = new Set<() => void>()
  #started = 0
  #timer: NodeJS.Timeout | null = null

  /**
   * Calls `start` now, or when its turn comes. It must not throw.
   *
   * @returns takes it out of the queue; does nothing once it was called
   */
  enter(start: () => void): () => void {
    if (this.#started < MOST_STARTS && this.#waiting.size === 0) {
      this.#begin(start)
      return () => undefined
    }
    // A function of its own, so that the same one can wait twice.
    const waiting = (): void => {
      start()
    }
    this.#waiting.add(waiting)
    return () => void this.#waiting.delete(waiting)
  }

  #begin(start: () => void): void {
    this.#started += 1
    this.#timer ??= setTimeout(() => {
      this.#nextPeriod()
    }, PERIOD_MS)
    start()
  }

  #nextPeriod(): void {
    this.#timer = null
    this.#started = 0
    for (const waiting of this.#waiting) {
      if (this.#started >= MOST_STARTS) return
      this.#waiting.delete(waiting)
      this.#begin(waiting)
    }
  }
}
