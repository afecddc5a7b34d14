/**
 * The requests that peers still have although they take no new ones: told by each worker, added up
 * here. A worker that has not told yet makes the sum unknown, one that is gone has none.
 */
export class InFlight {
  /** By the index of a peer, and by the process id of a worker; null is not told yet. */
  readonly #counts = new Map<number, Map<number, number | null>>()
  readonly #drained = new Set<number>()
  readonly #onDrained: (index: number) => void

  /** @param onDrained told once of each peer that has none any more */
  constructor(onDrained: (index: number) => void) {
    this.#onDrained = onDrained
  }

  /** A peer takes no new requests from now on; these workers will tell what it has. */
  begin(index: number, workers: readonly number[]): void {
    if (this.#counts.has(index)) return
    this.#counts.set(index, new Map(workers.map((pid) => [pid, null])))
    this.#look(index)
  }

  /** A peer takes requests again. */
  end(index: number): void {
    this.#counts.delete(index)
    this.#drained.delete(index)
  }

  told(worker: number, index: number, count: number): void {
    const counts = this.#counts.get(index)
    if (counts === undefined) return
    counts.set(worker, count)
    this.#look(index)
  }

  exited(worker: number): void {
    for (const [index, counts] of this.#counts) if (counts.delete(worker)) this.#look(index)
  }

  /** Null for a peer that takes requests, and as long as not every worker has told. */
  countOf(index: number): number | null {
    const counts = this.#counts.get(index)
    if (counts === undefined) return null
    let sum = 0
    for (const count of counts.values()) {
      if (count === null) return null
      sum += count
    }
    return sum
  }

  #look(index: number): void {
    if (this.countOf(index) !== 0 || this.#drained.has(index)) return
    this.#drained.add(index)
    this.#onDrained(index)
  }
}
