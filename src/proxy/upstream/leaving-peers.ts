import type { Peer } from './peer.js'

/** Takes the number of requests that a peer still has in this worker to the director. */
export type TellInFlight = (index: number, count: number) => void

/** Peers that take no new requests, and what they still have: told at once, and as it changes. */
export class LeavingPeers {
  /** What was told last of each. */
  readonly #told = new Map<Peer, number>()
  readonly #tell: TellInFlight

  constructor(tell: TellInFlight) {
    this.#tell = tell
  }

  /** An administrator's wish for a peer has come. */
  wished(peer: Peer): void {
    this.#told.delete(peer)
    if (!peer.takesRequests) this.#say(peer)
  }

  /** To be called regularly. */
  sweep(): void {
    for (const [peer, count] of this.#told) if (peer.active !== count) this.#say(peer)
  }

  #say(peer: Peer): void {
    this.#told.set(peer, peer.active)
    this.#tell(peer.index, peer.active)
  }
}
