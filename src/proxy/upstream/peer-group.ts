import type { Balance, Upstream } from '../model.js'
import { compileBalancer, type Balancer, type BalancerPorts, type Claim } from './balancer.js'
import { Peer, type ReportPeerEvent } from './peer.js'
import { isDisabled, isProbeDue, type PeerStatus } from './peer-status.js'
import type { PeerWish } from './peer-wish.js'
import { RequestQueue } from './request-queue.js'
import { RetryBudget } from './retry-budget.js'
import { penalise } from './round-robin.js'
import { SharedTurn, type TellTurn } from './shared-turn.js'
import type { Awaited } from './silence.js'

/** A request that can wait for its peer. */
export interface WaitingClaim extends Claim {
  /** Its wait is over: this peer has been chosen for it. */
  give(peer: Peer): void
  /** Its wait, which began at `since`, was in vain. */
  giveUp(since: number): void
}

/** What a group needs of the engine. */
export interface GroupPorts extends BalancerPorts {
  readonly now: () => number
  readonly report: ReportPeerEvent
}

/** A named group of peers: chooses one for each attempt and learns from the outcome. */
export class PeerGroup {
  readonly name: string
  /** Whether LF alone ends a line of its servers' response heads too. */
  readonly acceptBareLf: boolean
  readonly peers: readonly Peer[]
  /** Null refuses a request that there is no peer for. */
  readonly queue: RequestQueue<WaitingClaim> | null
  readonly budget: RetryBudget
  readonly now: () => number
  /** Requests that have a peer. */
  inFlight = 0
  readonly #isSingle: boolean
  readonly #hasLastResort: boolean
  readonly #balance: Balance
  readonly #ports: GroupPorts
  #primary: Balancer
  /** nginx chooses among backup servers in the same way; null if there are none. */
  #backup: Balancer | null
  readonly #takesTurns: boolean
  /** Peers that start slowly. */
  readonly #growing: readonly Peer[]
  #sharedTurn: SharedTurn | null = null
  #isServing = false

  /**
   * @param firstIndex index of the first peer
   * @throws {RangeError} for an unknown variable in the key of a hash
   */
  constructor(upstream: Upstream, firstIndex: number, ports: GroupPorts) {
    const { servers, balance, queue } = upstream
    this.name = upstream.name
    this.acceptBareLf = upstream.acceptBareLf
    this.now = ports.now
    this.#isSingle = servers.length === 1
    const report = this.#isSingle ? null : ports.report
    this.peers = servers.map((server, i) => new Peer(firstIndex + i, server, report))
    this.#balance = balance
    this.#ports = ports
    this.#primary = this.#compile(false)
    this.#backup = this.peers.some(({ server }) => server.backup) ? this.#compile(true) : null
    this.#takesTurns = balance.method === 'round_robin' || balance.method === 'least_conn'
    this.#growing = this.peers.filter(({ server }) => server.slowStartMs > 0 && !this.#isSingle)
    this.queue = queue === null ? null : new RequestQueue(queue.requests, queue.timeoutMs)
    this.budget = new RetryBudget(upstream.retryBudget)
    this.#hasLastResort = upstream.lastResort
  }

  /** From now on takes turns together with the same group in the other workers. */
  shareTurn(workers: number, tell: TellTurn): void {
    const firstIndex = this.peers[0]?.index ?? 0
    if (workers > 1 && !this.#isSingle && this.#takesTurns) {
      this.#sharedTurn = new SharedTurn(firstIndex, this.peers, workers, tell)
    }
  }

  /** Goes on where another worker is. */
  takeTurn(currentWeights: readonly number[]): void {
    for (const [i, peer] of this.peers.entries()) peer.currentWeight = currentWeights[i] ?? 0
  }

  /** Takes over what the director knows about a peer. */
  takeStatus(peer: Peer, status: PeerStatus): void {
    const now = this.now()
    peer.take(status, now)
    this.serve(now)
  }

  /** Takes over what an administrator wants of a peer. */
  takeWish(peer: Peer, wish: PeerWish): void {
    const now = this.now()
    if (peer.obey(wish, now)) {
      // What was gained with other weights would keep a peer waiting, or favour it, for many turns.
      for (const each of this.peers) each.currentWeight = 0
      // The points of a consistent hash are as many as the weights say.
      if (peer.server.backup) this.#backup = this.#compile(true)
      else this.#primary = this.#compile(false)
    }
    this.serve(now)
  }

