/** @import { Content } from './element.js' */
import { badge } from './parts.js'
import { plain, shortSpan, span } from './words.js'

/**
 * How the connection to the director stands. Times are milliseconds of one clock.
 *
 * @typedef {{
 *   readonly heardAt: number | null,
 *   readonly problem: string | null,
 *   readonly retryAt: number | null
 * }} LinkState `heardAt`: when the last status came; `problem`: what is wrong, as far as it was told
 */

/** A status comes every second; after this without one, what is shown may be wrong. */
const STALE_MS = 3000

/** @param {LinkState} link @param {number} now */
export function isStale({ heardAt }, now) {
  return heardAt === null || now - heardAt >= STALE_MS
}

/** @param {LinkState} link @param {number} now @returns {Content} */
export function linkBadge(link, now) {
  if (link.heardAt === null) {
    return link.problem === null ? badge('calm', 'connecting') : badge('bad', 'not connected')
  }
  return isStale(link, now)
    ? badge('bad', `no news for ${span((now - link.heardAt) / 1000)}`)
    : badge('good', 'live')
}

/**
 * What is said in full when there is no news; null while there is.
 *
 * @param {LinkState} link
 * @param {number} now
 * @returns {string | null}
 */
export function linkWarning(link, now) {
  const { heardAt, problem, retryAt } = link
  if (!isStale(link, now) || (heardAt === null && problem === null)) return null
  const why = problem === null ? '' : ` ${plain(problem)}.`
  const retry =
    retryAt === null
      ? ' Trying to reach the director.'
      : ` Next try in ${shortSpan(retryAt - now)}.`
  if (heardAt === null) return `Not connected.${why}${retry}`
  const age = span((now - heardAt) / 1000)
  return `Connection lost: no news for ${age}. What you see below is ${age} old and may be wrong.${why}${retry}`
}

/** The first try comes soon; then ever rarer. */
const FIRST_RETRY_MS = 500
const MOST_RETRY_MS = 8000

/**
 * How long to wait before another try.
 *
 * @param {number} failures in a row
 * @param {number} chance 0 to 1: pages that lost the same director do not come back all at once
 */
export function retryAfter(failures, chance) {
  const doubled = FIRST_RETRY_MS * 2 ** Math.min(10, Math.max(0, failures - 1))
  return Math.min(MOST_RETRY_MS, doubled) * (0.8 + 0.4 * chance)
}
