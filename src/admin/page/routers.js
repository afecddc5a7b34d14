/** @import { PriorityEffect, Status, VirtualRouterStatus } from '../model.js' */
/** @import { Content, Shown } from './element.js' */
/** @import { Health } from './parts.js' */
import { el } from './element.js'
import { badge, button } from './parts.js'
import { stateWord } from './verdict.js'
import { interval, plain, shortSpan, since, span, whole } from './words.js'

/**
 * A virtual router: who holds its addresses and why, both roles, the priority, and what is waited for.
 *
 * @param {VirtualRouterStatus} router
 * @param {Pick<Status, 'role' | 'router_id' | 'now'>} status
 * @param {number} elapsedMs since the status was true
 * @returns {readonly Shown[]}
 */
export function routerCard(router, status, elapsedMs) {
  const { name, vrid, stepped_down } = router
  const action = stepped_down ? 'resume' : 'step-down'
  const label = stepped_down ? 'Resume' : 'Step down'
  return [
    el(
      'header',
      {},
      el('h2', {}, plain(name)),
      badge(healthOf(router), stateWord(router)),
      stepped_down ? badge('warning', 'stepped down') : null,
      el('span', { class: 'note' }, `vrid ${vrid} on ${plain(router.interface)}`),
      button(label, { action, router: name }, { name: `${label}: ${name}` })
    ),
    el('p', { class: 'holder' }, ...holder(router, status.now)),
    el('div', { class: 'pair' }, ...pair(router, status, elapsedMs)),
    why(router),
    el('p', { class: 'priority' }, ...priority(router))
  ]
}

/**
 * @param {VirtualRouterStatus} router
 * @returns {Health}
 */
function healthOf({ state, is_handing_over }) {
  if (state === 'fault' || state === 'initialize') return 'bad'
  if (is_handing_over) return 'warning'
  return state === 'master' ? 'good' : 'calm'
}

/**
 * A sentence: who holds the addresses, since when.
 *
 * @param {VirtualRouterStatus} router
 * @param {string} now
 * @returns {readonly Content[]}
 */
export function holder(router, now) {
  const { state, master } = router
  const what = el('strong', { class: 'address' }, addressList(router))
  if (state === 'master') return ['This director holds ', what, ` ${since(router.since, now)}.`]
  const here = `${stateWord(router)} here ${since(router.since, now)}.`
  if (master === null) return ['Nobody is heard who holds ', what, `. ${here}`]
  const who = el('strong', { class: 'address' }, plain(master.address))
  return [who, ', the partner, holds ', what, `. ${here}`]
}

