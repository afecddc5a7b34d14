import { compareAddresses } from './address-order.js'
import {
  beginHandOver,
  handOverConditions as changed,
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
import { isCounted, isStubborn, newRival, rivalAfterAdvert } from './machine-rival.js'
import type {
  Action,
  AnnouncementKind,
  Event,
  HeardEvent,
  MasterState,
  Reason,
  Step,
  VirtualRouter
} from './model.js'
import { OWNER_PRIORITY, skewTime, type Milliseconds } from './timing.js'

/** We hold the addresses (RFC 3768 §6.4.3). */
export function stepMaster(
  router: VirtualRouter,
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
        : heard(router, state, event, now)
    case 'conditions':
      return changed(router, state, withConditions(router, state, event.conditions), now)
    case 'shutdown':
      // A second request to stop does not wait any longer.
      if (!router.makesBeforeBreak || state.handOver?.goal === 'initialize') {
        return becomeInitialize(state, 'shutdown', [RESIGN])
      }
      return beginHandOver(router, state, 'initialize', now)
    case 'fault':
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

function timer(router: VirtualRouter, state: MasterState, now: Milliseconds): Step {
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

function adverTimer(router: VirtualRouter, state: MasterState, now: Milliseconds): Step {
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

function announcementsDue(
  router: VirtualRouter,
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

/** RFC 3768 §6.4.3; who is weaker is answered with an election and an announcement (keepalived). */
function heard(
  router: VirtualRouter,
  state: MasterState,
  event: HeardEvent,
  now: Milliseconds
): Step {
  const { priority, source } = event
  if (priority === 0) return answer(router, state, now, 'priority-zero')
  const distance = compareAddresses(source, router.primaryAddress)
  const isEqual = priority === state.priority
  if (isEqual && distance === 0) {
    // Two machines with one address are a misconfiguration that no election can solve.
    return stay(state)
  }
  const isOwner = isEqual && router.isOwner
  if (priority > state.priority || (isEqual && distance > 0)) {
    return giveWay(router, state, event, now, isOwner ? 'two-owners' : 'higher-priority')
  }
  if (isOwner) return heardRival(router, state, event, now)
  // It is master as well, so it may be able to do what we cannot. Between equals that would go on for
  // ever: what it says may be its last word, and then nobody has the addresses.
  if (router.makesBeforeBreak && !state.serviceUp && !isEqual) {
    // Whatever comes of it, the segment has heard two masters.
    const announcing = withSecondBurst(router, state, 'lower-priority', now)
    return beginHandOver(router, announcing, 'backup', now)
  }
  return answer(router, state, now, 'lower-priority')
}

/**
 * Becomes backup without a priority 0: there is a master. One more advertisement, which loses, tells
 * it that there were two, so that it announces the addresses again. A keepalived that speaks first
 * after a healed partition never learns it otherwise.
 */
function giveWay(
  router: VirtualRouter,
  state: MasterState,
  { adverInterval }: HeardEvent,
  now: Milliseconds,
  reason: Reason
): Step {
  const tells = router.yieldsWithAdvert || router.makesBeforeBreak
  return becomeBackup(router, state, now, reason, {
    actions: tells ? [{ kind: 'advertise', priority: state.priority }] : [],
    masterAdverInterval: adverInterval
  })
}

/** Another one thinks that it is master, or was: says who is, to it and to the whole segment. */
function answer(
  router: VirtualRouter,
  state: MasterState,
  now: Milliseconds,
  reason: 'lower-priority' | 'priority-zero' | 'two-owners'
): Step {
  if (now < state.answerAt) return stay(state)
  const { adverInterval, answersLowerPriority } = router
  const answerAt = now + adverInterval / 2
  const announce: Action = { kind: 'announce', announcement: 'lower-priority' }
  const next = withSecondBurst(router, { ...state, answerAt }, 'lower-priority', now)
  if (reason === 'lower-priority' && !answersLowerPriority) {
    return { state: next, actions: [announce], reason }
  }
  return {
    state: { ...next, adverAt: now + adverInterval },
    actions: [{ kind: 'advertise', priority: state.priority }, announce],
    reason
  }
}

/** Another owner, of a lesser address: it has to give way, but if it does not, we do (keepalived). */
function heardRival(
  router: VirtualRouter,
  state: MasterState,
  event: HeardEvent,
  now: Milliseconds
): Step {
  if (isStubborn(state.rival, now)) {
    const lowered = { ...state, priority: OWNER_PRIORITY - 1 }
    return giveWay(router, lowered, event, now, 'owner-lowered')
  }
  if (isCounted(state.rival, now)) return answer(router, state, now, 'lower-priority')
  const counted = { ...state, rival: newRival(event.adverInterval) }
  return answer(router, counted, now, 'two-owners')
}

/** keepalived's rule: the instance gives up, and is back as soon as nobody else takes over. */
function addressesLost(router: VirtualRouter, state: MasterState, now: Milliseconds): Step {
  if (state.handOver?.goal === 'initialize') return becomeInitialize(state, 'shutdown')
  return becomeBackup(router, state, now, 'addresses-lost', {
    actions: [RESIGN],
    ...(router.makesBeforeBreak
      ? {}
      : { listenFor: skewTime(router, state.priority, router.adverInterval) })
  })
}

/** The burst that follows a first one of this kind; one that is still to come is put off. */
function withSecondBurst(
  router: VirtualRouter,
  state: MasterState,
  kind: AnnouncementKind,
  now: Milliseconds
): MasterState {
  const { delay, lowerPriorityDelay } = router.announcements
  const wait = kind === 'lower-priority' ? lowerPriorityDelay : delay
  return wait === 0 ? state : { ...state, secondBurst: { at: now + wait, kind } }
}
