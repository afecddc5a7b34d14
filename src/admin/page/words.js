/** How values are written. */

/**
 * Two units at most: `42 s`, `5 min 3 s`, `2 h 5 min`, `3 d 4 h`.
 *
 * @param {number} seconds
 */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const units = /** @type {const} */ ([
    ['d', Math.floor(whole / 86_400)],
    ['h', Math.floor(whole / 3600) % 24],
    ['min', Math.floor(whole / 60) % 60],
    ['s', whole % 60]
  ])
  const first = units.findIndex(([, value]) => value > 0)
  if (first === -1) return '0 s'
  const shown = units.slice(first, first + 2).filter(([, value]) => value > 0)
  return shown.map(([unit, value]) => `${value} ${unit}`).join(' ')
}

/**
 * A short time, with tenths below 10 s.
 *
 * @param {number} ms
 */
export function shortSpan(ms) {
  const seconds = Math.max(0, ms) / 1000
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : span(seconds)
}

/**
 * Of a timer: `10 ms`, `0.25 s`, `3.61 s`.
 *
 * @param {number} ms
 */
export function interval(ms) {
  if (ms < 100) return `${Math.round(ms)} ms`
  return `${String(Number((ms / 1000).toFixed(2)))} s`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * A moment in the time of whoever reads: `12:03:11` on the day of `now`, else `Nov 22 12:03`.
 *
 * @param {string} at ISO 8601
 * @param {string} now ISO 8601
 */
export function moment(at, now) {
  const then = new Date(at)
  if (Number.isNaN(then.getTime())) return at
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`
  if (then.toDateString() === new Date(now).toDateString()) {
    return `${time}:${two(then.getSeconds())}`
  }
  return `${MONTHS[then.getMonth()] ?? ''} ${two(then.getDate())} ${time}`
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, '0')
}

/**
 * `since 12:03:11 (2 h 5 min)`.
 *
 * @param {string} at ISO 8601
 * @param {string} now ISO 8601
 */
export function since(at, now) {
  return `since ${moment(at, now)} (${span((Date.parse(now) - Date.parse(at)) / 1000)})`
}

/**
 * Of something each second: `0`, `0.3`, `12.5`, `1 204`.
 *
 * @param {number} perSecond
 */
export function rate(perSecond) {
  if (perSecond <= 0) return '0'
  if (perSecond < 0.05) return '<0.1'
  return perSecond < 99.95 ? perSecond.toFixed(1) : whole(perSecond)
}

/**
 * `-` where nothing was measured, else `0.4 ms`, `12 ms`, `1.2 s`.
 *
 * @param {number | null} ms
 */
export function latency(ms) {
  if (ms === null) return '-'
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/**
 * Thousands apart, by a narrow space that does not break: `1 204`.
 *
 * @param {number} value
 */
export function whole(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/**
 * `512 B`, `1.2 kB`, `34 MB`.
 *
 * @param {number} count
 */
export function bytes(count) {
  let value = count
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 999.5) {
      return `${value < 9.95 && unit !== 'B' ? value.toFixed(1) : Math.round(value)} ${unit}`
    }
    value /= 1000
  }
  return `${value.toFixed(1)} TB`
}

/**
 * `1 peer`, `2 peers`.
 *
 * @param {number} number
 * @param {string} noun
 */
export function count(number, noun) {
  return `${whole(number)} ${noun}${number === 1 ? '' : 's'}`
}

/**
 * A text in which nothing changes the direction of writing or hides: what a server or a script said
 * must not disguise itself.
 *
 * @param {string} text
 */
export function plain(text) {
  return text.replace(/[\p{Cc}\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu, '\uFFFD')
}
