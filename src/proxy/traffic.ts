import {
  ACCEPTED,
  BYTES_RECEIVED,
  BYTES_SENT,
  FAILURES,
  FIRST_CLASS,
  FIRST_FAILURE,
  ROW_CELLS,
  STATUSES,
  TIME,
  classOf,
  type Failure,
  type TrafficReport
} from './traffic-cells.js'
import type { AttemptFacts, Transaction } from './variables.js'

const FAILURE_CELLS = Object.fromEntries(
  FAILURES.map((failure, i) => [failure, FIRST_FAILURE + i])
) as Readonly<Record<Failure, number>>

/** The status of a tunnel, whose duration says nothing about how fast requests are served. */
const SWITCHED = 101

/**
 * Counts what one worker does between two reports. Nothing is allocated for a request; how much is
 * kept depends on the configuration alone.
 */
export class Traffic {
  /** Requests that have each peer now; to be set before `report`. */
  readonly inFlight: Int32Array
  readonly #listeners: number
  readonly #cells: Float64Array
  /** The cells that are not 0, so that a report looks at no others. */
  readonly #touched: Uint32Array
  #touchedCount = 0
  readonly #active: Int32Array
  readonly #lastActive: Int32Array
  readonly #lastInFlight: Int32Array

  /** @param listeners number of listen addresses @param peers number of peers */
  constructor(listeners: number, peers: number) {
    const cells = (listeners + peers) * ROW_CELLS
    this.#listeners = listeners
    this.#cells = new Float64Array(cells)
    this.#touched = new Uint32Array(cells)
    this.#active = new Int32Array(listeners)
    this.#lastActive = new Int32Array(listeners)
    this.inFlight = new Int32Array(peers)
    this.#lastInFlight = new Int32Array(peers)
  }

  /** A client has connected. */
  accepted(listener: number): void {
    this.#add(listener * ROW_CELLS + ACCEPTED, 1)
  }

  /** A client begins to be served. To be followed by one `closed`. */
  opened(listener: number): void {
    this.#active[listener] = (this.#active[listener] ?? 0) + 1
  }

  closed(listener: number): void {
    this.#active[listener] = (this.#active[listener] ?? 0) - 1
  }

  /** Counts a request that is over, with its attempts: what the access log has a line for. */
  settle(listener: number, transaction: Transaction): void {
    const row = listener * ROW_CELLS
    const { status } = transaction
    this.#add(row + (status < STATUSES ? status : 0), 1)
    this.#add(row + BYTES_RECEIVED, transaction.requestLength)
    this.#add(row + BYTES_SENT, transaction.bytesSent)
    if (status !== SWITCHED) this.#time(row, transaction.endedAt - transaction.startedAt)
    for (const attempt of transaction.attempts) this.#settleAttempt(attempt)
  }

  #settleAttempt(attempt: AttemptFacts): void {
    const { peerIndex, answerStatus, failure, firstByteAt } = attempt
    if (peerIndex < 0) return
    const row = (this.#listeners + peerIndex) * ROW_CELLS
    this.#add(row + (failure === null ? answerStatus : FAILURE_CELLS[failure]), 1)
    this.#add(row + BYTES_RECEIVED, attempt.bytesReceived)
    this.#add(row + BYTES_SENT, attempt.bytesSent)
    if (firstByteAt >= 0) this.#time(row, firstByteAt - attempt.startedAt)
  }

  /** What was counted since the last report; null if nothing was and no gauge has changed either. */
  report(): TrafficReport | null {
    const isSame = isEqual(this.#active, this.#lastActive)
    if (this.#touchedCount === 0 && isSame && isEqual(this.inFlight, this.#lastInFlight))
      return null
    this.#lastActive.set(this.#active)
    this.#lastInFlight.set(this.inFlight)
    const counts: number[] = []
    for (let i = 0; i < this.#touchedCount; i++) {
      const cell = this.#touched[i] ?? 0
      counts.push(cell, this.#cells[cell] ?? 0)
      this.#cells[cell] = 0
    }
    this.#touchedCount = 0
    return { counts, active: Array.from(this.#active), inFlight: Array.from(this.inFlight) }
  }

  #time(row: number, ms: number): void {
    const cell = row + FIRST_CLASS + classOf(ms)
    this.#add(cell, 1)
    this.#add(row + TIME, Math.max(0, Math.round(ms * 1000)))
  }

  #add(cell: number, amount: number): void {
    const before = this.#cells[cell] ?? 0
    if (before === 0) {
      if (amount === 0) return
      this.#touched[this.#touchedCount++] = cell
    }
    this.#cells[cell] = before + amount
  }
}

function isEqual(one: Int32Array, other: Int32Array): boolean {
  return one.every((value, i) => value === other[i])
}
