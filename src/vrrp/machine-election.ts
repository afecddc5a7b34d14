import { compareAddresses } from './wire/address.js'
import { withSecondBurst } from './machine-announcements.js'
import { offerToMaster } from './machine-hand-over.js'
import { becomeBackup, stay } from './machine-moves.js'
import { outranks } from './machine-rank.js'
import { isCounted, isStubborn, newRival } from './machine-rival.js'
import type { ElectionSettings, Action, HeardEvent, MasterState, Reason, Step } from './model.js'
import { OWNER_PRIORITY, type Milliseconds } from './timing.js'

/** RFC 3768 §6.4.3; who is weaker is answered with an election and an announcement (keepalived). */
export function heardInMaster(
  router: ElectionSettings,
  state: MasterState,
  event: HeardEvent,
  now: Milliseconds
): Step {
  const { priority, source } = event
  if (priority === 0) return answer(router, state, now, 'priority-zero')
  const isEqual = priority === state.priority
  if (isEqual && compareAddresses(source, router.primaryAddress) === 0) {
    // Two machines with one address are a misconfiguration that no election can solve.
    return stay(state)
  }
  const isOwner = isEqual && router.isOwner
  if (outranks(event, router, state.priority)) {
    return giveWay(router, state, event, now, isOwner ? 'two-owners' : 'higher-priority')
  }
  if (isOwner) return heardRival(router, state, event, now)
  // It is master as well, so it may be able to do what we cannot. Between equals that would go on for
  // ever: what it says may be its last word, and then nobody has the addresses.
  if (router.makesBeforeBreak && !state.serviceUp && !isEqual) {
    // Whatever comes of it, the segment has heard two masters.
    const announcing = withSecondBurst(router, state, 'lower-priority', now)
    return offerToMaster(router, announcing, event, now)
  }
  return answer(router, state, now, 'lower-priority')
}

/**
 * Becomes backup without a priority 0: there is a master. One more advertisement, which loses, tells
 * it that there were two, so that it announces the addresses again. A keepalived that speaks first
 * after a healed partition never learns it otherwise.
 */
function giveWay(
  router: ElectionSettings,
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
  router: ElectionSettings,
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
  router: ElectionSettings,
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
