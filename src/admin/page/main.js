/** @import { AdminEvent, Status } from '../model.js' */
/** @import { Advertisements } from './advertisements.js' */
/** @import { Shown } from './element.js' */
/** @import { Level } from './events.js' */
import { actionOf } from './actions.js'
import { addStatus, limitOf, NO_ADVERTISEMENTS, sawtooth, SHOWN_MS } from './advertisements.js'
import { token } from './api.js'
import { Chart } from './charts.js'
import { checks, configuration, syncGroups } from './configuration.js'
import { Connection } from './connection.js'
import { ActionDialog } from './dialog.js'
import { byId, show } from './dom.js'
import { el } from './element.js'
import { addEvents, eventList } from './events.js'
import { isStale, linkBadge, linkWarning } from './link-state.js'
import { badge } from './parts.js'
import { identity, listeners, proxyState, upstreams, workers } from './proxy.js'
import { counters, routerCard } from './routers.js'
import { followTheme } from './theme.js'
import { addTraffic, CLASSES, linesOf, NO_TRAFFIC } from './traffic.js'
import { announcements, pageTitle, verdict } from './verdict.js'
import { interval, latency, plain, rate } from './words.js'

/** Ages and timers go on between two statuses. */
const TICK_MS = 250
/** Sentences for screen readers that are kept. */
const ANNOUNCED = 5
/** A new chart begins with this, and grows. */
const LEAST_SHOWN_S = 60
const MOST_SHOWN_S = 300

const live = byId('live', HTMLElement)
const signIn = byId('sign-in', HTMLFormElement)
const field = byId('token', HTMLInputElement)
const levelChoice = byId('level', HTMLSelectElement)
const forget = byId('forget', HTMLButtonElement)
const dialog = new ActionDialog()
const calm = matchMedia('(prefers-reduced-motion: reduce)')

/** @type {Status | null} */
let status = null
let statusAt = 0
/** @type {readonly AdminEvent[]} */
let events = []
let missed = 0
let traffic = NO_TRAFFIC
let trafficChanged = false
/** @type {readonly Shown[]} */
let announced = []
let announcedCount = 0
/** By the name of the virtual router. @type {Map<string, Advertisements>} */
let advertisements = new Map()

const trafficCharts = byId('charts', HTMLElement)
const rateChart = new Chart(trafficCharts, {
  title: 'Requests per second',
  lines: [{ label: 'all', colour: '--accent', fill: true }],
  format: rate
})
const latencyChart = new Chart(trafficCharts, {
  title: 'Time to the whole response',
  lines: [
    { label: 'p50', colour: '--accent' },
    { label: 'p99', colour: '--warning', dash: [6, 3] }
  ],
  format: latency
})
const statusChart = new Chart(trafficCharts, {
  title: 'Status codes per second',
  lines: [
    { label: '2xx', hidesZero: true, colour: '--good' },
    { label: '3xx', hidesZero: true, colour: '--accent', dash: [2, 3] },
    { label: '4xx', hidesZero: true, colour: '--warning', dash: [6, 3] },
    { label: '5xx', hidesZero: true, colour: '--bad' },
    { label: 'none', hidesZero: true, colour: '--text', dash: [10, 3, 2, 3] }
  ],
  format: rate
})
/** By the name of the virtual router. @type {Map<string, RouterPlace>} */
const routerPlaces = new Map()

/** @typedef {{ article: HTMLElement, card: HTMLElement, details: HTMLElement, chart: Chart }} RouterPlace */

const connection = new Connection({
  status: (next) => {
    signIn.hidden = true
    forget.hidden = token.get() === null
    announce(announcements(status, next))
    status = next
    statusAt = performance.now()
    traffic = addTraffic(traffic, next)
    trafficChanged = true
    advertisements = new Map(
      next.virtual_routers.map((router) => [
        router.name,
        addStatus(advertisements.get(router.name) ?? NO_ADVERTISEMENTS, router, next.now)
      ])
    )
    showStatus(next)
  },
  history: (history) => {
    events = history
    missed = 0
    showEvents()
  },
  events: (added, lost) => {
    events = addEvents(events, added)
    missed += lost
    showEvents()
  },
  tokenNeeded: askForToken,
  changed: showLink
})

