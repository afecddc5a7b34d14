/**
 * How the methods that follow a key find another peer when one is out: in nginx each request keeps
 * its place, also over several attempts, and after 20 peers in vain it goes on in round robin.
 */
export interface KeyPlace {
  /** Where the key stands now; each method has its own meaning for it. */
  hash: number
  /** How often it was hashed anew, where a method does that. */
  rounds: number
  /** Peers that could not be used. */
  tries: number
}

/** Peers in vain after which a key is forgotten. */
export const MAX_TRIES = 20

/** The index of the peer at a point of the line that all weights make, laid end to end. */
export function indexAt(peers: readonly { readonly weight: number }[], point: number): number {
  let left = point
  for (let i = 0; i < peers.length; i++) {
    left -= peers[i]?.weight ?? 0
    if (left < 0) return i
  }
  return -1
}

/** The sum of all weights, servers that are out included: a key stays where it is when one goes. */
export function totalWeight(peers: readonly { readonly weight: number }[]): number {
  let total = 0
  for (const { weight } of peers) total += weight
  return total
}
