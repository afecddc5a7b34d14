/** @import { Status } from '../model.js' */

/**
 * What went through the proxy in a second or so.
 *
 * @typedef {{
 *   readonly at: number,
 *   readonly perSecond: number,
 *   readonly classes: Readonly<Record<StatusClass, number>>,
 *   readonly p50: number | null,
 *   readonly p99: number | null
 * }} Sample `at` in seconds since 1970, the percentiles in ms
 * @typedef {'2xx' | '3xx' | '4xx' | '5xx' | 'none'} StatusClass
 * @typedef {{ readonly last: Status | null, readonly samples: readonly Sample[] }} TrafficHistory
 */

/** @type {readonly StatusClass[]} */
export const CLASSES = ['2xx', '3xx', '4xx', '5xx', 'none']

/** So much is kept, and shown. */
const KEPT_S = 300
/** Statuses come closer together after events; rates over a shorter time would only flicker. */
const LEAST_MS = 900
/** After a longer silence nobody knows when it was. */
const MOST_MS = 5000

/** @type {TrafficHistory} */
export const NO_TRAFFIC = { last: null, samples: [] }

/**
 * The history with one more status.
 *
 * @param {TrafficHistory} history
 * @param {Status} status
 * @returns {TrafficHistory}
 */
export function addTraffic({ last, samples }, status) {
  if (last?.started_at !== status.started_at) return { last: status, samples }
  const ms = Date.parse(status.now) - Date.parse(last.now)
  if (ms < LEAST_MS && ms >= 0) return { last, samples }
  if (ms < 0) return { last: status, samples: [] }
  const at = Date.parse(status.now) / 1000
  const kept = samples.filter((sample) => sample.at >= at - KEPT_S)
  if (ms > MOST_MS) return { last: status, samples: [...kept, gap(at - ms / 2000)] }
  return { last: status, samples: [...kept, sampleOf(last, status, at, ms / 1000)] }
}

/**
 * @param {Status} before
 * @param {Status} after
 * @param {number} at
 * @param {number} seconds
 * @returns {Sample}
 */
function sampleOf(before, after, at, seconds) {
  const [old, now] = [countsOf(before), countsOf(after)]
  const classes = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, none: 0 }
  let perSecond = 0
  for (const [status, count] of now) {
    // A listener that a reload took away takes its counts along.
    const value = Math.max(0, count - (old.get(status) ?? 0)) / seconds
    classes[classOf(status)] += value
    perSecond += value
  }
  const recent = (after.proxy?.listeners ?? []).map(({ traffic }) => traffic.recent)
  return {
    at,
    perSecond,
    classes,
    p50: slowest(recent.map(({ p50_ms }) => p50_ms)),
    p99: slowest(recent.map(({ p99_ms }) => p99_ms))
  }
}

/**
 * Breaks the lines where nothing was heard.
 *
 * @param {number} at
 * @returns {Sample}
 */
function gap(at) {
  const classes = { '2xx': NaN, '3xx': NaN, '4xx': NaN, '5xx': NaN, none: NaN }
  return { at, perSecond: NaN, classes, p50: null, p99: null }
}

/**
 * @param {string} status
 * @returns {StatusClass}
 */
function classOf(status) {
  switch (status.charAt(0)) {
    case '1':
    case '2':
      return '2xx'
    case '3':
      return '3xx'
    case '4':
      return '4xx'
    case '5':
      return '5xx'
    default:
      return 'none'
  }
}

/**
 * Requests of all listeners, by their status.
 *
 * @param {Status} status
 */
function countsOf({ proxy }) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const { traffic } of proxy?.listeners ?? []) {
    for (const [status, count] of Object.entries(traffic.requests)) {
      counts.set(status, (counts.get(status) ?? 0) + count)
    }
  }
  return counts
}

/** @param {readonly (number | null)[]} values */
function slowest(values) {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/**
 * The lines of a chart: times, then one list for each reader; null where nothing is known.
 *
 * @param {readonly Sample[]} samples
 * @param {readonly ((sample: Sample) => number | null)[]} readers
 * @returns {readonly [number[], ...(number | null)[][]]}
 */
export function linesOf(samples, readers) {
  return [
    samples.map(({ at }) => at),
    ...readers.map((read) =>
      samples.map((sample) => {
        const value = read(sample)
        return value === null || Number.isNaN(value) ? null : value
      })
    )
  ]
}
