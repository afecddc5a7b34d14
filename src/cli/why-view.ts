import type { PriorityEffect, Status, VirtualRouterStatus } from '../admin/model.js'
import { formatHeard, holderOf, paintState, stateWord } from './status-view.js'
import type { View } from './style.js'
import { wrap } from './table.js'
import { formatMoment, spanBetween } from './words.js'

/**
 * Why a virtual router is what it is: the chain of causes, the nearest first, then how its priority
 * comes about, and who else is there.
 */
export function formatWhy(
  router: VirtualRouterStatus,
  status: Status,
  view: View
): readonly string[] {
  const { style, width } = view
  const { now } = status
  const state = paintState(router, style.bold(stateWord(router)), view)
  const since = `since ${formatMoment(router.since, now)} (${spanBetween(router.since, now)})`
  const reason = router.reason === null ? '' : style.dim(` [${router.reason}]`)
  const causes = router.because.flatMap((cause, index) =>
    wrap(cause, width, `${'  '.repeat(Math.min(index, MAX_STEPS) + 1)}because `)
  )
  return [
    `${style.bold(router.name)}: ${state} ${since}${reason}`,
    ...(causes.length > 0 ? causes : ['  nothing more is known of the cause']),
    ...wrap(`${holderOf(router)}.`, width, '  '),
    ...standing(router).flatMap((line) => wrap(line, width, '  ').map(style.warning)),
    ...formatPriority(router, view),
    ...formatPartner(router, view)
  ]
}

/** How far a long chain is moved to the right. */
const MAX_STEPS = 6

function standing(router: VirtualRouterStatus): readonly string[] {
  return [
    ...(router.stepped_down
      ? [`It stands back because an administrator said so: tsha resume ${router.name}`]
      : []),
    ...(router.is_handing_over ? ['It waits for the partner to take over.'] : [])
  ]
}

function formatPriority(router: VirtualRouterStatus, { style, width }: View): readonly string[] {
  const { configured_priority, priority_override, effective_priority, effects } = router
  const [base, origin] =
    priority_override === null
      ? [configured_priority, 'configured']
      : [
          priority_override,
          `set by an administrator, instead of ${configured_priority}: tsha priority ${router.name} default`
        ]
  return [
    style.bold('  Priority'),
    ...wrap(origin, width, `  ${numberCell(base)}  `),
    ...effects.flatMap((effect) => {
      const lines = wrap(effectText(effect), width, `  ${effectCell(effect)}  `)
      return effect.is_fault || effect.added < 0 ? lines.map(style.bad) : lines
    }),
    effects.some(({ is_fault }) => is_fault)
      ? `  ${style.bold('    -')}  out of the election`
      : `  ${style.bold(numberCell(effective_priority))}  effective`
  ]
}

function effectText({ what, detail }: PriorityEffect): string {
  return detail === null ? what : `${what} ${detail}`
}

function effectCell({ added, is_fault }: PriorityEffect): string {
  if (is_fault) return 'fault'
  return (added > 0 ? `+${added}` : String(added)).padStart(5)
}

function numberCell(value: number): string {
  return String(value).padStart(5)
}

function formatPartner(router: VirtualRouterStatus, { style }: View): readonly string[] {
  const { master, state, timers } = router
  if (master !== null) {
    return [
      style.bold('  Heard as master'),
      `  ${master.address}, priority ${master.priority}, last heard ${formatHeard(master.last_heard_s)} ago`,
      ...(state === 'backup'
        ? [
            style.dim(
              `  silent for ${(timers.master_down_interval_ms / 1000).toFixed(3)} s, it is taken for dead (Master_Down_Interval)`
            )
          ]
        : [])
    ]
  }
  return state === 'master' ? [] : [style.bold('  Heard as master'), '  nobody']
}
