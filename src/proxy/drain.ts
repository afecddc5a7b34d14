/** A share of the grace that an idle client may be silent before it is closed, and its bound. */
const SILENCE_SHARE = 1 / 5
const MAX_SILENCE_MS = 5000

/**
 * How long an idle client must have been silent before a draining worker closes it. One that was
 * answered a moment ago may have its next request on the way, which a close would lose; the longer
 * it was silent, the less likely that is.
 */
export function drainSilenceMs(graceMs: number): number {
  return Math.min(MAX_SILENCE_MS, graceMs * SILENCE_SHARE)
}

/** The wait of a worker that ends for its last client, with a bound that can only come nearer. */
export class Drain {
  /** Resolves when nobody is left. */
  readonly emptied: Promise<void>
  /** Resolves when nobody is left or the grace is over. */
  readonly over: Promise<void>
  #empty: () => void = () => undefined
  #end: () => void = () => undefined
  #endsAt = Infinity
  #timer: NodeJS.Timeout | null = null

  constructor() {
    this.emptied = new Promise((resolve) => (this.#empty = resolve))
    this.over = new Promise((resolve) => (this.#end = resolve))
  }

  /** Ends the wait after `graceMs` from now, unless it ends sooner anyway. */
  limit(graceMs: number, now: number): void {
    if (now + graceMs >= this.#endsAt) return
    this.#endsAt = now + graceMs
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#end, graceMs)
  }

  /** Nobody is left. */
  empty(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#empty()
    this.#end()
  }
}
