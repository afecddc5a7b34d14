import type { ElectionSettings, Action, AnnouncementKind, MasterState } from './model.js'
import type { Milliseconds } from './timing.js'

/** The announcements whose time has come. */
export function announcementsDue(
  router: ElectionSettings,
  state: MasterState,
  now: Milliseconds
): { readonly state: MasterState; readonly actions: readonly Action[] } {
  const actions: Action[] = []
  let { secondBurst, refreshAt } = state
  if (secondBurst !== null && now >= secondBurst.at) {
    actions.push({ kind: 'announce', announcement: secondBurst.kind })
    secondBurst = null
  }
  if (refreshAt !== null && now >= refreshAt) {
    actions.push({ kind: 'announce', announcement: 'refresh' })
    const onSchedule = refreshAt + router.announcements.refresh
    refreshAt = onSchedule > now ? onSchedule : now + router.announcements.refresh
  }
  return { state: { ...state, secondBurst, refreshAt }, actions }
}

/** The burst that follows a first one of this kind; one that is still to come is put off. */
export function withSecondBurst(
  router: ElectionSettings,
  state: MasterState,
  kind: AnnouncementKind,
  now: Milliseconds
): MasterState {
  const { delay, lowerPriorityDelay } = router.announcements
  const wait = kind === 'lower-priority' ? lowerPriorityDelay : delay
  return wait === 0 ? state : { ...state, secondBurst: { at: now + wait, kind } }
}
