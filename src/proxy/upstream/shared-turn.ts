import type { WeightedPeer } from './round-robin.js'

/** Turns that a worker may tell in a row; after that one in each interval. */
const BURST = 50
/** Under load each worker tells its turn this often, times the number of workers, in milliseconds. */
const INTERVAL_PER_WORKER_MS = 5

/** Takes the turn of a group, named by its first peer, to the other workers. */
export type TellTurn = (firstIndex: number, currentWeights: readonly number[]) => void

/**
 * Keeps the round robin of one group together over all workers, so that requests which come one by
 * one alternate whichever worker accepts them. Under load not every turn is told: then the shares
 * matter, and not the order.
 */
export class SharedTurn {
  readonly #firstIndex: number
  readonly #peers: readonly WeightedPeer[]
  readonly #intervalMs: number
  readonly #tell: TellTurn
  #allowance = BURST
  #movedAt = -Infinity
  #timer: NodeJS.Timeout | null = null

  constructor(firstIndex: number, peers: readonly WeightedPeer[], workers: number, tell: TellTurn) {
    this.#firstIndex = firstIndex
    this.#peers = peers
    this.#intervalMs = INTERVAL_PER_WORKER_MS * workers
    this.#tell = tell
  }

  /** To be called after each pick. */
  moved(now: number): void {
    if (this.#timer !== null) return
    const earned = (now - this.#movedAt) / this.#intervalMs
    this.#movedAt = now
    this.#allowance = Math.min(BURST, this.#allowance + earned)
    if (this.#allowance >= 1) {
      this.#tellNow()
      return
    }
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#tellNow()
    }, this.#intervalMs)
    this.#timer.unref()
  }

  #tellNow(): void {
    this.#allowance -= 1
    this.#tell(
      this.#firstIndex,
      this.#peers.map((peer) => peer.currentWeight)
    )
  }
}
