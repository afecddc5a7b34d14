/** @import { AdminEvent } from '../model.js' */
/** @import { Shown } from './element.js' */
/** @import { Health } from './parts.js' */
import { el } from './element.js'
import { badge } from './parts.js'
import { count, moment, plain } from './words.js'

/** So many are kept by the page, and so many of them shown. */
const KEPT = 1000
const SHOWN = 200
const LONGEST = 500

/** @typedef {AdminEvent['level']} Level */

/** The least severe first. @type {readonly Level[]} */
const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal']

/** @type {Readonly<Record<Level, Health>>} */
const HEALTH = { debug: 'calm', info: 'calm', warn: 'warning', error: 'bad', fatal: 'bad' }

/**
 * The events with new ones; each id once, in order.
 *
 * @param {readonly AdminEvent[]} known oldest first
 * @param {readonly AdminEvent[]} added oldest first
 * @returns {readonly AdminEvent[]}
 */
export function addEvents(known, added) {
  const lastId = known.at(-1)?.id ?? 0
  return [...known, ...added.filter(({ id }) => id > lastId)].slice(-KEPT)
}

/**
 * The newest ones first.
 *
 * @param {readonly AdminEvent[]} events oldest first
 * @param {Level} level the least severe that are shown
 * @param {number} missed how many were gone before they could be read
 * @param {string} now
 * @returns {readonly Shown[]}
 */
export function eventList(events, level, missed, now) {
  const least = LEVELS.indexOf(level)
  const wanted = events.filter((event) => LEVELS.indexOf(event.level) >= least).slice(-SHOWN)
  const lost =
    missed > 0
      ? [
          el(
            'li',
            { class: 'note', key: 'missed' },
            `${count(missed, 'event')} came too fast, or too long ago, to be kept.`
          )
        ]
      : []
  if (wanted.length === 0 && missed === 0) {
    return [el('li', { class: 'note', key: 'none' }, 'Nothing of this level has happened.')]
  }
  return [...wanted.toReversed().map((event) => eventLine(event, now)), ...lost]
}

/**
 * @param {AdminEvent} event
 * @param {string} now
 */
function eventLine({ id, at, level, kind, subject, text, details }, now) {
  const about = subject === null ? kind : `${kind} ${subject}`
  return el(
    'li',
    { key: id, class: `event ${level}` },
    el('time', { datetime: at, title: at }, moment(at, now)),
    badge(HEALTH[level], level),
    el('span', { class: 'about' }, plain(about)),
    el('span', { class: 'text' }, shorten(plain(text))),
    el('span', { class: 'details' }, shorten(detailText(details)))
  )
}

/**
 * The other fields of a log line: `from=backup to=master`.
 *
 * @param {Readonly<Record<string, unknown>>} details
 */
export function detailText(details) {
  return Object.entries(details)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      return plain(`${name}=${text}`)
    })
    .join(' ')
}

/** @param {string} text */
function shorten(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
