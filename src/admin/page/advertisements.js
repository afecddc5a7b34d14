/** @import { VirtualRouterStatus } from '../model.js' */

/**
 * When advertisements were sent or heard, as far as statuses tell: one a second tells of the last one
 * and of how many there were. Times are milliseconds since 1970 by the director's clock.
 *
 * @typedef {{
 *   readonly kind: 'sent' | 'heard' | 'none',
 *   readonly count: number,
 *   readonly times: readonly number[]
 * }} Advertisements
 */

/** So long is shown. */
export const SHOWN_MS = 30_000
/** A hundred in a second, the most that VRRP allows, for as long as is shown. */
const MOST = 3000
/** Clocks and messages are no more exact than this. */
const SAME_MS = 20

/** @type {Advertisements} */
export const NO_ADVERTISEMENTS = { kind: 'none', count: 0, times: [] }

/**
 * What is known after another status.
 *
 * @param {Advertisements} before
 * @param {VirtualRouterStatus} router
 * @param {string} now ISO 8601, when that status was true
 * @returns {Advertisements}
 */
export function addStatus(before, router, now) {
  const nowMs = Date.parse(now)
  const { kind, count, last } = lastOf(router, nowMs)
  const times = before.times.filter((time) => time > nowMs - 2 * SHOWN_MS && time <= nowMs)
  if (last === null) return { kind, count, times }
  const previous = times.at(-1)
  if (previous === undefined) return { kind, count, times: [last] }
  if (last - previous < SAME_MS) return { kind, count, times }
  // Those in between were not seen one by one; they came evenly.
  const number = kind === before.kind ? Math.min(MOST, Math.max(1, count - before.count)) : 1
  const step = (last - previous) / number
  const added = Array.from({ length: number }, (_, index) => previous + step * (index + 1))
  return { kind, count, times: [...times, ...added].slice(-MOST) }
}

/**
 * @param {VirtualRouterStatus} router
 * @param {number} nowMs
 * @returns {{ kind: Advertisements['kind'], count: number, last: number | null }}
 */
function lastOf({ state, master, timers, counters }, nowMs) {
  if (state === 'master') {
    const { next, advert_interval_ms } = timers
    const count = counters['advert_sent'] ?? 0
    const isDue = next?.what === 'advertisement'
    const last = isDue ? nowMs - Math.max(0, advert_interval_ms - next.in_ms) : null
    return { kind: 'sent', count, last }
  }
  if (master !== null) {
    const count = counters['advert_rcvd'] ?? 0
    return { kind: 'heard', count, last: nowMs - master.last_heard_s * 1000 }
  }
  return { kind: 'none', count: 0, last: null }
}

/**
 * The line: how many seconds after the last advertisement each moment was. It falls to zero with each
 * one, and climbs while there is none.
 *
 * @param {readonly number[]} times
 * @param {number} nowMs up to when they are known
 * @returns {readonly [xSeconds: number[], ySeconds: number[]]}
 */
export function sawtooth(times, nowMs) {
  /** @type {number[]} */
  const xs = []
  /** @type {number[]} */
  const ys = []
  const put = (/** @type {number} */ at, /** @type {number} */ ageMs) => {
    xs.push(at / 1000)
    ys.push(ageMs / 1000)
  }
  times.forEach((time, index) => {
    const before = times[index - 1]
    if (before !== undefined) put(time, time - before)
    put(time, 0)
  })
  const last = times.at(-1)
  if (last !== undefined && nowMs > last) put(nowMs, nowMs - last)
  return [xs, ys]
}

/**
 * Where silence becomes a reason to act: the next advertisement of a master, the Master_Down_Interval
 * of a backup.
 *
 * @param {VirtualRouterStatus} router
 * @returns {{ readonly what: string, readonly ms: number }}
 */
export function limitOf({ state, timers }) {
  return state === 'backup'
    ? { what: 'takes over after', ms: timers.master_down_interval_ms }
    : { what: 'due after', ms: timers.advert_interval_ms }
}
