/**
 * What is done when somebody else removes a virtual address from its interface, or adds one. Pure: what
 * happened and when come in, what has to be done comes out (docs/decisions/0026-address-care.md).
 */

type Milliseconds = number

/** An address that is removed again this soon after it was put back has an opponent. */
const SAME_OPPONENT: Milliseconds = 10_000
const FIRST_HOLD_OFF: Milliseconds = 60_000
const LONGEST_HOLD_OFF: Milliseconds = 600_000
/** The kernel's messages of our own last changes may come this much later. */
const LATE_MESSAGES: Milliseconds = 1000

/** What does not change. */
export interface CareSetting {
  /** After leaving the election: by then another director has become master, if there is one. */
  readonly answerWithin: Milliseconds
  /** A master that was not heard for this long is not there any more. */
  readonly masterDownInterval: Milliseconds
}

export interface CareState {
  readonly isMaster: boolean
  readonly leftMasterAt: Milliseconds
  /** Addresses that the kernel showed us on their interfaces since we became master. */
  readonly present: ReadonlySet<string>
  /** Addresses that somebody else put on our interfaces while we are not master. */
  readonly foreign: ReadonlySet<string>
  readonly putBackAt: ReadonlyMap<string, Milliseconds>
  /** Length of the last hold-off, and when it ends or ended: a director yields at most once in it. */
  readonly holdOff: Milliseconds
  readonly holdOffUntil: Milliseconds
  /** Set while we have left the election: when we come back because nobody is heard. */
  readonly aloneAt: Milliseconds | null
}

export type CareEvent =
  | { readonly kind: 'mastery'; readonly isMaster: boolean }
  | { readonly kind: 'added'; readonly address: string }
  /** `hasExpired`: the lease had run out, so that it was the kernel. */
  | { readonly kind: 'removed'; readonly address: string; readonly hasExpired: boolean }
  /** Another director advertised itself as master, with a priority above 0. */
  | { readonly kind: 'heard' }
  /** A deadline may have passed; early ones change nothing. */
  | { readonly kind: 'timer' }

export type CareAction =
  | { readonly kind: 'put-back'; readonly address: string }
  /** Leave the election. `after` is how long ago the address was put back; null for the same hold-off going on. */
  | {
      readonly kind: 'yield'
      readonly address: string | null
      readonly after: Milliseconds | null
      readonly holdOff: Milliseconds
    }
  /** Take part in the election again. */
  | { readonly kind: 'return'; readonly why: 'hold-off-over' | 'nobody-heard' }
  /** The kernel ended the lease of an address: we were paused, or `ip` failed. */
  | { readonly kind: 'expired'; readonly address: string }
  /** Somebody else gave us an address that another director holds. */
  | { readonly kind: 'foreign'; readonly address: string }
  | { readonly kind: 'foreign-gone'; readonly address: string }

export interface CareStep {
  readonly state: CareState
  readonly actions: readonly CareAction[]
}

export const FRESH_CARE: CareState = {
  isMaster: false,
  leftMasterAt: -Infinity,
  present: new Set(),
  foreign: new Set(),
  putBackAt: new Map(),
  holdOff: 0,
  holdOffUntil: -Infinity,
  aloneAt: null
}

/** When a `timer` event will next change something; null while nothing is awaited. */
export function nextCareDeadline(state: CareState): Milliseconds | null {
  return state.aloneAt === null ? null : Math.min(state.aloneAt, state.holdOffUntil)
}

export function stepCare(
  setting: CareSetting,
  state: CareState,
  event: CareEvent,
  now: Milliseconds
): CareStep {
  switch (event.kind) {
    case 'mastery':
      if (event.isMaster === state.isMaster) return stay(state)
      return stay(
        event.isMaster
          ? { ...state, isMaster: true, present: state.foreign, foreign: new Set() }
          : { ...state, isMaster: false, present: new Set(), leftMasterAt: now }
      )
    case 'added':
      return added(state, event.address, now)
    case 'removed':
      return removed(setting, state, event.address, event.hasExpired, now)
    case 'heard':
      return heard(setting, state, now)
    case 'timer':
      return timer(state, now)
  }
}

function added(state: CareState, address: string, now: Milliseconds): CareStep {
  if (state.isMaster) return stay({ ...state, present: withMember(state.present, address) })
  if (state.foreign.has(address) || now - state.leftMasterAt < LATE_MESSAGES) return stay(state)
  const foreign = withMember(state.foreign, address)
  return { state: { ...state, foreign }, actions: [{ kind: 'foreign', address }] }
}

function removed(
  setting: CareSetting,
  state: CareState,
  address: string,
  hasExpired: boolean,
  now: Milliseconds
): CareStep {
  if (state.foreign.has(address)) {
    const foreign = withoutMember(state.foreign, address)
    return { state: { ...state, foreign }, actions: [{ kind: 'foreign-gone', address }] }
  }
  // What the kernel has not shown us yet is what we removed when we were master before.
  if (!state.isMaster || !state.present.has(address)) return stay(state)
  const next = { ...state, present: withoutMember(state.present, address) }
  if (hasExpired) return { state: next, actions: [{ kind: 'expired', address }] }
  // Handing over: until the partner takes it, the address serves here.
  if (state.aloneAt !== null) return { state: next, actions: [{ kind: 'put-back', address }] }
  const after = now - (state.putBackAt.get(address) ?? -Infinity)
  // Half a service beats none: in this hold-off nobody was there to take over.
  if (after >= SAME_OPPONENT || now < state.holdOffUntil) {
    const putBackAt = new Map(state.putBackAt).set(address, now)
    return { state: { ...next, putBackAt }, actions: [{ kind: 'put-back', address }] }
  }
  // Whoever had peace for a long time begins with the short one again.
  const hadPeace = now - state.holdOffUntil >= LONGEST_HOLD_OFF
  const holdOff = hadPeace ? FIRST_HOLD_OFF : Math.min(2 * state.holdOff, LONGEST_HOLD_OFF)
  return {
    state: {
      ...next,
      putBackAt: new Map(),
      holdOff,
      holdOffUntil: now + holdOff,
      aloneAt: now + setting.answerWithin
    },
    actions: [
      { kind: 'yield', address, after, holdOff },
      { kind: 'put-back', address }
    ]
  }
}

function heard(setting: CareSetting, state: CareState, now: Milliseconds): CareStep {
  const aloneAt = now + setting.masterDownInterval
  if (state.aloneAt !== null) return stay({ ...state, aloneAt })
  if (state.isMaster || now >= state.holdOffUntil) return stay(state)
  // We came back because nobody was heard, and are not master yet: now there is somebody.
  const holdOff = state.holdOffUntil - now
  return {
    state: { ...state, aloneAt },
    actions: [{ kind: 'yield', address: null, after: null, holdOff }]
  }
}

function timer(state: CareState, now: Milliseconds): CareStep {
  if (state.aloneAt === null) return stay(state)
  const back = { ...state, aloneAt: null }
  if (now >= state.holdOffUntil)
    return { state: back, actions: [{ kind: 'return', why: 'hold-off-over' }] }
  if (now >= state.aloneAt)
    return { state: back, actions: [{ kind: 'return', why: 'nobody-heard' }] }
  return stay(state)
}

function stay(state: CareState): CareStep {
  return { state, actions: [] }
}

function withMember(set: ReadonlySet<string>, member: string): ReadonlySet<string> {
  return set.has(member) ? set : new Set(set).add(member)
}

function withoutMember(set: ReadonlySet<string>, member: string): ReadonlySet<string> {
  return new Set([...set].filter((each) => each !== member))
}
