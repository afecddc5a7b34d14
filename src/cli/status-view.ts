import type { Status, VirtualRouterStatus } from '../admin/model.js'
import type { View } from './style.js'
import { formatStatusTables } from './status-tables.js'
import { wrap } from './table.js'
import { count, formatMoment, formatSpan, spanBetween } from './words.js'

/**
 * A director at one glance: is it well, who holds the addresses since when and why, then the tables.
 *
 * @returns lines without their ends
 */
export function formatStatus(status: Status, view: View): readonly string[] {
  const sections = [
    [formatTitle(status, view)],
    formatProblems(status, view),
    ...status.virtual_routers.map((router) => formatHolder(router, status, view)),
    ...formatStatusTables(status, view),
    formatConfiguration(status, view)
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => [...(index > 0 ? [''] : []), ...lines])
}

/** Whose status it is and whether all is well. */
export function formatTitle(status: Status, { style }: View): string {
  const { problems, role, router_id, version, uptime_s } = status
  const verdict =
    problems.length === 0
      ? style.good('all is well')
      : style.alarm(` ${count(problems.length, 'problem')} `)
  const name = router_id === '' ? 'director' : router_id
  const who = role === null ? style.bold(name) : `${style.bold(name)} (${role})`
  return `${who}  ${verdict}  ${style.dim(`tsha ${version}, up ${formatSpan(uptime_s)}`)}`
}

function formatProblems({ problems }: Status, { style, width }: View): readonly string[] {
  return problems.flatMap((problem) => wrap(problem, width, '  ! ').map(style.bad))
}

/** The state of a router as it is called, with its colour. */
export function stateWord(router: VirtualRouterStatus): string {
  if (router.is_handing_over) return 'MASTER, handing over'
  return router.state.toUpperCase()
}

export function paintState(
  { state, is_handing_over, stepped_down }: VirtualRouterStatus,
  text: string,
  { style }: View
): string {
  if (state === 'fault' || state === 'initialize') return style.bad(text)
  if (is_handing_over || stepped_down) return style.warning(text)
  return state === 'master' ? style.good(text) : text
}

/** Who holds the addresses of one virtual router, since when, and the nearest causes. */
function formatHolder(router: VirtualRouterStatus, { now }: Status, view: View): readonly string[] {
  const { style, width } = view
  const since = `since ${formatMoment(router.since, now)} (${spanBetween(router.since, now)})`
  const state = paintState(router, style.bold(stateWord(router)), view)
  const causes = router.because.slice(0, SHOWN_CAUSES)
  const more = router.because.length - causes.length
  return [
    `${style.bold(router.name)}: ${state} ${since}`,
    ...wrap(holderOf(router), width, '  '),
    ...causes.flatMap((cause) => wrap(cause, width, '  because ')),
    ...(more > 0 ? [style.dim(`  and ${more} more: tsha why ${router.name}`)] : [])
  ]
}

/** What fits one glance; `tsha why` has them all. */
const SHOWN_CAUSES = 2

/** A sentence: who holds them. */
export function holderOf(router: VirtualRouterStatus): string {
  const { state, master } = router
  const addresses = addressList(router)
  if (state === 'master') return `this director holds ${addresses}`
  if (master === null) {
    return `this director does not hold ${addresses}, and has heard nobody who does`
  }
  const heard = `priority ${master.priority}, last heard ${formatHeard(master.last_heard_s)} ago`
  return `${master.address} holds ${addresses} (${heard})`
}

/** At most four addresses, and how many more there are. */
export function addressList({ addresses }: VirtualRouterStatus): string {
  if (addresses.length === 0) return 'no addresses'
  const shown = addresses.slice(0, 4).map((address) => address.replace(/\/(32|128)$/, ''))
  const more = addresses.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** A short time: tenths below 10 s. */
export function formatHeard(seconds: number): string {
  return seconds < 10 ? `${Math.max(0, seconds).toFixed(1)} s` : formatSpan(seconds)
}

function formatConfiguration(status: Status, { style, width }: View): readonly string[] {
  const { configuration, now } = status
  const { hash, loaded_at, files, last_reload } = configuration
  const text = `configuration ${hash}, loaded ${formatMoment(loaded_at, now)} from ${files.join(', ')}`
  const lines = wrap(text, width, '').map(style.dim)
  if (last_reload === null || last_reload.ok) return lines
  const refused = `the reload at ${formatMoment(last_reload.at, now)} was refused, the old configuration stays:`
  return [
    ...lines,
    ...wrap(refused, width, '').map(style.bad),
    ...last_reload.lines.flatMap((line) => wrap(line, width, '  '))
  ]
}
