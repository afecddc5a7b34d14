import type {
  Action,
  BackupState,
  Conditions,
  Event,
  MasterState,
  Reason,
  State,
  Step,
  VirtualRouter
} from './model.js'
import {
  HAND_OVER_WAIT,
  SECOND_ANNOUNCEMENT_DELAY,
  masterDownInterval,
  skewTime,
  type Milliseconds
} from './timing.js'
import { ipv4ToNumber } from './wire/ipv4.js'

/**
 * The VRRP state machine: RFC 3768 §6.4 with keepalived's rules where the two differ, and hand over,
 * make before break. Every transition is in this file. It has no clock, no socket and no timer:
 * deadlines live in the state, and what has to be done comes back as ordered values.
 */
export function step(router: VirtualRouter, state: State, event: Event, now: Milliseconds): Step {
  switch (state.name) {
    case 'initialize':
      return stepInitialize(router, state, event, now)
    case 'backup':
      return stepBackup(router, state, event, now)
    case 'master':
      return stepMaster(router, state, event, now)
  }
}

/** When a `timer` event will next change something; null while nothing is awaited. */
export function nextDeadline(state: State): Milliseconds | null {
  switch (state.name) {
    case 'initialize':
      return null
    case 'backup':
      return state.masterDownAt
    case 'master': {
      const due = state.handOver ? state.handOver.until : state.adverAt
      return state.announceAt === null ? due : Math.min(due, state.announceAt)
    }
  }
}

function stepInitialize(
  router: VirtualRouter,
  state: State,
  event: Event,
  now: Milliseconds
): Step {
  switch (event.kind) {
    // Nobody becomes master without having listened for a whole Master_Down_Interval, `state MASTER`
    // or not (keepalived). Addresses of an earlier life are removed first, they are never ours yet.
    case 'startup':
      return backup(router, state, now, 'startup', [{ kind: 'remove-addresses' }])
    case 'link-up':
      return backup(router, state, now, 'link-up', [])
    case 'link-down':
      return { state, actions: [{ kind: 'remove-addresses' }], reason: 'link-down' }
    case 'conditions':
      return stay({ name: 'initialize', ...event.conditions })
    case 'shutdown':
    case 'timer':
    case 'advertisement':
      return stay(state)
  }
}

function stepBackup(
  router: VirtualRouter,
  state: BackupState,
  event: Event,
  now: Milliseconds
): Step {
  switch (event.kind) {
    case 'timer':
      if (now < state.masterDownAt) return stay(state)
      return master(
        router,
        state,
        now,
        state.masterResigned ? 'priority-zero' : 'master-down-expired'
      )
    case 'advertisement':
      return stay(heardInBackup(router, state, event.priority, now))
    case 'conditions': {
      // The pending deadline moves by the difference of the two Skew_Times (keepalived).
      const moved = skewTime(event.conditions.priority) - skewTime(state.priority)
      return stay({ ...state, ...event.conditions, masterDownAt: state.masterDownAt + moved })
    }
    case 'shutdown':
      return initialize(state, 'shutdown', [])
    case 'link-down':
      return initialize(state, 'link-down', [])
    case 'startup':
    case 'link-up':
      return stay(state)
  }
}

/** RFC 3768 §6.4.2, with Preempt_Mode true. */
function heardInBackup(
  router: VirtualRouter,
  state: BackupState,
  priority: number,
  now: Milliseconds
): BackupState {
  // A director that cannot serve is in no hurry and never preempts: a weight that is too small must
  // not make the addresses bounce (acassen/keepalived#2599).
  const canServe = state.serviceUp || !router.makesBeforeBreak
  if (priority === 0 && canServe) {
    return { ...state, masterDownAt: now + skewTime(state.priority), masterResigned: true }
  }
  if (priority >= state.priority || !canServe) {
    const masterDownAt = now + masterDownInterval(state.priority, router.adverInterval)
    return { ...state, masterDownAt, masterResigned: priority === 0 }
  }
  return state
}

function stepMaster(
  router: VirtualRouter,
  state: MasterState,
  event: Event,
  now: Milliseconds
): Step {
  switch (event.kind) {
    case 'timer':
      return masterTimer(router, state, now)
    case 'advertisement':
      return heardInMaster(router, state, event.priority, event.source, now)
    case 'conditions':
      return masterConditions(router, state, event.conditions, now)
    case 'shutdown':
      // A second request to stop does not wait any longer.
      if (!router.makesBeforeBreak || state.handOver?.goal === 'initialize') {
        return initialize(state, 'shutdown', [{ kind: 'advertise', priority: 0 }])
      }
      return handOver(state, 'initialize', now)
    case 'link-down':
      return initialize(state, 'link-down', [{ kind: 'advertise', priority: 0 }])
    case 'startup':
    case 'link-up':
      return stay(state)
  }
}

