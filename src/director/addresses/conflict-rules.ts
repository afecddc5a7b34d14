/**
 * What is done when another machine claims a virtual address. Pure: what was seen and when come in, what
 * has to be done comes out (RFC 5227, docs/decisions/0026-address-care.md, 0039-claims-of-a-partner.md).
 */

type Milliseconds = number

/** Another director that has to let go may answer for the addresses, and announce them, this long. */
const HAND_OVER_OVERLAP: Milliseconds = 300
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
  /** Until when another director may claim the addresses: it was master, and needs a moment to let go. */
  readonly overlapUntil: Milliseconds
  /** Whether it did, so that neighbours may believe it. */
  readonly isOverlapped: boolean
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
  /** Another director advertised. */
  | { readonly kind: 'rival' }
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
  overlapUntil: -Infinity,
  isOverlapped: false,
  defendedAt: -Infinity,
  told: new Map(),
  claims: 0,
  probing: null,
  isClaimed: false
}

/** When a `timer` event will next change something; null while nothing is awaited. */
export function nextConflictDeadline(state: ConflictState): Milliseconds | null {
  const deadlines = [
    ...(state.isOverlapped ? [state.overlapUntil] : []),
    ...(state.probing === null ? [] : [probingDeadline(state)])
  ]
  return state.masterSince === null || deadlines.length === 0 ? null : Math.min(...deadlines)
}

function probingDeadline({ masterSince, probing }: ConflictState): Milliseconds {
  return (masterSince ?? Infinity) + (probing === 'second-probe' ? SECOND_PROBE : PROBES_ANSWERED)
}

export function stepConflict(
  state: ConflictState,
  event: ConflictEvent,
  now: Milliseconds
): ConflictStep {
  switch (event.kind) {
    case 'mastery':
      return mastery(state, event.isMaster, event.hasPredecessor, now)
    case 'rival':
      return { state: rival(state, now), actions: [] }
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
  if (!isMaster) {
    const over = { masterSince: null, probing: null, isOverlapped: false }
    return { state: { ...state, ...over }, actions: [] }
  }
  return {
    state: {
      ...state,
      masterSince: now,
      // Where none was heard, nobody may answer.
      overlapUntil: hasPredecessor ? now + HAND_OVER_OVERLAP : -Infinity,
      isOverlapped: false,
      probing: 'second-probe',
      isClaimed: false
    },
    actions: [{ kind: 'probe' }]
  }
}

/** It was master too, or is about to let go; one that goes on is given no more time for what it has claimed. */
function rival(state: ConflictState, now: Milliseconds): ConflictState {
  if (state.masterSince === null || state.isOverlapped || now < state.overlapUntil) return state
  return { ...state, overlapUntil: now + HAND_OVER_OVERLAP }
}

function claim(
  state: ConflictState,
  address: string,
  mac: string,
  now: Milliseconds
): ConflictStep {
  if (state.masterSince === null) return { state, actions: [] }
  // The other director hears our advertisement and lets go.
  if (now < state.overlapUntil) return { state: { ...state, isOverlapped: true }, actions: [] }
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
  if (state.masterSince === null) return { state, actions: [] }
  const actions: ConflictAction[] = []
  let { isOverlapped, probing } = state
  if (isOverlapped && now >= state.overlapUntil) {
    // What it announced last stands behind what we announced when we became master, or answered it.
    actions.push({ kind: 'defend' })
    isOverlapped = false
  }
  if (probing !== null && now >= probingDeadline(state)) {
    if (probing === 'second-probe') actions.push({ kind: 'probe' })
    else if (!state.isClaimed) actions.push({ kind: 'unclaimed' })
    probing = probing === 'second-probe' ? 'result' : null
  }
  return { state: { ...state, isOverlapped, probing }, actions }
}

/** Forgets machines that may be told anew. False when there is still no room for another. */
function makeRoom(told: Map<string, Told>, now: Milliseconds): boolean {
  if (told.size >= MOST_MACHINES)
    for (const [key, { at }] of told) if (now - at >= TELL_AGAIN) told.delete(key)
  return told.size < MOST_MACHINES
}
