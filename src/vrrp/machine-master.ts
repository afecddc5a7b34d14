import { announcementsDue, withSecondBurst } from './machine-announcements.js'
import { heardInMaster } from './machine-election.js'
import {
  beginHandOver,
  handOverConditions,
  handOverTimer,
  heardInHandOver
} from './machine-hand-over.js'
import {
  RESIGN,
  becomeBackup,
  becomeFaulty,
  becomeInitialize,
  stay,
  withConditions
} from './machine-moves.js'
import { rivalAfterAdvert } from './machine-rival.js'
import type { Action, Event, MasterState, Step, ElectionSettings } from './model.js'
import { skewTime, type Milliseconds } from './timing.js'

/** We hold the addresses (RFC 3768 §6.4.3). */
export function stepMaster(
  router: ElectionSettings,
  state: MasterState,
  event: Event,
  now: Milliseconds
): Step {
  switch (event.kind) {
    case 'timer':
      return timer(router, state, now)
    case 'advertisement':
      return state.handOver
        ? heardInHandOver(router, state, state.handOver, event, now)
        : heardInMaster(router, state, event, now)
    case 'conditions':
      return handOverConditions(router, state, withConditions(router, state, event.conditions), now)
    case 'shutdown':
      // A second request to stop does not wait any longer.
      if (!router.makesBeforeBreak || state.handOver?.goal === 'initialize') {
        return becomeInitialize(state, 'shutdown', [RESIGN])
      }
      return beginHandOver(router, state, 'initialize', now)
    case 'fault':
      // Who is being stopped waits for nobody any more.
      if (state.handOver?.goal === 'initialize') {
        return becomeInitialize(state, 'shutdown', [RESIGN])
      }
      return becomeFaulty(state, event.cause)
    case 'addresses-lost':
      return addressesLost(router, state, now)
    case 'announce-again':
      return {
        state: withSecondBurst(router, state, event.announcement, now),
        actions: [{ kind: 'announce', announcement: event.announcement }],
        reason: null
      }
    case 'group-backup':
      // Who is being stopped goes on with that.
      if (state.handOver?.goal === 'initialize') return stay(state)
      return becomeBackup(router, state, now, 'group')
    case 'startup':
    case 'fault-cleared':
    case 'group-master':
      return stay(state)
  }
}

function timer(router: ElectionSettings, state: MasterState, now: Milliseconds): Step {
  const due = state.handOver
    ? handOverTimer(router, state, state.handOver, now)
    : adverTimer(router, state, now)
  if (due.state.name !== 'master') return due
  const announced = announcementsDue(router, due.state, now)
  return {
    state: announced.state,
    actions: [...due.actions, ...announced.actions],
    reason: due.reason
  }
}

function adverTimer(router: ElectionSettings, state: MasterState, now: Milliseconds): Step {
  if (now < state.adverAt) return stay(state)
  const { adverInterval } = router
  // Kept in step with the schedule, unless a whole interval was missed.
  const onSchedule = state.adverAt + adverInterval
  const next: MasterState = {
    ...state,
    adverAt: onSchedule > now ? onSchedule : now + adverInterval,
    rival: rivalAfterAdvert(router, state.rival, now)
  }
  const advertise: Action = { kind: 'advertise', priority: state.priority }
  if (onSchedule > now) return { state: next, actions: [advertise], reason: null }
  // Too short a pause for a partner to take over, but the lease may have ended meanwhile.
  return {
    state: withSecondBurst(router, next, 'mastery', now),
    actions: [advertise, { kind: 'announce', announcement: 'mastery' }],
    reason: 'resumed-late'
  }
}

/** keepalived's rule: the instance gives up, and is back as soon as nobody else takes over. */
function addressesLost(router: ElectionSettings, state: MasterState, now: Milliseconds): Step {
  if (state.handOver?.goal === 'initialize') return becomeInitialize(state, 'shutdown')
  return becomeBackup(router, state, now, 'addresses-lost', {
    actions: [RESIGN],
    ...(router.makesBeforeBreak
      ? {}
      : { listenFor: skewTime(router, state.priority, router.adverInterval) })
  })
}
