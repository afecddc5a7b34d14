import { pick, type WeightedPeer } from './round-robin.js'

/** A peer that knows how many requests it has to answer. */
export interface BusyPeer extends WeightedPeer {
  /** Attempts of this worker that are with it now. */
  readonly active: number
}

/**
 * nginx's `least_conn` (ngx_http_upstream_least_conn_module.c): the peer with the fewest active
 * requests for its weight; those that are equal take turns in smooth weighted round robin.
 * @returns the index of the peer, or -1 if none is usable
 */
export function pickLeastConn<P extends BusyPeer>(
  peers: readonly P[],
  isUsable: (peer: P) => boolean
): number {
  let best = -1
  let bestLoad = Infinity
  let isTie = false
  for (let i = 0; i < peers.length; i++) {
    const peer = peers[i]
    if (peer === undefined || !isUsable(peer)) continue
    const load = loadOf(peer)
    if (load < bestLoad) {
      best = i
      bestLoad = load
      isTie = false
    } else if (load === bestLoad) {
      isTie = true
    }
  }
  if (!isTie) return best
  return pick(peers, (peer) => isUsable(peer) && loadOf(peer) === bestLoad)
}

/**
 * Active requests for each unit of weight. A peer that starts slowly counts as busier than it is:
 * an idle one would draw every request at once, whatever its share of the weight.
 */
export function loadOf({ active, weight, share }: BusyPeer): number {
  return (active + 1 / share - 1) / weight
}
