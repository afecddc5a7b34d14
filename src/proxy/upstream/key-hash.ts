import { crc32 } from './crc32.js'
import { MAX_TRIES, indexAt, totalWeight, type KeyPlace } from './key-place.js'

/**
 * nginx's `hash KEY` (ngx_http_upstream_hash_module.c, compatible with Cache::Memcached): when a
 * server is added or taken from the list, nearly all keys move.
 */

/** A request before its first pick. */
export function placeOfHash(): KeyPlace {
  return { hash: 0, rounds: 0, tries: 0 }
}

/**
 * Picks the peer of a key, or the next one that another round of hashing leads to.
 * @param key latin1 text
 * @returns the index of the peer, or -1 if round robin has to choose, as for an empty key
 */
export function pickByKey<P extends { readonly weight: number }>(
  peers: readonly P[],
  isUsable: (peer: P) => boolean,
  key: string,
  place: KeyPlace
): number {
  if (key === '') return -1
  const total = totalWeight(peers)
  while (place.tries <= MAX_TRIES) {
    const seed = place.rounds === 0 ? 0 : crc32(String(place.rounds))
    place.hash += (crc32(key, seed) >>> 16) & 0x7fff
    place.rounds++
    const index = indexAt(peers, place.hash % total)
    const peer = peers[index]
    if (peer !== undefined && isUsable(peer)) return index
    place.tries++
  }
  return -1
}
