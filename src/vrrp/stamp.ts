import type { Destination } from './model.js'
import type { Milliseconds } from './timing.js'
import type { Stamp } from './wire/hmac.js'

/** By multicast there are no peers to tell how many senders a virtual router can have. */
const MULTICAST_SENDERS = 4

/** How old stamps are judged; part of `Authentication`. */
export interface Freshness {
  readonly antiReplay: 'time' | 'monotonic'
  readonly window: Milliseconds
}

/**
 * The stamp of the next packet (keepalived 2.4.2 next_seq()): that of the clock, or the one after the
 * last where the clock has not moved on. After the clock was set back by more than the window,
 * receivers that compare times would refuse us: then we begin anew.
 *
 * @param last null before the first packet
 * @param wallTime since 1970
 */
export function nextStamp(last: Stamp | null, wallTime: Milliseconds, freshness: Freshness): Stamp {
  const clock = stampOf(wallTime)
  if (last === null || isAfter(clock, last)) return clock
  const ahead = signedSeconds(Number(last >> 32n), Number(clock >> 32n)) * 1000
  if (freshness.antiReplay === 'time' && ahead > freshness.window) return clock
  return BigInt.asUintN(64, last + 1n)
}

function stampOf(wallTime: Milliseconds): Stamp {
  const seconds = Math.floor(wallTime / 1000)
  const fraction = Math.floor(((wallTime - seconds * 1000) * 65536) / 1000)
  return (BigInt(seconds >>> 0) << 32n) | (BigInt(fraction) << 16n)
}

/**
 * Whether the seconds of a stamp are within the window around the clock.
 *
 * @param seconds UTC, modulo 2^32
 */
export function isFresh(seconds: number, wallTime: Milliseconds, window: Milliseconds): boolean {
  return Math.abs(signedSeconds(Math.floor(wallTime / 1000), seconds)) * 1000 <= window
}

/** Serial number arithmetic (RFC 1982): the fields may wrap. */
function isAfter(a: Stamp, b: Stamp): boolean {
  return BigInt.asIntN(64, a - b) > 0n
}

function signedSeconds(a: number, b: number): number {
  return (a - b) | 0
}

/**
 * The newest stamp of each sender whose HMAC was right. Bounded: the sender that was silent longest is
 * forgotten. keepalived remembers four multicast senders, and each unicast peer.
 */
export class ReplayMemory {
  readonly #newest = new Map<string, Stamp>()
  readonly #limit: number

  constructor(destination: Destination) {
    this.#limit = destination.kind === 'unicast' ? destination.peers.length : MULTICAST_SENDERS
  }

  /**
   * Whether the stamp is newer than all before it of this sender; then it is remembered. A remembered
   * one that has left the window only orders what the window refuses anyway: it is forgotten, so that
   * a sender whose clock was set back is heard again.
   */
  admits(source: string, stamp: Stamp, wallTime: Milliseconds, freshness: Freshness): boolean {
    const newest = this.#newest.get(source)
    const counts =
      newest !== undefined &&
      (freshness.antiReplay === 'monotonic' ||
        isFresh(Number(newest >> 32n), wallTime, freshness.window))
    if (counts && !isAfter(stamp, newest)) return false
    this.#newest.delete(source)
    this.#newest.set(source, stamp)
    if (this.#newest.size > this.#limit) this.#forgetOldest()
    return true
  }

  /** How many senders are remembered. */
  get size(): number {
    return this.#newest.size
  }

  #forgetOldest(): void {
    for (const source of this.#newest.keys()) {
      this.#newest.delete(source)
      return
    }
  }
}