/** @param {VirtualRouterStatus} router */
function addressList({ addresses }) {
  if (addresses.length === 0) return 'no addresses'
  const shown = addresses.slice(0, 4).map((address) => plain(address.replace(/\/\d+$/, '')))
  const more = addresses.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/**
 * The two directors side by side. Of the partner only what it advertises is known.
 *
 * @param {VirtualRouterStatus} router
 * @param {Pick<Status, 'role' | 'router_id'>} status
 * @param {number} elapsedMs
 * @returns {readonly Shown[]}
 */
function pair(router, { role, router_id }, elapsedMs) {
  const { state, master, effective_priority } = router
  const isMaster = state === 'master'
  const partnerRole = role === null ? null : role === 'master' ? 'backup' : 'master'
  const self = el(
    'section',
    { class: isMaster ? 'side holds' : 'side', 'aria-label': 'This director' },
    el('h3', {}, 'This director', roleNote(role)),
    el('p', { class: 'who' }, plain(router_id === '' ? 'no name' : router_id)),
    el('p', {}, `${stateWord(router)}, priority ${effective_priority}`),
    el('p', { class: 'note' }, waitsFor(router, elapsedMs))
  )
  // As of the status: it may have been heard again since.
  const heardMs = master === null ? 0 : master.last_heard_s * 1000
  const partner =
    master === null
      ? [
          el('p', { class: 'who' }, isMaster ? 'silent' : 'not heard'),
          el(
            'p',
            { class: 'note' },
            isMaster ? 'A backup says nothing: see its own page.' : 'No master advertises.'
          )
        ]
      : [
          el('p', { class: 'who' }, plain(master.address)),
          el('p', {}, `MASTER, priority ${master.priority}`),
          el('p', { class: 'note' }, `last heard ${shortSpan(heardMs)} ago`)
        ]
  return [
    self,
    el(
      'section',
      { class: master === null ? 'side' : 'side holds', 'aria-label': 'The partner' },
      el('h3', {}, 'Partner', roleNote(partnerRole)),
      ...partner
    )
  ]
}

/** @param {Status['role']} role */
function roleNote(role) {
  return role === null ? null : el('span', { class: 'note' }, `${role} by role`)
}

/**
 * What the state machine waits for, in words.
 *
 * @param {VirtualRouterStatus} router
 * @param {number} elapsedMs since the status was true
 */
export function waitsFor({ timers, is_handing_over }, elapsedMs) {
  const { next, advert_interval_ms, master_down_interval_ms } = timers
  if (next === null) return 'waits for nothing'
  const leftMs = next.in_ms - elapsedMs
  switch (next.what) {
    case 'advertisement': {
      // Between two statuses it goes on advertising.
      const dueMs = leftMs >= 0 ? leftMs : advert_interval_ms - (-leftMs % advert_interval_ms)
      return `next advertisement in ${shortSpan(dueMs)}, one each ${interval(advert_interval_ms)}`
    }
    case 'master-down':
      return `takes over when it hears nothing for ${interval(master_down_interval_ms)}`
    case 'hand-over':
      return `waits ${shortSpan(leftMs)} more for the partner to take over`
    default:
      return is_handing_over ? 'hands over' : `${plain(next.what)} in ${shortSpan(leftMs)}`
  }
}

/**
 * @param {VirtualRouterStatus} router
 * @returns {Shown}
 */
function why({ because, reason }) {
  if (because.length === 0) {
    return el(
      'p',
      { class: 'why' },
      reason === null ? 'Nothing is known of the cause.' : `Because: ${reason}.`
    )
  }
  return el(
    'div',
    { class: 'why' },
    el('h3', {}, 'Because'),
    el('ol', {}, ...because.map((cause) => el('li', {}, plain(cause))))
  )
}

/**
 * The effective priority, and what makes it so: `80 = 100 configured - 20 the service check fails`.
 *
 * @param {VirtualRouterStatus} router
 * @returns {readonly Content[]}
 */
export function priority({ configured_priority, priority_override, effective_priority, effects }) {
  const base =
    priority_override === null
      ? `${configured_priority} configured`
      : `${priority_override} set by an administrator (${configured_priority} configured)`
  const counted = effects.filter(({ added }) => added !== 0)
  const faults = effects.filter(({ is_fault }) => is_fault)
  const others = effects.filter(({ added, is_fault }) => added === 0 && !is_fault)
  const isPlain = counted.length === 0 && priority_override === null
  return [
    el('strong', {}, `Priority ${effective_priority}`),
    isPlain && effective_priority === configured_priority ? ', as configured' : ` = ${base}`,
    ...counted.map((effect) =>
      el(
        'span',
        { class: effect.added < 0 ? 'effect lowers' : 'effect' },
        `${effect.added < 0 ? ' \u2212' : ' +'} ${Math.abs(effect.added)} for ${effectText(effect)}`
      )
    ),
    '.',
    ...faults.map((effect) =>
      el('span', { class: 'effect lowers' }, ` Kept out of the election by ${effectText(effect)}.`)
    ),
    ...others.map((effect) => el('span', { class: 'effect' }, ` Also: ${effectText(effect)}.`))
  ]
}

/** @param {PriorityEffect} effect */
function effectText({ what, detail }) {
  return plain(detail === null ? what : `${what} (${detail})`)
}

/**
 * What keepalived's users look up in its counters, and how late advertisements left.
 *
 * @param {VirtualRouterStatus} router
 * @returns {readonly Shown[]}
 */
export function counters({ counters, lateness }) {
  const rows = Object.entries(counters).filter(([, value]) => value > 0)
  return [
    el('summary', {}, 'Counters'),
    el(
      'dl',
      { class: 'facts' },
      ...rows.map(([name, value]) =>
        el('div', { key: name }, el('dt', {}, plain(name)), el('dd', {}, whole(value)))
      ),
      el(
        'div',
        { key: ' latest' },
        el('dt', {}, 'latest advertisement left late by'),
        el(
          'dd',
          {},
          lateness.max_s < 1 ? `${(lateness.max_s * 1000).toFixed(1)} ms` : span(lateness.max_s)
        )
      )
    )
  ]
}