/**
 * The time of the director at this moment.
 *
 * @param {Status} known
 */
function directorNow(known) {
  return new Date(Date.parse(known.now) + elapsed()).toISOString()
}

function elapsed() {
  return performance.now() - statusAt
}

/** @param {Status} next */
function showStatus(next) {
  const { now, proxy } = next
  live.hidden = false
  show(byId('who', HTMLElement), [
    plain(next.router_id),
    ...(next.role === null ? [] : [el('span', { class: 'note' }, `${next.role} by role`)])
  ])
  show(byId('verdict', HTMLElement), verdict(next))
  show(byId('upstreams', HTMLElement), upstreams(proxy, now))
  show(byId('proxy-state', HTMLElement), [proxyState(next)])
  show(byId('listeners', HTMLElement), proxy ? [listeners(proxy)] : [])
  show(byId('workers', HTMLElement), proxy ? [workers(proxy, now)] : [])
  show(byId('checks', HTMLElement), [checks(next.checks, now), ...syncGroups(next.sync_groups)])
  show(byId('configuration', HTMLElement), configuration(next, now))
  placeRouters(next)
  showMoving(next)
  showLink()
}

/**
 * Each virtual router has a place with a chart of its own.
 *
 * @param {Status} next
 */
function placeRouters(next) {
  const parent = byId('routers', HTMLElement)
  for (const [name, { article, chart }] of routerPlaces) {
    if (next.virtual_routers.some((router) => router.name === name)) continue
    chart.remove()
    article.remove()
    routerPlaces.delete(name)
  }
  byId('no-routers', HTMLElement).hidden = next.virtual_routers.length > 0
  for (const router of next.virtual_routers) {
    const { name } = router
    let place = routerPlaces.get(name)
    if (!place) {
      const article = document.createElement('article')
      article.className = 'card router'
      const card = document.createElement('div')
      const charts = document.createElement('div')
      const details = document.createElement('details')
      article.append(card, charts, details)
      parent.append(article)
      const chart = new Chart(charts, {
        title: 'Time since the last advertisement',
        lines: [
          { label: 'last', colour: '--accent', fill: true },
          { label: 'limit', colour: '--warning', dash: [6, 3] }
        ],
        format: (seconds) => interval(seconds * 1000),
        height: 190
      })
      place = { article, card, details, chart }
      routerPlaces.set(name, place)
    }
    show(place.details, counters(router))
  }
}

/**
 * What changes without a new status: ages and timers.
 *
 * @param {Status} known
 */
function showMoving(known) {
  const nowMs = Date.parse(known.now) + elapsed()
  for (const router of known.virtual_routers) {
    const place = routerPlaces.get(router.name)
    if (!place) continue
    show(place.card, routerCard(router, known, elapsed()))
    const times = advertisements.get(router.name)?.times ?? []
    // What came after the last status, nobody knows yet.
    const [xs, ys] = sawtooth(times, Date.parse(known.now))
    const { what, ms } = limitOf(router)
    const limit = ms / 1000
    const range = { from: (nowMs - SHOWN_MS) / 1000, to: nowMs / 1000, least: limit * 1.2 }
    place.chart.set([xs, ys, xs.map(() => limit)], range, ['last', what])
  }
  show(byId('identity', HTMLElement), [identity(known, elapsed())])
}

