import type { ElectionSettings, Rival } from './model.js'
import type { Milliseconds } from './timing.js'

/** What a rival has to hear of us before it is held against it that it goes on (keepalived). */
const PATIENCE = 2
/** "A bit more than" the longer of the two intervals (keepalived). */
const WATCH_FACTOR = 1.2

/** Another owner of the addresses was heard for the first time. */
export function newRival(adverInterval: Milliseconds): Rival {
  return { patience: PATIENCE, adverInterval, watchedUntil: null }
}

/** It is known already, and may still give way. */
export function isCounted(rival: Rival | null, now: Milliseconds): boolean {
  return rival !== null && (rival.watchedUntil === null || now < rival.watchedUntil)
}

/** It has heard enough of us and goes on. */
export function isStubborn(rival: Rival | null, now: Milliseconds): boolean {
  return rival !== null && rival.watchedUntil !== null && now < rival.watchedUntil
}

/** We have advertised at the end of an interval. */
export function rivalAfterAdvert(
  { adverInterval }: ElectionSettings,
  rival: Rival | null,
  now: Milliseconds
): Rival | null {
  if (rival === null) return null
  if (rival.watchedUntil !== null) return now < rival.watchedUntil ? rival : null
  if (rival.patience > 1) return { ...rival, patience: rival.patience - 1 }
  const watchedUntil = now + WATCH_FACTOR * Math.max(adverInterval, rival.adverInterval)
  return { ...rival, patience: 0, watchedUntil }
}
