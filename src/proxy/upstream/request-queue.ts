/** Requests that wait for a peer: first come, first served, so many at most, each for the same time. */
export class RequestQueue<R> {
  readonly timeoutMs: number
  readonly #limit: number
  /** When each began to wait, in the order in which they are served. */
  readonly #since = new Map<R, number>()

  constructor(limit: number, timeoutMs: number) {
    this.#limit = limit
    this.timeoutMs = timeoutMs
  }

  get size(): number {
    return this.#since.size
  }

  get isFull(): boolean {
    return this.#since.size >= this.#limit
  }

  /**
   * Puts a request last. Returns false if the queue is full.
   * @param since when it began to wait, for the first time if it waits again
   */
  join(request: R, since: number): boolean {
    if (this.isFull) return false
    this.#since.set(request, since)
    return true
  }

  /** Takes a request out, wherever it is; nothing happens if it does not wait. */
  leave(request: R): void {
    this.#since.delete(request)
  }

  /** The request whose turn it is, or null. */
  get first(): R | null {
    for (const request of this.#since.keys()) return request
    return null
  }

  /** Takes out the requests whose time is over, and says since when they have waited. */
  takeLate(now: number): (readonly [request: R, since: number])[] {
    const late: (readonly [R, number])[] = []
    for (const entry of this.#since) {
      if (now - entry[1] >= this.timeoutMs) late.push(entry)
    }
    for (const [request] of late) this.#since.delete(request)
    return late
  }
}
