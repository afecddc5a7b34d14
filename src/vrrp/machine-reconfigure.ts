import type { Action, BackupState, MasterState, State, Step, VirtualRouter } from './model.js'
import { OWNER_PRIORITY, masterDownInterval, skewTime, type Milliseconds } from './timing.js'

/** What partners see of a virtual router besides its priority. */
export interface Changes {
  /** Its advertisements look otherwise, or come at other times. */
  readonly advert: boolean
  /** It has addresses that it did not have before. */
  readonly addresses: boolean
}

/**
 * The state of a virtual router that goes on with another configuration: no transition, and nothing is
 * given up. A master says at once what has changed, so that a partner that has been told as well hears
 * it before its timer ends (keepalived sends an advertisement first, too).
 *
 * @param to what it is from now on
 * @param priority the effective one from now on
 */
export function reconfigure(
  from: VirtualRouter,
  to: VirtualRouter,
  state: State,
  priority: number,
  changes: Changes,
  now: Milliseconds
): Step {
  const wanted = to.isOwner ? OWNER_PRIORITY : priority
  // Only the owner's priority is its own business; who was lowered by another owner stays so.
  const isUntouched = from.isOwner && to.isOwner
  const next = isUntouched ? state : { ...state, priority: wanted }
  switch (next.name) {
    case 'initialize':
    case 'fault':
      return { state: next, actions: [], reason: null }
    case 'backup':
      return { state: backup(from, to, next, state.priority, now), actions: [], reason: null }
    case 'master':
      return master(
        from,
        to,
        next,
        changes.advert || next.priority !== state.priority,
        changes,
        now
      )
  }
}

/**
 * A priority moves the deadline as it does without a reload. Where the intervals changed the master is
 * awaited anew: nobody is hurried by a time that was not theirs.
 */
function backup(
  from: VirtualRouter,
  to: VirtualRouter,
  state: BackupState,
  oldPriority: number,
  now: Milliseconds
): BackupState {
  // In VRRPv2 an advertisement with another interval than ours is discarded; in VRRPv3 it has its own.
  const isOurs = to.version === 2 || from.version === 2
  const masterAdverInterval = isOurs ? to.adverInterval : state.masterAdverInterval
  const isOtherTiming =
    masterAdverInterval !== state.masterAdverInterval ||
    to.downTimerAdverts !== from.downTimerAdverts ||
    to.version !== from.version
  const wait = masterDownInterval(to, state.priority, masterAdverInterval)
  const moved =
    state.masterDownAt +
    skewTime(to, state.priority, masterAdverInterval) -
    skewTime(from, oldPriority, state.masterAdverInterval)
  return {
    ...state,
    masterAdverInterval,
    preemptAt:
      state.preemptAt === null || !to.preempts
        ? null
        : state.preemptAt - from.preemptDelay + to.preemptDelay,
    wantsMaster: state.wantsMaster && to.isGrouped,
    masterResigned: state.masterResigned && !isOtherTiming,
    masterDownAt: isOtherTiming ? now + wait : Math.max(moved, Math.min(now, state.masterDownAt))
  }
}

function master(
  from: VirtualRouter,
  to: VirtualRouter,
  state: MasterState,
  saysSo: boolean,
  { addresses }: Changes,
  now: Milliseconds
): Step {
  const { refresh } = to.announcements
  const isSameRefresh = refresh === from.announcements.refresh
  const actions: Action[] = []
  let next: MasterState = {
    ...state,
    rival: to.isOwner ? state.rival : null,
    refreshAt: isSameRefresh ? state.refreshAt : refresh > 0 ? now + refresh : null
  }
  // Who hands over has said priority 0, and waits for the answer.
  if (saysSo && state.handOver === null) {
    actions.push({ kind: 'advertise', priority: state.priority })
    next = { ...next, adverAt: now + to.adverInterval }
  }
  if (addresses) actions.push({ kind: 'announce', announcement: 'mastery' })
  return { state: next, actions, reason: null }
}
