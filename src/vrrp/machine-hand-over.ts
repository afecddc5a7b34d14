import { RESIGN, becomeBackup, becomeInitialize, stay } from './machine-moves.js'
import { outranks } from './machine-rank.js'
import type {
  Action,
  HandOver,
  HandOverGoal,
  HeardEvent,
  MasterState,
  Step,
  ElectionSettings
} from './model.js'
import { handOverWait, offerWait, type Milliseconds } from './timing.js'

/**
 * Hand over, make before break: priority 0 is advertised at once, and the addresses are kept until the
 * new master is heard (docs/decisions/0009-hand-over.md).
 */
export function beginHandOver(
  router: ElectionSettings,
  state: MasterState,
  goal: HandOverGoal,
  now: Milliseconds,
  priority = state.priority
): Step {
  const until = now + handOverWait(router)
  return begun(state, { goal, until, priority, lastWordsUntil: now })
}

/**
 * Offers the addresses to a weaker master. It may be none any more: who hears our advertisement gives
 * way with a last one of its own. So what comes soon after ours does not count, but a master goes on
 * to advertise (docs/decisions/0021-the-loser-speaks-last.md).
 */
export function offerToMaster(
  router: ElectionSettings,
  state: MasterState,
  { adverInterval }: HeardEvent,
  now: Milliseconds
): Step {
  const until = now + offerWait(router, adverInterval)
  const advertisedAt = state.adverAt - router.adverInterval
  const lastWordsUntil = Math.max(now, advertisedAt + router.adverInterval / 2)
  return begun(state, { goal: 'backup', until, priority: state.priority, lastWordsUntil })
}

function begun(state: MasterState, handOver: HandOver): Step {
  return { state: { ...state, handOver }, actions: [RESIGN], reason: 'hand-over-begun' }
}

/**
 * Whoever advertises now is the new master, whatever its priority. One that is stronger than we were has
 * not waited for us: it was master before, and has to hear that there were two.
 */
export function heardInHandOver(
  router: ElectionSettings,
  state: MasterState,
  handOver: HandOver,
  event: HeardEvent,
  now: Milliseconds
): Step {
  // Priority 0 is no new master: the other one is leaving as well.
  if (event.priority === 0) return stay(state)
  if (now < handOver.lastWordsUntil && !outranks(event, router, state.priority)) return stay(state)
  const actions: readonly Action[] = outranks(event, router, handOver.priority)
    ? [{ kind: 'advertise', priority: state.priority }]
    : []
  if (handOver.goal === 'initialize') return becomeInitialize(state, 'hand-over-answered', actions)
  return becomeBackup(router, state, now, 'hand-over-answered', {
    actions,
    masterAdverInterval: event.adverInterval
  })
}

export function handOverTimer(
  router: ElectionSettings,
  state: MasterState,
  { until, goal }: HandOver,
  now: Milliseconds
): Step {
  if (now < until) return stay(state)
  // Said once more: the first may have been lost, or whoever has just come within reach takes itself for
  // the only master.
  if (goal === 'initialize') return becomeInitialize(state, 'hand-over-unanswered', [RESIGN])
  // Half a service beats none: nobody took over, so we go on with our lowered priority.
  return goOn(router, state, now, 'hand-over-unanswered')
}

/** No advertisement is sent on a mere change of priority: neighbours learn it at the next tick. */
export function handOverConditions(
  router: ElectionSettings,
  from: MasterState,
  to: MasterState,
  now: Milliseconds
): Step {
  if (!router.makesBeforeBreak || to.handOver?.goal === 'initialize') return stay(to)
  if (from.serviceUp && !to.serviceUp)
    return beginHandOver(router, to, 'backup', now, from.priority)
  if (to.handOver && to.serviceUp) return goOn(router, to, now, 'hand-over-cancelled')
  return stay(to)
}

function goOn(
  router: ElectionSettings,
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