function masterTimer(router: VirtualRouter, state: MasterState, now: Milliseconds): Step {
  const actions: Action[] = []
  let reason: Reason | null = null
  let next = state
  if (next.handOver) {
    if (now >= next.handOver.until) {
      if (next.handOver.goal === 'initialize') return initialize(next, 'hand-over-unanswered', [])
      // Half a service beats none: nobody took over, so we go on with our lowered priority.
      actions.push({ kind: 'advertise', priority: next.priority })
      next = { ...next, handOver: null, adverAt: now + router.adverInterval }
      reason = 'hand-over-unanswered'
    }
  } else if (now >= next.adverAt) {
    actions.push({ kind: 'advertise', priority: next.priority })
    // Kept in step with the schedule, unless more than a whole interval was missed.
    const onSchedule = next.adverAt + router.adverInterval
    next = { ...next, adverAt: onSchedule > now ? onSchedule : now + router.adverInterval }
  }
  if (next.announceAt !== null && now >= next.announceAt) {
    actions.push({ kind: 'announce' })
    next = { ...next, announceAt: null }
  }
  return { state: next, actions, reason }
}

/** RFC 3768 §6.4.3; a lower priority is answered with an election and an announcement (keepalived). */
function heardInMaster(
  router: VirtualRouter,
  state: MasterState,
  priority: number,
  source: string,
  now: Milliseconds
): Step {
  if (state.handOver) {
    // Priority 0 is no new master: the other one is leaving as well.
    if (priority === 0) return stay(state)
    if (state.handOver.goal === 'initialize') return initialize(state, 'hand-over-answered', [])
    return backup(router, state, now, 'hand-over-answered', [{ kind: 'remove-addresses' }])
  }
  const answered = {
    ...state,
    adverAt: now + router.adverInterval,
    answerAt: now + router.adverInterval / 2
  }
  const advertise: Action = { kind: 'advertise', priority: state.priority }
  if (priority === 0) {
    if (now < state.answerAt) return stay(state)
    return { state: answered, actions: [advertise], reason: null }
  }
  const distance = ipv4ToNumber(source) - ipv4ToNumber(router.primaryAddress)
  if (priority > state.priority || (priority === state.priority && distance > 0)) {
    return backup(router, state, now, 'higher-priority', [{ kind: 'remove-addresses' }])
  }
  // Equal priority from our own address is a misconfiguration that no election can solve.
  if (priority === state.priority && distance === 0) return stay(state)
  if (now < state.answerAt) return stay(state)
  return {
    state: { ...answered, announceAt: now + SECOND_ANNOUNCEMENT_DELAY },
    actions: [advertise, { kind: 'announce' }],
    reason: 'lower-priority'
  }
}

/** No advertisement is sent on a mere change of priority: neighbours learn it at the next tick. */
function masterConditions(
  router: VirtualRouter,
  state: MasterState,
  conditions: Conditions,
  now: Milliseconds
): Step {
  const next: MasterState = { ...state, ...conditions }
  if (!router.makesBeforeBreak || state.handOver?.goal === 'initialize') return stay(next)
  if (state.serviceUp && !conditions.serviceUp) return handOver(next, 'backup', now)
  if (state.handOver && conditions.serviceUp) {
    return {
      state: { ...next, handOver: null, adverAt: now + router.adverInterval },
      actions: [{ kind: 'advertise', priority: next.priority }],
      reason: 'hand-over-cancelled'
    }
  }
  return stay(next)
}

function handOver(state: MasterState, goal: 'backup' | 'initialize', now: Milliseconds): Step {
  return {
    state: { ...state, handOver: { until: now + HAND_OVER_WAIT, goal } },
    actions: [{ kind: 'advertise', priority: 0 }],
    reason: 'hand-over-begun'
  }
}

function conditionsOf({ priority, serviceUp }: Conditions): Conditions {
  return { priority, serviceUp }
}

function stay(state: State): Step {
  return { state, actions: [], reason: null }
}

function backup(
  router: VirtualRouter,
  from: Conditions,
  now: Milliseconds,
  reason: Reason,
  actions: readonly Action[]
): Step {
  const masterDownAt = now + masterDownInterval(from.priority, router.adverInterval)
  const state: BackupState = {
    name: 'backup',
    ...conditionsOf(from),
    masterDownAt,
    masterResigned: false
  }
  return { state, actions, reason }
}

/** The advertisement goes first, so that the old master drops the addresses before we announce them. */
function master(router: VirtualRouter, from: Conditions, now: Milliseconds, reason: Reason): Step {
  const state: MasterState = {
    name: 'master',
    ...conditionsOf(from),
    adverAt: now + router.adverInterval,
    answerAt: now,
    announceAt: now + SECOND_ANNOUNCEMENT_DELAY,
    handOver: null
  }
  const actions: readonly Action[] = [
    { kind: 'advertise', priority: from.priority },
    { kind: 'add-addresses' },
    { kind: 'announce' }
  ]
  return { state, actions, reason }
}

/** Gives everything up. From master the addresses go too, whatever was advertised before. */
function initialize(from: State, reason: Reason, actions: readonly Action[]): Step {
  const removal: Action[] = from.name === 'master' ? [{ kind: 'remove-addresses' }] : []
  return {
    state: { name: 'initialize', ...conditionsOf(from) },
    actions: [...actions, ...removal],
    reason
  }
}
