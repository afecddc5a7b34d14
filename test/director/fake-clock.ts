interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** A clock that the test moves, with the timers of whoever is tested. */
export class FakeClock {
  #now = 0
  readonly #timers = new Set<Timer>()

  readonly now = (): number => this.#now

  readonly after = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { at: this.#now + delayMs, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** How many timers are running. */
  get timers(): number {
    return this.#timers.size
  }

  advanceTo(time: number): void {
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at)
      if (!next || next.at > time) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
    }
    this.#now = time
  }
}
