import { crc32 } from 'node:zlib'
import { Random } from '../fuzz/random.js'

/** Prime: what is lost or repeated in round sizes leaves nothing that looks right. */
const PERIOD = 1_000_003
/** Distance of two neighbours in the noise. */
const STRIDE = 104_729
/** Longest piece that `piece` gives. */
export const MAX_PIECE = 64 * 1024

/** The two bodies of a request. */
export type Side = 'request' | 'response'

/** Bodies that follow from a seed, the id of their request and their length: both ends know every byte. */
export class Bodies {
  /** One period and the begin of the next, so that no piece has to be put together. */
  readonly #noise: Buffer

  constructor(seed: number) {
    const random = new Random(seed)
    const noise = Buffer.allocUnsafe(PERIOD + MAX_PIECE)
    for (let i = 0; i < PERIOD; i++) noise[i] = random.below(256)
    noise.copyWithin(PERIOD, 0, MAX_PIECE)
    this.#noise = noise
  }

  /** Bytes of a body from an offset on: `size`, or `MAX_PIECE` if it is more. Not to be written to. */
  piece(side: Side, id: number, offset: number, size: number): Buffer {
    const key = id * 2 + (side === 'request' ? 1 : 0)
    const start = (key * STRIDE + offset) % PERIOD
    return this.#noise.subarray(start, start + Math.min(size, MAX_PIECE))
  }

  /** Where the bytes at an offset of a body differ from what they should be, or -1. */
  difference(side: Side, id: number, offset: number, bytes: Buffer): number {
    for (let at = 0; at < bytes.length; at += MAX_PIECE) {
      const found = bytes.subarray(at, at + MAX_PIECE)
      const wanted = this.piece(side, id, offset + at, found.length)
      if (found.equals(wanted)) continue
      return offset + at + found.findIndex((byte, index) => byte !== wanted[index])
    }
    return -1
  }

  /** The checksum of a body of this length. */
  sum(side: Side, id: number, length: number): number {
    let sum = 0
    for (let at = 0; at < length; at += MAX_PIECE) {
      sum = crc32(this.piece(side, id, at, length - at), sum)
    }
    return sum
  }
}
