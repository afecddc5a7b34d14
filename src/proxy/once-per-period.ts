/**
 * Something that may happen thousands of times a second and is worth a line: it is said when it
 * happens first, and then at most once in each period, with how often it has happened. Pure.
 */
export class OncePerPeriod {
  readonly #periodMs: number
  #saidAt = -Infinity
  #unsaid = 0

  constructor(periodMs: number) {
    this.#periodMs = periodMs
  }

  /** It happened. Returns how often it has happened since it was last said, or 0 to say nothing yet. */
  happened(now: number): number {
    this.#unsaid++
    return this.due(now)
  }

  /** As `happened`, when it has not happened again: nothing stays unsaid when it stops. */
  due(now: number): number {
    if (this.#unsaid === 0 || now - this.#saidAt < this.#periodMs) return 0
    const count = this.#unsaid
    this.#unsaid = 0
    this.#saidAt = now
    return count
  }
}
