import type { UpstreamServer } from '../model.js'
import type { BusyPeer } from './least-conn.js'
import { PeerAddresses } from './peer-addresses.js'
import { HEALTHY, applyPeerEvent, isOut, type PeerEvent, type PeerStatus } from './peer-status.js'
import { configuredWish, takesRequests, weightOf, type PeerWish } from './peer-wish.js'
import { isLongEnough, type Awaited } from './silence.js'
import { shareAfter } from './slow-start.js'

/** One upstream server as a worker sees it. */
export class Peer implements BusyPeer {
  /** In the order of the configuration over all upstreams, from 0. */
  readonly index: number
  readonly server: UpstreamServer
  readonly addresses: PeerAddresses
  weight: number
  effectiveWeight: number
  currentWeight = 0
  share = 1
  active = 0
  /** When it came back after it had been out. */
  #backAt = -Infinity
  /** When it last took a connection of this worker, and when it last began an answer. */
  #connectedAt = -Infinity
  #answeredAt = -Infinity
  /** When it last was the last resort, and whether a request waits for it as that. */
  lastResortAt = -Infinity
  isLastResort = false
  #status: PeerStatus = HEALTHY
  #wish: PeerWish
  readonly #report: ReportPeerEvent | null

  /** @param report null for a peer that is never disabled, whatever happens */
  constructor(index: number, server: UpstreamServer, report: ReportPeerEvent | null) {
    this.index = index
    this.server = server
    this.#report = report
    this.addresses = new PeerAddresses(server)
    this.weight = server.weight
    this.effectiveWeight = server.weight
    this.#wish = configuredWish(server)
  }

  /** This worker's copy of the director's truth. */
  get status(): PeerStatus {
    return this.#status
  }

  /** Whether an administrator, or the configuration, lets it have requests at all. */
  get takesRequests(): boolean {
    return takesRequests(this.#wish)
  }

  /** Whether a connection to it that has done its work may wait for more. */
  get keepsConnections(): boolean {
    return this.#wish.state !== 'down'
  }

  /** Whether it has as many attempts of this worker as it may have. */
  get isFull(): boolean {
    return this.server.maxConns > 0 && this.active >= this.server.maxConns
  }

  /** Takes over what an administrator wants. Returns whether its weight is another one now. */
  obey(wish: PeerWish, now: number): boolean {
    if (!this.takesRequests && takesRequests(wish)) this.#backAt = now
    this.#wish = wish
    const before = this.weight
    this.weight = weightOf(wish, this.server)
    this.effectiveWeight = this.weight
    return this.weight !== before
  }

  /** Takes over the director's truth, and contradicts where this worker knows better. */
  take(status: PeerStatus, now: number): void {
    this.#become(status, now)
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
  learn(event: Extract<PeerEvent, { readonly at: number }>): void {
    if (this.#report === null) return
    const after = applyPeerEvent(this.#status, this.server, event)
    if (after === this.#status) return
    this.#become(after, event.at)
    this.#report(this.index, event)
  }

  /** Sets the share of its weight that it has at an instant while it starts slowly. */
  grow(now: number): void {
    this.share = shareAfter(now - this.#backAt, this.server.slowStartMs)
  }

  #become(status: PeerStatus, now: number): void {
    if (isOut(this.#status, this.server) && !isOut(status, this.server)) this.#backAt = now
    this.#status = status
  }

  #speakUp(awaited: Awaited, at: number): void {
    this.learn({ kind: 'heard', at, awaited })
  }
}

/** Takes what a worker learned about a peer to the director. */
export type ReportPeerEvent = (index: number, event: PeerEvent) => void
