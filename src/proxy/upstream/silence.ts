/**
 * What nginx does not see: clients that give up (499) before a peer has said anything. One of them
 * means nothing, the page may be slow; several in a row from a peer that answers nobody else in the
 * meantime mean that the peer is gone. Two kinds are counted apart, because a peer that takes no new
 * connection may still answer on its old ones.
 */

/** What the peer owed when its client gave up. */
export type Awaited = 'connection' | 'answer'

/** Consecutive clients of one peer that waited in vain. */
export interface Silence {
  readonly count: number
  /** When the first of them began to wait, milliseconds of CLOCK_MONOTONIC. */
  readonly since: number
  /** When the first and the last of them gave up. */
  readonly firstAt: number
  readonly lastAt: number
}

export const NO_SILENCE: Silence = { count: 0, since: 0, firstAt: 0, lastAt: 0 }

/** A client that leaves sooner says nothing about the peer. */
export const MIN_WAIT_MS = 400
/** Clients that give up further apart than this are not in a row. */
const MAX_GAP_MS = 60_000
/**
 * The first and the last client of a row are at least this far apart: clients that leave together
 * are one sign, another worker that was answered meanwhile has time to say so, and the director to
 * ask the peer.
 */
const MIN_SPREAD_MS = 250
const MIN_COUNT = 2

/** Whether a client that gave up after waiting for `waitedMs` may count at all. */
export function isLongEnough(waitedMs: number): boolean {
  return waitedMs >= MIN_WAIT_MS
}

/** Counts one more client that gave up at `at` after waiting since `since`. */
export function lengthen(silence: Silence, since: number, at: number): Silence {
  if (silence.count === 0 || at - silence.lastAt > MAX_GAP_MS) {
    return { count: 1, since, firstAt: at, lastAt: at }
  }
  return {
    count: silence.count + 1,
    since: Math.min(silence.since, since),
    firstAt: silence.firstAt,
    lastAt: Math.max(silence.lastAt, at)
  }
}

/** The silence after the peer was heard at `at`: what it owed before is forgiven. */
export function breakSilence(silence: Silence, at: number): Silence {
  return silence.count > 0 && at >= silence.since ? NO_SILENCE : silence
}

/** Whether the silence is as good as the failure that disables a peer. */
export function isConvincing(silence: Silence, maxFails: number): boolean {
  return (
    silence.count >= Math.max(MIN_COUNT, maxFails) &&
    silence.lastAt - silence.firstAt >= MIN_SPREAD_MS
  )
}
