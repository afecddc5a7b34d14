/**
 * What is done when another machine claims a virtual address. Pure: what was seen and when come in, what
 * has to be done comes out (RFC 5227, docs/decisions/0026-address-care.md).
 */

type Milliseconds = number

/** The old master may answer for the addresses this long after we became master. */
export const HAND_OVER_OVERLAP: Milliseconds = 300
/** When the addresses are asked for once more, and when the result of both questions is told. */
const SECOND_PROBE: Milliseconds = 350
const PROBES_ANSWERED: Milliseconds = 1000
/** DEFEND_INTERVAL of RFC 5227 §1.1. */
const DEFEND_INTERVAL: Milliseconds = 10_000
const TELL_AGAIN: Milliseconds = 600_000
/** Machines that are told apart; what more of them do is counted. */
const MOST_MACHINES = 64

interface Told {
  readonly at: Milliseconds
  /** Claims that were seen since. */
  readonly unsaid: number
}

export interface ConflictState {
  /** Null while we are not master. */
  readonly masterSince: Milliseconds | null
  /** Whether another director was heard before we became master: it needs a moment to let go. */
  readonly hasPredecessor: boolean
  readonly defendedAt: Milliseconds
  /** By `mac address`. */
  readonly told: ReadonlyMap<string, Told>
  /** Claims of others seen while we were master, over all. */
  readonly claims: number
  /** What is still to be done for the probes of this mastery. */
  readonly probing: 'second-probe' | 'result' | null
  /** Whether another machine claimed an address since we became master. */
  readonly isClaimed: boolean
}

export type ConflictEvent =
  | { readonly kind: 'mastery'; readonly isMaster: boolean; readonly hasPredecessor: boolean }
  /** A frame of another machine in which it claims one of our addresses. */
  | { readonly kind: 'claim'; readonly address: string; readonly mac: string }
  /** A deadline may have passed; early ones change nothing. */
  | { readonly kind: 'timer' }

export type ConflictAction =
  | { readonly kind: 'probe' }
  /** Announce the addresses once (RFC 5227 §2.4). */
  | { readonly kind: 'defend' }
  | {
      readonly kind: 'tell'
      readonly address: string
      readonly mac: string
      /** Claims of this machine since it was last told. */
      readonly count: number
    }
  /** Both probes are over and no machine claimed an address after our predecessor let go. */
  | { readonly kind: 'unclaimed' }

export interface ConflictStep {
  readonly state: ConflictState
  readonly actions: readonly ConflictAction[]
}

export const NO_CONFLICT: ConflictState = {
  masterSince: null,
  hasPredecessor: false,
  defendedAt: -Infinity,
  told: new Map(),
  claims: 0,
  probing: null,
  isClaimed: false
}

/** When a `timer` event will next change something; null while nothing is awaited. */
export function nextConflictDeadline(state: ConflictState): Milliseconds | null {
  if (state.masterSince === null || state.probing === null) return null
  return state.masterSince + (state.probing === 'second-probe' ? SECOND_PROBE : PROBES_ANSWERED)
}

export function stepConflict(
  state: ConflictState,
  event: ConflictEvent,
  now: Milliseconds
): ConflictStep {
  switch (event.kind) {
    case 'mastery':
      return mastery(state, event.isMaster, event.hasPredecessor, now)
    case 'claim':
      return claim(state, event.address, event.mac, now)
    case 'timer':
      return timer(state, now)
  }
}

function mastery(
  state: ConflictState,
  isMaster: boolean,
  hasPredecessor: boolean,
  now: Milliseconds
): ConflictStep {
  if (isMaster === (state.masterSince !== null)) return { state, actions: [] }
  if (!isMaster) return { state: { ...state, masterSince: null, probing: null }, actions: [] }
  return {
    state: {
      ...state,
      masterSince: now,
      hasPredecessor,
      probing: 'second-probe',
      isClaimed: false
    },
    actions: [{ kind: 'probe' }]
  }
}

function claim(
  state: ConflictState,
  address: string,
  mac: string,
  now: Milliseconds
): ConflictStep {
  if (state.masterSince === null) return { state, actions: [] }
  // The predecessor hears our first advertisement and lets go. Where none was heard, nobody may answer.
  const mayOverlap = state.hasPredecessor && now < state.masterSince + HAND_OVER_OVERLAP
  if (mayOverlap) return { state, actions: [] }
  const actions: ConflictAction[] = []
  const key = `${mac} ${address}`
  const told = new Map(state.told)
  const before = told.get(key)
  if (before && now - before.at < TELL_AGAIN) {
    told.set(key, { ...before, unsaid: before.unsaid + 1 })
  } else if (before || makeRoom(told, now)) {
    actions.push({ kind: 'tell', address, mac, count: (before?.unsaid ?? 0) + 1 })
    told.set(key, { at: now, unsaid: 0 })
  }
  const isDefending = now - state.defendedAt >= DEFEND_INTERVAL
  if (isDefending) actions.push({ kind: 'defend' })
  return {
    state: {
      ...state,
      told,
      claims: state.claims + 1,
      defendedAt: isDefending ? now : state.defendedAt,
      isClaimed: true
    },
    actions
  }
}

function timer(state: ConflictState, now: Milliseconds): ConflictStep {
  const deadline = nextConflictDeadline(state)
  if (deadline === null || now < deadline) return { state, actions: [] }
  if (state.probing === 'second-probe')
    return { state: { ...state, probing: 'result' }, actions: [{ kind: 'probe' }] }
  return {
    state: { ...state, probing: null },
    actions: state.isClaimed ? [] : [{ kind: 'unclaimed' }]
  }
}

/** Forgets machines that may be told anew. False when there is still no room for another. */
function makeRoom(told: Map<string, Told>, now: Milliseconds): boolean {
  if (told.size >= MOST_MACHINES)
    for (const [key, { at }] of told) if (now - at >= TELL_AGAIN) told.delete(key)
  return told.size < MOST_MACHINES
}
