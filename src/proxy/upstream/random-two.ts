import { MAX_TRIES, indexAt, totalWeight } from './key-place.js'
import { loadOf, type BusyPeer } from './least-conn.js'

/**
 * nginx's `random two least_conn` (ngx_http_upstream_random_module.c): two different peers are drawn
 * by weight, and the one with fewer active requests for its weight is picked, the second if they are
 * equal.
 * @param random from 0 to 1, without 1
 * @returns the index of the peer, or -1 if 21 draws did not find two that are usable
 */
export function pickRandomTwo<P extends BusyPeer>(
  peers: readonly P[],
  isUsable: (peer: P) => boolean,
  random: () => number
): number {
  const total = totalWeight(peers)
  let first = -1
  for (let tries = 0; tries <= MAX_TRIES; tries++) {
    const index = indexAt(peers, random() * total)
    const peer = peers[index]
    if (peer === undefined || index === first || !isUsable(peer)) continue
    const rival = peers[first]
    if (rival !== undefined) return loadOf(peer) > loadOf(rival) ? first : index
    first = index
  }
  return -1
}