function showTraffic() {
  trafficChanged = false
  const { samples } = traffic
  const first = samples[0]?.at
  const to = samples.at(-1)?.at
  if (first === undefined || to === undefined) return
  const shownS = Math.min(MOST_SHOWN_S, Math.max(LEAST_SHOWN_S, to - first))
  const range = { from: to - shownS, to }
  rateChart.set(linesOf(samples, [({ perSecond }) => perSecond]), { ...range, least: 5 })
  latencyChart.set(linesOf(samples, [({ p50 }) => p50, ({ p99 }) => p99]), { ...range, least: 5 })
  const readers = CLASSES.map(
    (name) => (/** @type {typeof samples[number]} */ sample) => sample.classes[name]
  )
  statusChart.set(linesOf(samples, readers), { ...range, least: 5 })
}

function showEvents() {
  const now = status ? directorNow(status) : new Date().toISOString()
  const level = /** @type {Level} */ (levelChoice.value)
  show(byId('events', HTMLElement), eventList(events, level, missed, now))
}

/** How the connection stands; everything is grey while what is shown may be wrong. */
function showLink() {
  const { state } = connection
  const now = performance.now()
  const isOld = status !== null && isStale(state, now)
  show(byId('connection', HTMLElement), [
    signIn.hidden ? linkBadge(state, now) : badge('calm', 'signed out')
  ])
  const warning = signIn.hidden ? linkWarning(state, now) : null
  const place = byId('lost', HTMLElement)
  if (place.hidden && warning !== null) announce(['Connection to the director lost'])
  if (!place.hidden && warning === null && status !== null) announce(['Connected again'])
  place.hidden = warning === null
  show(byId('lost-text', HTMLElement), warning === null ? [] : [warning])
  live.classList.toggle('stale', isOld)
  if (status !== null) document.title = `${isOld ? '(no news) ' : ''}${pageTitle(status)}`
  for (const each of live.querySelectorAll('button')) each.disabled = isOld
}

/**
 * Sentences stay for a while: two that come together are both read.
 *
 * @param {readonly string[]} sentences
 */
function announce(sentences) {
  const added = sentences.map((text) => el('p', { key: ++announcedCount }, text))
  announced = [...announced, ...added].slice(-ANNOUNCED)
  if (added.length > 0) show(byId('announce', HTMLElement), announced)
}

/** @param {string} message */
function askForToken(message) {
  const wasTried = token.get() !== null
  token.forget()
  signOut()
  byId('sign-in-problem', HTMLElement).textContent = wasTried ? plain(message) : ''
  field.focus()
}

/** Shows nothing but the sign-in. */
function signOut() {
  status = null
  events = []
  traffic = NO_TRAFFIC
  advertisements = new Map()
  live.hidden = true
  forget.hidden = true
  signIn.hidden = false
  document.title = 'tsha'
  show(byId('who', HTMLElement), [])
  showLink()
}

signIn.addEventListener('submit', (event) => {
  event.preventDefault()
  const value = field.value.trim()
  // A header takes nothing else, and no token has anything else.
  if (!/^[\x21-\x7e]+$/.test(value)) {
    byId('sign-in-problem', HTMLElement).textContent =
      'A token has letters, digits and signs without spaces.'
    return
  }
  token.set(value)
  field.value = ''
  byId('sign-in-problem', HTMLElement).textContent = 'Asking the director …'
  connection.start()
})

forget.addEventListener('click', () => {
  connection.stop()
  token.forget()
  signOut()
  byId('sign-in-problem', HTMLElement).textContent = 'The token is forgotten.'
  field.focus()
})

levelChoice.addEventListener('change', showEvents)

byId('retry', HTMLButtonElement).addEventListener('click', () => {
  connection.hurry()
})

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) connection.hurry()
})

live.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('button') : null
  if (!button || !status) return
  const action = actionOf(button.dataset, status)
  if (action) dialog.ask(action)
})

setInterval(() => {
  if (status && !isStale(connection.state, performance.now()) && !calm.matches) showMoving(status)
  if (trafficChanged && !document.hidden) showTraffic()
  showLink()
}, TICK_MS)

followTheme(() => {
  for (const chart of [rateChart, latencyChart, statusChart]) chart.redraw()
  for (const { chart } of routerPlaces.values()) chart.redraw()
})
connection.start()
