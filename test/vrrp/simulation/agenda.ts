import type { Milliseconds } from '../../../src/vrrp/timing.js'

interface Entry {
  readonly at: Milliseconds
  readonly order: number
  readonly run: () => void
}

/** What is to happen, by time; at the same time in the order of chance: a binary heap. */
export class Agenda {
  readonly #entries: Entry[] = []

  add(at: Milliseconds, order: number, run: () => void): void {
    const entries = this.#entries
    entries.push({ at, order, run })
    let i = entries.length - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.#isBefore(i, parent)) break
      this.#swap(i, parent)
      i = parent
    }
  }

  /** The next entry that is due by `until`; null if there is none. */
  take(until: Milliseconds): Entry | null {
    const entries = this.#entries
    const [first] = entries
    if (!first || first.at > until) return null
    const last = entries.pop()
    if (last && entries.length > 0) {
      entries[0] = last
      this.#sink()
    }
    return first
  }

  #sink(): void {
    let i = 0
    for (;;) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < this.#entries.length && this.#isBefore(child, least)) least = child
      }
      if (least === i) return
      this.#swap(i, least)
      i = least
    }
  }

  #isBefore(i: number, j: number): boolean {
    const a = this.#entries[i]
    const b = this.#entries[j]
    return !!a && !!b && (a.at < b.at || (a.at === b.at && a.order < b.order))
  }

  #swap(i: number, j: number): void {
    const a = this.#entries[i]
    const b = this.#entries[j]
    if (!a || !b) return
    this.#entries[i] = b
    this.#entries[j] = a
  }
}
