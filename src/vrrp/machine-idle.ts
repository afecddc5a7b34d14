import {
  becomeBackup,
  becomeFaulty,
  becomeInitialize,
  becomeMaster,
  stay,
  withConditions
} from './machine-moves.js'
import type {
  Event,
  FaultState,
  InitializeState,
  Reason,
  State,
  Step,
  ElectionSettings
} from './model.js'
import { groupStartInterval, type Milliseconds } from './timing.js'

/** Not started (RFC 3768 §6.4.1). */
export function stepInitialize(
  router: ElectionSettings,
  state: InitializeState,
  event: Event,
  now: Milliseconds
): Step {
  switch (event.kind) {
    case 'startup':
      return begin(router, state, now, 'startup')
    case 'fault': {
      const { state: faulty, reason } = becomeFaulty(state, event.cause)
      return { state: faulty, actions: [{ kind: 'remove-addresses' }], reason }
    }
    case 'conditions':
      return stay(withConditions(router, state, event.conditions))
    case 'shutdown':
    case 'timer':
    case 'advertisement':
    case 'fault-cleared':
    case 'addresses-lost':
    case 'announce-again':
    case 'group-master':
    case 'group-backup':
      return stay(state)
  }
}

/** Started, and kept out of the election (keepalived's FAULT). */
export function stepFault(
  router: ElectionSettings,
  state: FaultState,
  event: Event,
  now: Milliseconds
): Step {
  switch (event.kind) {
    case 'fault-cleared':
      // An owner, too: somebody else has the addresses meanwhile (keepalived, measured).
      return becomeBackup(router, state, now, 'fault-cleared')
    case 'shutdown':
      return becomeInitialize(state, 'shutdown')
    case 'conditions':
      return stay(withConditions(router, state, event.conditions))
    case 'startup':
    case 'timer':
    case 'advertisement':
    case 'fault':
    case 'addresses-lost':
    case 'announce-again':
    case 'group-master':
    case 'group-backup':
      return stay(state)
  }
}

/**
 * Nobody but an owner becomes master without having listened for a whole Master_Down_Interval, `state
 * MASTER` or not (keepalived). Addresses of an earlier life are removed first, they are not ours yet.
 */
function begin(router: ElectionSettings, state: State, now: Milliseconds, reason: Reason): Step {
  const { isOwner, startsAsMaster, isGrouped } = router
  // An owner asks nobody, unless it has to wait for the rest of its sync group.
  if (isOwner && startsAsMaster && !isGrouped) return becomeMaster(router, state, now, reason)
  const isEager = isGrouped && startsAsMaster
  return becomeBackup(router, state, now, reason, {
    actions: [{ kind: 'remove-addresses' }],
    ...(isEager ? { listenFor: isOwner ? 0 : groupStartInterval(router) } : {})
  })
}
