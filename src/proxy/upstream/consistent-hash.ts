import { crc32 } from './crc32.js'
import { MAX_TRIES, totalWeight, type KeyPlace } from './key-place.js'
import { pick, type WeightedPeer } from './round-robin.js'

/** Points on the ring for each unit of weight. */
const POINTS_PER_WEIGHT = 160

/** A peer and what its points are made of. */
export interface RingPeer extends WeightedPeer {
  readonly server: { readonly writtenAs: string }
}

/**
 * nginx's `hash KEY consistent` (ngx_http_upstream_hash_module.c, ketama as Cache::Memcached::Fast
 * has it): each server has many points on a ring, and a key belongs to the first point from its own
 * on. When a server goes, only its keys move. Servers that are written alike share their points and
 * take turns.
 */
export class Ring<P extends RingPeer> {
  /** In ascending order, each once. */
  readonly #hashes: Uint32Array
  /** Whose the points are: indices of `#sharers`. */
  readonly #owners: Uint32Array
  readonly #sharers: readonly (readonly P[])[]

  constructor(peers: readonly P[]) {
    const byText = new Map<string, P[]>()
    for (const peer of peers) {
      const sharers = byText.get(peer.server.writtenAs)
      if (sharers === undefined) byText.set(peer.server.writtenAs, [peer])
      else sharers.push(peer)
    }
    this.#sharers = [...byText.values()]
    // Hash and owner in one number: sorted as such, without an object for each point.
    const points = new Float64Array(totalWeight(peers) * POINTS_PER_WEIGHT)
    let count = 0
    for (const [owner, sharers] of this.#sharers.entries()) {
      for (const { server, weight } of sharers) {
        for (const hash of pointsOf(server.writtenAs, weight)) {
          points[count++] = hash * this.#sharers.length + owner
        }
      }
    }
    points.sort()
    const hashOf = (point: number): number => Math.floor(point / this.#sharers.length)
    const unique = points.filter(
      (point, i) => i === 0 || hashOf(point) !== hashOf(points[i - 1] ?? 0)
    )
    this.#hashes = Uint32Array.from(unique, hashOf)
    this.#owners = Uint32Array.from(unique, (point) => point % this.#sharers.length)
  }

  /** A request before its first pick. @param key latin1 text */
  placeOf(key: string): KeyPlace {
    return { hash: this.#firstFrom(crc32(key)), rounds: 0, tries: 0 }
  }

  /**
   * The peer of the point that a key has come to, or of the next point whose server is usable.
   * @returns null if round robin has to choose
   */
  pick(isUsable: (peer: P) => boolean, place: KeyPlace): P | null {
    while (place.tries <= MAX_TRIES) {
      const owner = this.#owners[place.hash % this.#owners.length] ?? 0
      const sharers = this.#sharers[owner] ?? []
      const peer = sharers[pick(sharers, isUsable)]
      if (peer !== undefined) return peer
      place.hash++
      place.tries++
    }
    return null
  }

  /** Index of the first point at or after a hash; the number of points if there is none. */
  #firstFrom(hash: number): number {
    let low = 0
    let high = this.#hashes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#hashes[middle] ?? 0) < hash) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Each point is the checksum of host, 0 and port as they are written, and of the point before. */
function pointsOf(writtenAs: string, weight: number): number[] {
  const [, host = writtenAs, port = ''] = /^(.*):(\d*)$/s.exec(writtenAs) ?? []
  const base = crc32(`${host}\0${port}`)
  let last = 0
  return Array.from({ length: weight * POINTS_PER_WEIGHT }, () => {
    last = crc32(littleEndian(last), base)
    return last
  })
}

function littleEndian(value: number): string {
  return String.fromCharCode(
    value & 0xff,
    (value >>> 8) & 0xff,
    (value >>> 16) & 0xff,
    value >>> 24
  )
}
