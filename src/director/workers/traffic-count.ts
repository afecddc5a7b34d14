import type { Histogram, RecentTraffic } from '../../admin/model.js'
import {
  ACCEPTED,
  BOUNDS_MS,
  CLASSES,
  FAILURES,
  FIRST_CLASS,
  FIRST_FAILURE,
  ROW_CELLS,
  STATUSES,
  TIME
} from '../../proxy/traffic-cells.js'

/** What is recent is kept in so many slots of this length: the last 10 to 12 s. */
const SLOT_MS = 2000
const SLOTS = 6
/** A slot has the requests, then the classes of the histogram. */
const SLOT_CELLS = 1 + CLASSES

/** The bounds that are told, ms; each of them is one of the finer `BOUNDS_MS`. */
const TOLD_MS = [
  ...[0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000]
]
const TOLD_BOUNDS_S: readonly number[] = TOLD_MS.map((bound) => bound / 1000)
/** For each class the place of its count among those that are told. */
const TOLD_CLASSES = Array.from({ length: CLASSES }, (_, at) => {
  const place = TOLD_MS.findIndex((bound) => (BOUNDS_MS[at] ?? Infinity) <= bound)
  return place < 0 ? TOLD_MS.length : place
})

/** All that was counted for one listen address or one peer: since its beginning, and recently. */
export class TrafficCount {
  readonly #since: number
  readonly #cells = new Float64Array(ROW_CELLS)
  /** Statuses and failures that have a count. */
  readonly #seen: number[] = []
  readonly #slots = new Float64Array(SLOTS * SLOT_CELLS)
  /** Number of the slot that is in each place; a place is used again `SLOTS` slots later. */
  readonly #slotNumbers = new Float64Array(SLOTS).fill(-1)

  constructor(now: number) {
    this.#since = now
  }

  /** Adds to a cell of the row (proxy/traffic-cells.ts). */
  add(cell: number, amount: number, now: number): void {
    const before = this.#cells[cell] ?? 0
    this.#cells[cell] = before + amount
    if (cell < ACCEPTED) {
      if (before === 0) this.#seen.push(cell)
      this.#addRecent(0, amount, now)
    } else if (cell >= FIRST_CLASS) {
      this.#addRecent(1 + cell - FIRST_CLASS, amount, now)
    }
  }

  total(cell: number): number {
    return this.#cells[cell] ?? 0
  }

  /** By status or failure; only what has happened. @param none what the status 000 is called */
  results(none: string): Record<string, number> {
    const sorted = this.#seen.toSorted((a, b) => a - b)
    return Object.fromEntries(sorted.map((cell) => [nameOf(cell, none), this.total(cell)]))
  }

  get histogram(): Histogram {
    const counts = new Array<number>(TOLD_MS.length + 1).fill(0)
    for (let at = 0; at < CLASSES; at++) {
      const place = TOLD_CLASSES[at] ?? 0
      counts[place] = (counts[place] ?? 0) + this.total(FIRST_CLASS + at)
    }
    return { bounds_s: TOLD_BOUNDS_S, counts, sum_s: this.total(TIME) / 1e6 }
  }

  recent(now: number): RecentTraffic {
    const current = Math.floor(now / SLOT_MS)
    const sums = new Float64Array(SLOT_CELLS)
    for (let place = 0; place < SLOTS; place++) {
      if ((this.#slotNumbers[place] ?? -1) <= current - SLOTS) continue
      for (let i = 0; i < SLOT_CELLS; i++) sums[i] = (sums[i] ?? 0) + this.#slot(place, i)
    }
    let measured = 0
    for (let i = 1; i < SLOT_CELLS; i++) measured += sums[i] ?? 0
    const begin = Math.max(this.#since, (current - SLOTS + 1) * SLOT_MS)
    const seconds = Math.max(1, (now - begin) / 1000)
    return {
      per_second: (sums[0] ?? 0) / seconds,
      p50_ms: percentile(sums, 0.5 * measured),
      p99_ms: percentile(sums, 0.99 * measured)
    }
  }

  #slot(place: number, at: number): number {
    return this.#slots[place * SLOT_CELLS + at] ?? 0
  }

  #addRecent(at: number, amount: number, now: number): void {
    const number = Math.floor(now / SLOT_MS)
    const place = number % SLOTS
    const begin = place * SLOT_CELLS
    if (this.#slotNumbers[place] !== number) {
      this.#slotNumbers[place] = number
      this.#slots.fill(0, begin, begin + SLOT_CELLS)
    }
    this.#slots[begin + at] = (this.#slots[begin + at] ?? 0) + amount
  }
}

function nameOf(cell: number, none: string): string {
  if (cell === 0) return none
  if (cell < STATUSES) return String(cell)
  return FAILURES[cell - FIRST_FAILURE] ?? ''
}

/**
 * The duration that so many do not exceed, as if those of one class were spread evenly over it; null
 * if there is none. What is above all bounds counts as the last one.
 * @param slot its first cell is no class
 */
function percentile(slot: Float64Array, rank: number): number | null {
  let below = 0
  for (let at = 0; at < CLASSES; at++) {
    const count = slot[at + 1] ?? 0
    if (count > 0 && below + count >= rank) {
      const low = at === 0 ? 0 : (BOUNDS_MS[at - 1] ?? 0)
      const high = BOUNDS_MS[at] ?? low
      return low + ((high - low) * (rank - below)) / count
    }
    below += count
  }
  return null
}
