/** @import { Status, VirtualRouterStatus } from '../model.js' */
/** @import { Shown } from './element.js' */
import { el } from './element.js'
import { badge } from './parts.js'
import { count, plain } from './words.js'

/**
 * The first thing to be read: all is well, or what is not, worst first.
 *
 * @param {Pick<Status, 'problems'>} status
 * @returns {readonly Shown[]}
 */
export function verdict({ problems }) {
  if (problems.length === 0) return [el('p', { class: 'well' }, badge('good', 'All is well'))]
  return [
    el('p', { class: 'unwell' }, badge('bad', count(problems.length, 'problem'))),
    el('ul', { class: 'problems' }, ...problems.map((problem) => el('li', {}, plain(problem))))
  ]
}

/**
 * What a screen reader says without being asked: states that changed, problems that came or went.
 *
 * @param {Status | null} before
 * @param {Status} after
 * @returns {readonly string[]}
 */
export function announcements(before, after) {
  if (before === null) return []
  const moved = after.virtual_routers.flatMap((router) => {
    const old = before.virtual_routers.find(({ name }) => name === router.name)
    return old && old.state !== router.state ? [`${router.name} is ${stateWord(router)} now`] : []
  })
  const isNew = after.problems.filter((problem) => !before.problems.includes(problem))
  const isOver = before.problems.length > 0 && after.problems.length === 0
  return [
    ...moved,
    ...isNew.map((problem) => `Problem: ${problem}`),
    ...(isOver ? ['All is well'] : [])
  ].map(plain)
}

/**
 * The title of the tab says whose page it is, and how it goes.
 *
 * @param {Status} status
 */
export function pageTitle({ problems, virtual_routers, router_id }) {
  const states = [...new Set(virtual_routers.map(stateWord))].join(', ')
  const trouble = problems.length === 0 ? '' : `(${problems.length}) `
  return `${trouble}${[plain(router_id), states].filter((part) => part !== '').join(': ')} - tsha`
}

/**
 * The state of a virtual router as it is called.
 *
 * @param {Pick<VirtualRouterStatus, 'state' | 'is_handing_over'>} router
 */
export function stateWord({ state, is_handing_over }) {
  return is_handing_over ? 'MASTER, handing over' : state.toUpperCase()
}
