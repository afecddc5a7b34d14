import { RESIGN, becomeBackup, becomeInitialize, stay } from './machine-moves.js'
import type { HandOverGoal, HeardEvent, MasterState, Step, VirtualRouter } from './model.js'
import { handOverWait, type Milliseconds } from './timing.js'

/**
 * Hand over, make before break: priority 0 is advertised at once, and the addresses are kept until the
 * new master is heard (docs/decisions/0009-hand-over.md).
 */
export function beginHandOver(
  router: VirtualRouter,
  state: MasterState,
  goal: HandOverGoal,
  now: Milliseconds
): Step {
  return {
    state: { ...state, handOver: { until: now + handOverWait(router), goal } },
    actions: [RESIGN],
    reason: 'hand-over-begun'
  }
}

/** Whoever advertises now is the new master, whatever its priority. */
export function heardInHandOver(
  router: VirtualRouter,
  state: MasterState,
  { goal }: { readonly goal: HandOverGoal },
  { priority, adverInterval }: HeardEvent,
  now: Milliseconds
): Step {
  // Priority 0 is no new master: the other one is leaving as well.
  if (priority === 0) return stay(state)
  if (goal === 'initialize') return becomeInitialize(state, 'hand-over-answered')
  return becomeBackup(router, state, now, 'hand-over-answered', {
    masterAdverInterval: adverInterval
  })
}

export function handOverTimer(
  router: VirtualRouter,
  state: MasterState,
  { until, goal }: { readonly until: Milliseconds; readonly goal: HandOverGoal },
  now: Milliseconds
): Step {
  if (now < until) return stay(state)
  if (goal === 'initialize') return becomeInitialize(state, 'hand-over-unanswered')
  // Half a service beats none: nobody took over, so we go on with our lowered priority.
  return goOn(router, state, now, 'hand-over-unanswered')
}

/** No advertisement is sent on a mere change of priority: neighbours learn it at the next tick. */
export function handOverConditions(
  router: VirtualRouter,
  from: MasterState,
  to: MasterState,
  now: Milliseconds
): Step {
  if (!router.makesBeforeBreak || to.handOver?.goal === 'initialize') return stay(to)
  if (from.serviceUp && !to.serviceUp) return beginHandOver(router, to, 'backup', now)
  if (to.handOver && to.serviceUp) return goOn(router, to, now, 'hand-over-cancelled')
  return stay(to)
}

function goOn(
  router: VirtualRouter,
  state: MasterState,
  now: Milliseconds,
  reason: 'hand-over-unanswered' | 'hand-over-cancelled'
): Step {
  return {
    state: { ...state, handOver: null, adverAt: now + router.adverInterval },
    actions: [{ kind: 'advertise', priority: state.priority }],
    reason
  }
}
