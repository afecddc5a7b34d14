/**
 * nginx's smooth weighted round robin (ngx_http_upstream_round_robin.c): each usable peer gains its
 * effective weight, the one with the most is picked and pays the sum of all back. Weights 5, 1, 1
 * give `aabacaa`, not `aaaaabc`.
 */
export interface WeightedPeer {
  readonly weight: number
  /** Between 0 and `weight`: falls with failures, recovers by 1 in each round. */
  effectiveWeight: number
  currentWeight: number
  /** The part of its weight that counts: 1, or less while it starts slowly. */
  share: number
}

/**
 * Picks a peer and moves the weights; ties go to the first.
 * @param isUsable whether a peer may be picked now; others neither gain nor recover
 * @returns the index of the peer, or -1 if none is usable
 */
export function pick<P extends WeightedPeer>(
  peers: readonly P[],
  isUsable: (peer: P) => boolean
): number {
  let best = -1
  let bestWeight = 0
  let total = 0
  for (let i = 0; i < peers.length; i++) {
    const peer = peers[i]
    if (peer === undefined || !isUsable(peer)) continue
    const gain = peer.effectiveWeight * peer.share
    peer.currentWeight += gain
    total += gain
    if (peer.effectiveWeight < peer.weight) peer.effectiveWeight++
    if (best < 0 || peer.currentWeight > bestWeight) {
      best = i
      bestWeight = peer.currentWeight
    }
  }
  const picked = peers[best]
  if (picked !== undefined) picked.currentWeight -= total
  return best
}

/**
 * Lowers the effective weight after a failure by weight / max_fails in whole numbers, as nginx
 * does: no change for weight 1 and max_fails 2.
 */
export function penalise(peer: WeightedPeer, maxFails: number): void {
  if (maxFails === 0) return
  const loss = Math.floor(peer.weight / maxFails)
  peer.effectiveWeight = Math.max(0, peer.effectiveWeight - loss)
}
