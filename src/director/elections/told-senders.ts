/** Senders that are told one by one. */
const MOST_SENDERS = 3
const PERIOD_MS = 600_000

/** The clock of what is told later. */
export interface TellingClock {
  readonly after: (delayMs: number, callback: () => void) => () => void
}

/**
 * What anybody on the segment may send as often as he likes: for each kind of it three senders are told
 * at once, and what else comes in ten minutes is one number at their end. So the lines are bounded,
 * whatever the addresses that a flood comes from, and nothing is kept for good. Kinds must be few.
 */
export class ToldSenders<Kind extends string> {
  readonly #clock: TellingClock
  readonly #tellMore: (kind: Kind, count: number) => void
  readonly #periods = new Map<
    Kind,
    { readonly senders: Set<string>; untold: number; readonly cancel: () => void }
  >()

  /** @param tellMore how often it has happened since, untold; never called with 0 */
  constructor(clock: TellingClock, tellMore: (kind: Kind, count: number) => void) {
    this.#clock = clock
    this.#tellMore = tellMore
  }

  /** It has happened. Returns whether to tell it now; else it is counted. */
  happened(kind: Kind, sender: string): boolean {
    let period = this.#periods.get(kind)
    if (!period) {
      const cancel = this.#clock.after(PERIOD_MS, () => {
        this.#end(kind)
      })
      period = { senders: new Set(), untold: 0, cancel }
      this.#periods.set(kind, period)
    }
    const { senders } = period
    if (senders.has(sender) || senders.size >= MOST_SENDERS) {
      period.untold += 1
      return false
    }
    senders.add(sender)
    return true
  }

  /** Tells what is not told yet, and waits for nothing more. */
  close(): void {
    for (const kind of [...this.#periods.keys()]) this.#end(kind)
  }

  #end(kind: Kind): void {
    const period = this.#periods.get(kind)
    if (!period) return
    period.cancel()
    this.#periods.delete(kind)
    if (period.untold > 0) this.#tellMore(kind, period.untold)
  }
}
