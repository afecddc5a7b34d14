import type { Upstream, UpstreamServer } from '../model.js'
import {
  HEALTHY,
  applyPeerEvent,
  isDisabled,
  isProbeDue,
  type PeerEvent,
  type PeerStatus
} from './peer-status.js'
import { PeerAddresses } from './peer-addresses.js'
import { penalise, pick, type WeightedPeer } from './round-robin.js'
import { SharedTurn, type TellTurn } from './shared-turn.js'
import { isLongEnough, type Awaited } from './silence.js'

/** One upstream server as a worker sees it. */
export class Peer implements WeightedPeer {
  /** In the order of the configuration over all upstreams, from 0. */
  readonly index: number
  readonly server: UpstreamServer
  readonly addresses: PeerAddresses
  readonly weight: number
  effectiveWeight: number
  currentWeight = 0
  /** When it last took a connection of this worker, and when it last began an answer. */
  #connectedAt = -Infinity
  #answeredAt = -Infinity
  /** When it last was the last resort, and whether a request waits for it as that. */
  lastResortAt = -Infinity
  isLastResort = false
  #status: PeerStatus = HEALTHY
  readonly #report: ReportPeerEvent | null

  /** @param report null for a peer that is never disabled, whatever happens */
  constructor(index: number, server: UpstreamServer, report: ReportPeerEvent | null) {
    this.index = index
    this.server = server
    this.#report = report
    this.addresses = new PeerAddresses(server)
    this.weight = server.weight
    this.effectiveWeight = server.weight
  }

  /** This worker's copy of the director's truth. */
  get status(): PeerStatus {
    return this.#status
  }

  /** Takes over the director's truth, and contradicts where this worker knows better. */
  set status(status: PeerStatus) {
    this.#status = status
    if (status.unconnected.count > 0) this.#speakUp('connection', this.#connectedAt)
    if (status.unanswered.count > 0) this.#speakUp('answer', this.#answeredAt)
  }

  /** Took a connection. */
  connected(now: number): void {
    this.#connectedAt = now
    if (this.#status.unconnected.count > 0) this.#speakUp('connection', now)
  }

  /** Began an answer. */
  answered(now: number): void {
    this.#answeredAt = now
    if (this.#status.unanswered.count > 0) this.#speakUp('answer', now)
  }

  /** A client gave up that had waited since `since`. What others got meanwhile speaks for the peer. */
  abandoned(awaited: Awaited, since: number, now: number): void {
    const heardAt = awaited === 'connection' ? this.#connectedAt : this.#answeredAt
    if (!isLongEnough(now - since) || heardAt >= since) return
    this.learn({ kind: 'abandoned', at: now, since, awaited })
  }

  /** Applies an event to the own copy at once and reports it, if it changes anything. */
  learn(event: PeerEvent): void {
    if (this.#report === null) return
    const after = applyPeerEvent(this.#status, this.server, event)
    if (after === this.#status) return
    this.#status = after
    this.#report(this.index, event)
  }

  #speakUp(awaited: Awaited, at: number): void {
    this.learn({ kind: 'heard', at, awaited })
  }
}

/** Takes what a worker learned about a peer to the director. */
export type ReportPeerEvent = (index: number, event: PeerEvent) => void

/** A named group of peers: chooses one for each attempt and learns from the outcome. */
export class PeerGroup {
  readonly name: string
  readonly peers: readonly Peer[]
  readonly #isSingle: boolean
  #sharedTurn: SharedTurn | null = null

  /** @param firstIndex index of the first peer */
  constructor(upstream: Upstream, firstIndex: number, report: ReportPeerEvent) {
    this.name = upstream.name
    this.#isSingle = upstream.servers.length === 1
    const tell = this.#isSingle ? null : report
    this.peers = upstream.servers.map((server, i) => new Peer(firstIndex + i, server, tell))
  }

  /** From now on takes turns together with the same group in the other workers. */
  shareTurn(workers: number, tell: TellTurn): void {
    const firstIndex = this.peers[0]?.index ?? 0
    if (workers > 1 && !this.#isSingle) {
      this.#sharedTurn = new SharedTurn(firstIndex, this.peers, workers, tell)
    }
  }

  /** Goes on where another worker is. */
  takeTurn(currentWeights: readonly number[]): void {
    for (const [i, peer] of this.peers.entries()) peer.currentWeight = currentWeights[i] ?? 0
  }

  /** The peer for the next attempt of a request that has tried the ones given, or null. */
  pick(tried: readonly Peer[], now: number): Peer | null {
    const chosen = pick(this.peers, (peer) => this.#isUsable(peer, tried, now))
    const peer = this.peers[chosen]
    if (peer === undefined) return null
    this.#sharedTurn?.moved(now)
    if (isProbeDue(peer.status, peer.server, now)) peer.learn({ kind: 'probed', at: now })
    return peer
  }

  /**
   * The least bad peer when `pick` has none: one that no check has taken out before one that a check
   * has, then the one that has been left alone longest. A request that waits for it must not be
   * followed by more: until `settled` it is not given again, so that clients do not pile up.
   */
  pickLastResort(now: number): Peer | null {
    let best: Peer | null = null
    for (const peer of this.peers) {
      if (peer.server.down || peer.isLastResort || !peer.addresses.isKnown) continue
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
    if (peer.status.fails > 0) peer.learn({ kind: 'succeeded', at: now, startedAt })
  }

  #isUsable(peer: Peer, tried: readonly Peer[], now: number): boolean {
    if (peer.server.down || !peer.addresses.isKnown || tried.includes(peer)) return false
    return this.#isSingle || !isDisabled(peer.status, peer.server, now)
  }
}

function isLessBad(peer: Peer, other: Peer): boolean {
  if (peer.status.isDown !== other.status.isDown) return other.status.isDown
  return leftAloneSince(peer) < leftAloneSince(other)
}

function leftAloneSince(peer: Peer): number {
  return Math.max(peer.status.checkedAt, peer.lastResortAt)
}
