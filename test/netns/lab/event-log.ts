/** A wait that ended without its event. The message says what was waited for and what was seen. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout'
}

interface Waiter<T> {
  readonly claim: (entry: T) => boolean
  readonly resolve: (entry: T) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/**
 * Things that happened, in order, with a way to wait for one. Keeps the newest `limit` entries, so
 * that a source that never stops talking cannot fill the memory.
 */
export class EventLog<T> {
  readonly #what: string
  readonly #limit: number
  readonly #describe: (entry: T) => string
  readonly #waiters = new Set<Waiter<T>>()
  readonly #listeners: ((entry: T) => void)[] = []
  #entries: T[] = []
  #dropped = 0
  #ended: Error | null = null

  /** @param what names the source in messages, such as `lines of keepalived on director1` */
  constructor(what: string, limit: number, describe: (entry: T) => string = String) {
    this.#what = what
    this.#limit = limit
    this.#describe = describe
  }

  /** What is kept, oldest first. */
  get entries(): readonly T[] {
    return this.#entries
  }

  /** How many entries there have been so far: a mark for `since` and `waitFor`. */
  get mark(): number {
    return this.#dropped + this.#entries.length
  }

  /** The kept entries that came after a mark. */
  since(mark: number): readonly T[] {
    return this.#entries.slice(Math.max(0, mark - this.#dropped))
  }

  push(entry: T): void {
    this.#entries.push(entry)
    if (this.#entries.length > this.#limit) {
      const surplus = Math.ceil(this.#limit / 4)
      this.#entries = this.#entries.slice(surplus)
      this.#dropped += surplus
    }
    for (const listener of this.#listeners) listener(entry)
    for (const waiter of [...this.#waiters]) {
      if (waiter.claim(entry)) {
        this.#forget(waiter)
        waiter.resolve(entry)
      }
    }
  }

  /** Calls back with every entry, those that are kept and those to come. */
  follow(listener: (entry: T) => void): void {
    this.#entries.forEach(listener)
    this.#listeners.push(listener)
  }

  /** No more entries will come: everyone who waits is told why, and so is everyone who comes later. */
  end(reason: Error): void {
    this.#ended ??= reason
    for (const waiter of [...this.#waiters]) {
      this.#forget(waiter)
      waiter.reject(this.#ended)
    }
  }

  /**
   * The first entry after `mark` that fits the claim, already there or still to come.
   * @throws {WaitTimeout} when none came in time; with the last entries in its message
   */
  async waitFor(
    claim: (entry: T) => boolean,
    expected: string,
    timeoutMs: number,
    mark = 0
  ): Promise<T> {
    const present = this.since(mark).find((entry) => claim(entry))
    if (present !== undefined) return present
    if (this.#ended) throw this.#ended
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#forget(waiter)
        const seen = this.since(mark).slice(-12).map(this.#describe).join('\n  ')
        reject(
          new WaitTimeout(
            `no ${expected} within ${timeoutMs} ms in ${this.#what}; last seen:\n  ${seen}`
          )
        )
      }, timeoutMs)
      const waiter: Waiter<T> = { claim, resolve, reject, timer }
      this.#waiters.add(waiter)
    })
  }

  #forget(waiter: Waiter<T>): void {
    clearTimeout(waiter.timer)
    this.#waiters.delete(waiter)
  }
}
