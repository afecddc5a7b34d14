import type { Upstream, UpstreamServer } from '../model.js'
import {
  HEALTHY,
  applyPeerEvent,
  isDisabled,
  isProbeDue,
  type PeerEvent,
  type PeerStatus
} from './peer-status.js'
import { penalise, pick, type WeightedPeer } from './round-robin.js'

/** One upstream address as a worker sees it. */
export class Peer implements WeightedPeer {
  /** In the order of the configuration over all upstreams, from 0. */
  readonly index: number
  readonly server: UpstreamServer
  /** `host:port`, an IPv6 host in brackets. */
  readonly address: string
  readonly weight: number
  effectiveWeight: number
  currentWeight = 0
  /** This worker's copy of the director's truth. */
  status: PeerStatus = HEALTHY

  constructor(index: number, server: UpstreamServer) {
    this.index = index
    this.server = server
    this.address = `${server.host.includes(':') ? `[${server.host}]` : server.host}:${server.port}`
    this.weight = server.weight
    this.effectiveWeight = server.weight
  }
}

/** Takes what a worker learned about a peer to the director. */
export type ReportPeerEvent = (index: number, event: PeerEvent) => void

/** A named group of peers: chooses one for each attempt and learns from the outcome. */
export class PeerGroup {
  readonly name: string
  readonly peers: readonly Peer[]
  readonly #isSingle: boolean
  readonly #report: ReportPeerEvent

  /** @param firstIndex index of the first peer */
  constructor(upstream: Upstream, firstIndex: number, report: ReportPeerEvent) {
    this.name = upstream.name
    this.peers = upstream.servers.map((server, i) => new Peer(firstIndex + i, server))
    this.#isSingle = upstream.servers.length === 1
    this.#report = report
  }

  /** The peer for the next attempt of a request that has tried the ones given, or null. */
  pick(tried: readonly Peer[], now: number): Peer | null {
    const chosen = pick(this.peers, (peer) => this.#isUsable(peer, tried, now))
    const peer = this.peers[chosen]
    if (peer === undefined) return null
    if (isProbeDue(peer.status, peer.server, now)) this.#learn(peer, { kind: 'probed', at: now })
    return peer
  }

  /** Whether `pick` would find a peer. */
  hasUsable(tried: readonly Peer[], now: number): boolean {
    return this.peers.some((peer) => this.#isUsable(peer, tried, now))
  }

  /** Counts a failed attempt. Returns whether it disabled the peer. */
  failed(peer: Peer, now: number): boolean {
    if (this.#isSingle) return false
    penalise(peer, peer.server.maxFails)
    this.#learn(peer, { kind: 'failed', at: now })
    return isDisabled(peer.status, peer.server, now)
  }

  /** Notes that a request which was begun at `startedAt` was answered. */
  succeeded(peer: Peer, startedAt: number, now: number): void {
    if (peer.status.fails > 0) this.#learn(peer, { kind: 'succeeded', at: now, startedAt })
  }

  #isUsable(peer: Peer, tried: readonly Peer[], now: number): boolean {
    if (peer.server.down || tried.includes(peer)) return false
    return this.#isSingle || peer.status.fails === 0 || !isDisabled(peer.status, peer.server, now)
  }

  /** Applies an event to the own copy at once and reports it, if it changes anything. */
  #learn(peer: Peer, event: PeerEvent): void {
    const after = applyPeerEvent(peer.status, peer.server, event)
    if (after === peer.status) return
    peer.status = after
    this.#report(peer.index, event)
  }
}
