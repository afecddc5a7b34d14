import type {
  Action,
  BackupState,
  Conditions,
  FaultCause,
  MasterState,
  Reason,
  State,
  Step,
  ElectionSettings
} from './model.js'
import { OWNER_PRIORITY, masterDownInterval, type Milliseconds } from './timing.js'

/** Nothing is done and nothing told. */
export function stay(state: State): Step {
  return { state, actions: [], reason: null }
}

/** What the outside says; the priority of an owner is its own business. */
export function withConditions<S extends State>(
  router: ElectionSettings,
  state: S,
  { priority, serviceUp }: Conditions
): S {
  return { ...state, priority: router.isOwner ? state.priority : priority, serviceUp }
}

/** How a router becomes backup, where it is not simply by listening for Master_Down_Interval. */
interface Entry {
  readonly actions?: readonly Action[]
  /** Master_Adver_Interval of the master that was heard. */
  readonly masterAdverInterval?: Milliseconds
  /** In the place of Master_Down_Interval. */
  readonly listenFor?: Milliseconds
}

/** Becomes backup. A master gives its addresses up, after what `actions` has. */
export function becomeBackup(
  router: ElectionSettings,
  from: State,
  now: Milliseconds,
  reason: Reason,
  { actions = [], masterAdverInterval = router.adverInterval, listenFor }: Entry = {}
): Step {
  const wait = listenFor ?? masterDownInterval(router, from.priority, masterAdverInterval)
  const state: BackupState = {
    name: 'backup',
    ...conditionsOf(from),
    masterDownAt: now + wait,
    masterResigned: false,
    masterAdverInterval,
    preemptAt: null,
    wantsMaster: false
  }
  return { state, actions: [...actions, ...removal(from)], reason }
}

/**
 * Becomes master. The advertisement goes first, so that the old master drops the addresses before we
 * announce them.
 */
export function becomeMaster(
  router: ElectionSettings,
  from: State,
  now: Milliseconds,
  reason: Reason
): Step {
  const { delay, refresh } = router.announcements
  const priority = router.isOwner ? OWNER_PRIORITY : from.priority
  const state: MasterState = {
    name: 'master',
    priority,
    serviceUp: from.serviceUp,
    adverAt: now + router.adverInterval,
    answerAt: now,
    secondBurst: delay > 0 ? { at: now + delay, kind: 'mastery' } : null,
    refreshAt: refresh > 0 ? now + delay + refresh : null,
    handOver: null,
    rival: null
  }
  const actions: readonly Action[] = [
    { kind: 'advertise', priority },
    { kind: 'add-addresses' },
    { kind: 'announce', announcement: 'mastery' }
  ]
  return { state, actions, reason }
}

/** Leaves the election for a fault; a master says so, whatever it advertised before. */
export function becomeFaulty(from: State, cause: FaultCause): Step {
  return {
    state: { name: 'fault', ...conditionsOf(from), cause },
    actions: [...(from.name === 'master' ? [RESIGN] : []), ...removal(from)],
    reason: 'fault'
  }
}

/** Ends. A master gives its addresses up, after what `actions` has. */
export function becomeInitialize(
  from: State,
  reason: Reason,
  actions: readonly Action[] = []
): Step {
  return {
    state: { name: 'initialize', ...conditionsOf(from) },
    actions: [...actions, ...removal(from)],
    reason
  }
}

/** Priority 0: we stop to be master (RFC 3768 §5.3.4). */
export const RESIGN: Action = { kind: 'advertise', priority: 0 }

function removal(from: State): readonly Action[] {
  return from.name === 'master' ? [{ kind: 'remove-addresses' }] : []
}

function conditionsOf({ priority, serviceUp }: Conditions): Conditions {
  return { priority, serviceUp }
}