  /** The peer for the next attempt of a request, or null. */
  pick(claim: Claim, now: number): Peer | null {
    for (const peer of this.#growing) peer.grow(now)
    const { tried } = claim
    const isUsable = (peer: Peer): boolean => this.#isUsable(peer, tried, now)
    const peer = this.#primary(claim, isUsable) ?? this.#backup?.(claim, isUsable) ?? null
    if (peer === null) return null
    this.#sharedTurn?.moved(now)
    if (isProbeDue(peer.status, peer.server, now)) peer.learn({ kind: 'probed', at: now })
    return peer
  }

  /**
   * The least bad peer when all are disabled: one that no check has taken out before one that a check
   * has, then the one that has been left alone longest. A request that waits for it must not be
   * followed by more: until `isLastResort` is false it is not given again, so that clients do not
   * pile up.
   */
  pickLastResort(now: number): Peer | null {
    if (!this.#hasLastResort) return null
    let best: Peer | null = null
    for (const peer of this.peers) {
      if (!peer.takesRequests || !peer.addresses.isKnown) continue
      // One that is well and only busy: nothing has to be tried.
      if (!this.#isDisabled(peer, now)) return null
      if (peer.isLastResort || peer.isFull) continue
      if (best === null || isLessBad(peer, best)) best = peer
    }
    if (best === null) return null
    best.isLastResort = true
    best.lastResortAt = now
    return best
  }

  /** Whether `pick` would find a peer. */
  hasUsable(tried: readonly Peer[], now: number): boolean {
    return this.peers.some((peer) => this.#isUsable(peer, tried, now))
  }

  /** Whether failures take a peer out. */
  mayDisable(peer: Peer): boolean {
    return !this.#isSingle && peer.server.maxFails > 0
  }

  /** Notes that a request has a peer. To be followed by one `release`. */
  hold(peer: Peer): void {
    peer.active++
    this.inFlight++
  }

  /** A request is done with its peer, which makes room for one that waits. */
  release(peer: Peer): void {
    peer.active--
    this.inFlight--
    if (this.queue !== null) this.serve(this.now())
  }

  /** Gives peers to the requests that wait, as far as there are any. */
  serve(now: number): void {
    const { queue } = this
    // A request that fails at once releases its peer, and would serve the next one inside of this.
    if (queue === null || this.#isServing) return
    this.#isServing = true
    for (let claim = queue.first; claim !== null; claim = queue.first) {
      const peer = this.pick(claim, now)
      if (peer === null) break
      queue.leave(claim)
      claim.give(peer)
    }
    this.#isServing = false
  }

  /** To be called regularly: looks after the requests that wait. */
  sweep(now: number): void {
    if (this.queue === null || this.queue.size === 0) return
    this.serve(now)
    for (const [claim, since] of this.queue.takeLate(now)) claim.giveUp(since)
  }

  /** Counts a failed attempt. Returns whether it disabled the peer. */
  failed(peer: Peer, cause: 'connect' | 'answer', now: number): boolean {
    if (this.#isSingle) return false
    const wasDisabled = isDisabled(peer.status, peer.server, now)
    penalise(peer, peer.server.maxFails)
    peer.learn({ kind: 'failed', at: now, cause })
    return !wasDisabled && isDisabled(peer.status, peer.server, now)
  }

  /**
   * Notes that a client gave up which had waited since `since`. Returns whether that disabled the
   * peer.
   */
  abandoned(peer: Peer, awaited: Awaited, since: number, now: number): boolean {
    const wasDisabled = isDisabled(peer.status, peer.server, now)
    peer.abandoned(awaited, since, now)
    return !wasDisabled && isDisabled(peer.status, peer.server, now)
  }

  /** Notes that a request which was begun at `startedAt` was answered. */
  succeeded(peer: Peer, startedAt: number, now: number): void {
    if (peer.status.fails === 0) return
    peer.learn({ kind: 'succeeded', at: now, startedAt })
    this.serve(now)
  }

  #compile(isBackup: boolean): Balancer {
    const peers = this.peers.filter(({ server }) => server.backup === isBackup)
    return compileBalancer(this.#balance, peers, this.#ports)
  }

  #isUsable(peer: Peer, tried: readonly Peer[], now: number): boolean {
    if (!peer.takesRequests || !peer.addresses.isKnown) return false
    if (tried.includes(peer) || peer.isFull) return false
    return !this.#isDisabled(peer, now)
  }

  #isDisabled(peer: Peer, now: number): boolean {
    return !this.#isSingle && isDisabled(peer.status, peer.server, now)
  }
}

function isLessBad(peer: Peer, other: Peer): boolean {
  if (peer.status.isDown !== other.status.isDown) return other.status.isDown
  return leftAloneSince(peer) < leftAloneSince(other)
}

function leftAloneSince(peer: Peer): number {
  return Math.max(peer.status.checkedAt, peer.lastResortAt)
}
