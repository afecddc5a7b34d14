import type { Transaction } from '../variables.js'
import type { KeyPlace } from './key-place.js'
import type { Peer } from './peer.js'
import type { PeerGroup, WaitingClaim } from './peer-group.js'

/** A request that asks for peers, and hears what it gets. */
export interface Applicant {
  /** The peer for the next attempt. */
  onPeer(peer: Peer): void
  /** There is none. @param reason for the error log @param since when it began to wait for one */
  onNoPeer(reason: string, since: number): void
  /** Something about the whole group that an operator should know. */
  onNotice(message: string): void
}

const NONE: readonly Peer[] = []

/**
 * One request's way into a group: it asks for a peer, waits for one if it must and may, holds it
 * while an attempt is made, and gives it back exactly once.
 */
export class Admission implements WaitingClaim {
  readonly transaction: Transaction
  /** Peers whose attempts are over. */
  tried = NONE
  place: KeyPlace | null = null
  /** Peers that were given so far. */
  attempts = 0
  readonly #group: PeerGroup
  readonly #applicant: Applicant
  /** The peer that it holds. */
  #peer: Peer | null = null
  #isLastResort = false
  #isRetry = false
  #isNextRetry = false
  /** When it began to wait for the first time. */
  #waitsSince: number | null = null

  constructor(group: PeerGroup, transaction: Transaction, applicant: Applicant) {
    this.#group = group
    this.transaction = transaction
    this.#applicant = applicant
  }

  /** Asks for another peer than those before. The applicant hears of it at once, or after a wait. */
  next(): void {
    const group = this.#group
    const now = group.now()
    // Those that wait come first.
    group.serve(now)
    const last = this.#peer
    if (last !== null) this.tried = [...this.tried, last]
    let peer = group.pick(this, now)
    let isLastResort = false
    if (peer === null && this.attempts === 0) {
      peer = group.pickLastResort(now)
      isLastResort = peer !== null
    }
    const mayWait = peer === null && this.#mayWait(now)
    this.#release()
    if (peer !== null) this.#hold(peer, isLastResort)
    else if (!mayWait || !this.#wait(now)) this.#refuse(now)
  }

  /**
   * Whether `next` would bring another attempt.
   * @param requestSent a request that no peer has seen a byte of may also wait
   */
  hasNext(requestSent: boolean, now: number): boolean {
    const tried = this.#peer === null ? this.tried : [...this.tried, this.#peer]
    if (this.#group.hasUsable(tried, now)) return true
    return !requestSent && this.#mayWait(now)
  }

  /**
   * Whether one more attempt is within the retry budget, if it is one that the budget bounds. To be
   * asked last before `next`.
   */
  affords(isBounded: boolean, now: number): boolean {
    const { budget, inFlight } = this.#group
    this.#isNextRetry = isBounded
    if (!isBounded || budget.affords(inFlight, this.#isRetry)) return true
    const refused = budget.refuse(now)
    if (refused > 0) {
      const of = `${budget.retries} of ${inFlight} requests in flight are retries`
      this.#applicant.onNotice(
        `retry budget is exhausted, ${of}; failures passed on since this was last said: ${refused}`
      )
    }
    return false
  }

  /** The last resort has answered or failed: another request may try it. */
  settleLastResort(): void {
    if (this.#isLastResort && this.#peer !== null) this.#peer.isLastResort = false
    this.#isLastResort = false
  }

  /** The request is over, or does without a peer from now on. Callable twice. */
  leave(): void {
    this.#group.queue?.leave(this)
    this.#release()
  }

  give(peer: Peer): void {
    this.#hold(peer, false)
  }

  giveUp(since: number): void {
    const waitedMs = Math.round(this.#group.now() - since)
    const reason = `no upstream server was free within ${waitedMs} ms while waiting in the queue`
    this.#applicant.onNoPeer(reason, since)
  }

  /**
   * A request whose wait was no use, because the peer that it was given took no connection either,
   * waits on while its time lasts. But not for a peer that no failure disables: that would be given
   * to it over and over.
   */
  #mayWait(now: number): boolean {
    const { queue } = this.#group
    if (queue === null || queue.isFull) return false
    if (this.#waitsSince === null) return true
    const isNoUse = this.#peer !== null && this.#group.mayDisable(this.#peer)
    return isNoUse && now - this.#waitsSince < queue.timeoutMs
  }

  /** Joins the queue, if there is one with room. All peers are open to it again when it is served. */
  #wait(now: number): boolean {
    const since = (this.#waitsSince ??= now)
    if (this.#group.queue?.join(this, since) !== true) return false
    this.tried = NONE
    this.place = null
    return true
  }

  #refuse(now: number): void {
    const isFull = this.#group.queue?.isFull === true
    const reason = `no live upstreams${isFull ? ' and the queue is full' : ''}`
    this.#applicant.onNoPeer(`${reason} while connecting to upstream`, now)
  }

  #hold(peer: Peer, isLastResort: boolean): void {
    this.#peer = peer
    this.#isLastResort = isLastResort
    this.attempts++
    this.#group.hold(peer)
    this.#isRetry = this.#isNextRetry
    if (this.#isRetry) this.#group.budget.begin()
    this.#applicant.onPeer(peer)
  }

  #release(): void {
    const peer = this.#peer
    if (peer === null) return
    this.settleLastResort()
    this.#peer = null
    if (this.#isRetry) this.#group.budget.end()
    this.#isRetry = false
    this.#group.release(peer)
  }
}
