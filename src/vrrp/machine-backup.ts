import {
  becomeFaulty,
  becomeInitialize,
  becomeMaster,
  stay,
  withConditions
} from './machine-moves.js'
import type { ElectionSettings, BackupState, Event, HeardEvent, Reason, Step } from './model.js'
import {
  OWNER_PRIORITY,
  listenInterval,
  masterDownInterval,
  skewTime,
  type Milliseconds
} from './timing.js'

/** Another director is master, or nobody yet (RFC 3768 §6.4.2). */
export function stepBackup(
  router: ElectionSettings,
  state: BackupState,
  event: Event,
  now: Milliseconds
): Step {
  switch (event.kind) {
    case 'timer':
      return now < state.masterDownAt ? stay(state) : masterDown(router, state, now)
    case 'advertisement':
      return heard(router, state, event, now)
    case 'conditions':
      return stay(changed(router, state, withConditions(router, state, event.conditions), now))
    case 'group-master':
      return state.wantsMaster ? becomeMaster(router, state, now, whyMaster(state)) : stay(state)
    case 'fault':
      return becomeFaulty(state, event.cause)
    case 'shutdown':
      return becomeInitialize(state, 'shutdown')
    case 'startup':
    case 'fault-cleared':
    case 'addresses-lost':
    case 'announce-again':
    case 'group-backup':
      return stay(state)
  }
}

function masterDown(router: ElectionSettings, state: BackupState, now: Milliseconds): Step {
  if (!router.isGrouped) return becomeMaster(router, state, now, whyMaster(state))
  // The group decides. Each member waits again meanwhile, so that the others get time.
  const masterDownAt = now + masterDownInterval(router, state.priority, state.masterAdverInterval)
  return {
    state: { ...state, masterDownAt, wantsMaster: true },
    actions: [],
    reason: state.wantsMaster ? null : 'wants-master'
  }
}

function whyMaster(state: BackupState): Reason {
  return state.masterResigned ? 'priority-zero' : 'master-down-expired'
}

function heard(
  router: ElectionSettings,
  before: BackupState,
  event: HeardEvent,
  now: Milliseconds
): Step {
  const state = withOwnerRestored(router, before, event.priority)
  const restored = state === before ? null : 'owner-restored'
  if (event.priority === 0) {
    return { state: masterResigns(router, state, now), actions: [], reason: restored }
  }
  const preemptAt = preemptionAt(router, state, event.priority, now)
  // Discarded: the timer goes on from the last one that was accepted.
  if (preemptAt !== null && now >= preemptAt) return { state, actions: [], reason: restored }

  const masterAdverInterval = event.adverInterval
  const accepted: BackupState = {
    ...state,
    masterDownAt: now + masterDownInterval(router, state.priority, masterAdverInterval),
    masterResigned: false,
    masterAdverInterval,
    preemptAt,
    wantsMaster: false
  }
  return { state: accepted, actions: [], reason: restored ?? whatChanged(state, accepted) }
}

/** Takes over after Skew_Time, but a director that cannot serve is in no hurry. */
function masterResigns(
  router: ElectionSettings,
  state: BackupState,
  now: Milliseconds
): BackupState {
  const interval = state.masterAdverInterval
  const wait = canServe(router, state)
    ? skewTime(router, state.priority, interval)
    : masterDownInterval(router, state.priority, interval)
  return { ...state, masterDownAt: now + wait, masterResigned: true }
}

/**
 * From when on a master of this priority is preempted; null for never: it is no weaker, or
 * Preempt_Mode is false, or we cannot serve. A weight that is too small must not make the addresses
 * bounce (acassen/keepalived#2599).
 */
function preemptionAt(
  router: ElectionSettings,
  state: BackupState,
  priority: number,
  now: Milliseconds
): Milliseconds | null {
  if (priority >= state.priority || !router.preempts || !canServe(router, state)) return null
  return state.preemptAt ?? now + router.preemptDelay
}

function canServe(router: ElectionSettings, { serviceUp }: BackupState): boolean {
  return serviceUp || !router.makesBeforeBreak
}

/** An owner that gave way to another one is 255 again when that is not heard any more (keepalived). */
function withOwnerRestored(
  router: ElectionSettings,
  state: BackupState,
  heardPriority: number
): BackupState {
  const isLowered = router.isOwner && state.priority !== OWNER_PRIORITY
  if (!isLowered || heardPriority === OWNER_PRIORITY) return state
  return { ...state, priority: OWNER_PRIORITY }
}

function whatChanged(from: BackupState, to: BackupState): Reason | null {
  if (to.masterAdverInterval !== from.masterAdverInterval) return 'interval-adopted'
  if (from.preemptAt === null && to.preemptAt !== null) return 'preempt-delay-begun'
  if (from.preemptAt !== null && to.preemptAt === null) return 'preempt-delay-cancelled'
  return null
}

/**
 * A director that can no longer serve lets a living master be heard once more: the timer may have
 * been running against one that is weaker, or that has resigned and still holds the addresses.
 */
function changed(
  router: ElectionSettings,
  from: BackupState,
  to: BackupState,
  now: Milliseconds
): BackupState {
  const moved = withDeadlineMoved(router, from, to, now)
  if (!canServe(router, from) || canServe(router, to)) return moved
  const heardBy = now + listenInterval(router, to.priority, from.masterAdverInterval)
  return { ...moved, masterDownAt: Math.max(moved.masterDownAt, heardBy) }
}

/** The pending deadline moves by the difference of the two Skew_Times (keepalived), not into the past. */
function withDeadlineMoved(
  router: ElectionSettings,
  from: BackupState,
  to: BackupState,
  now: Milliseconds
): BackupState {
  const interval = from.masterAdverInterval
  const moved =
    from.masterDownAt +
    skewTime(router, to.priority, interval) -
    skewTime(router, from.priority, interval)
  return { ...to, masterDownAt: Math.max(moved, Math.min(now, from.masterDownAt)) }
}
