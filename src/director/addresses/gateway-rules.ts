/**
 * When the gateway is asked from the virtual addresses, so that an announcement which was lost does not
 * stay lost. Pure: what happened and when come in, what has to be done comes out
 * (docs/decisions/0026-address-care.md).
 */

type Milliseconds = number

const FIRST_WAIT: Milliseconds = 200
const LONGEST_WAIT: Milliseconds = 5000
const PATIENCE: Milliseconds = 60_000

export interface GatewayState {
  /** Addresses from which the gateway has not answered yet; none while nothing is asked. */
  readonly pending: readonly string[]
  readonly beganAt: Milliseconds
  /** When it is asked again, and how long it was waited for an answer before. */
  readonly askAt: Milliseconds
  readonly wait: Milliseconds
  /** Questions since `beganAt`. */
  readonly questions: number
  /** It was told that the gateway does not answer: told once, until it does. */
  readonly isSilent: boolean
}

export type GatewayEvent =
  /** The addresses were announced. */
  | { readonly kind: 'announced'; readonly addresses: readonly string[] }
  /** The gateway's answer to a question from this address came to us. */
  | { readonly kind: 'answer'; readonly address: string }
  /** The addresses are not ours any more. */
  | { readonly kind: 'cancel' }
  /** A deadline may have passed; early ones change nothing. */
  | { readonly kind: 'timer' }

export type GatewayAction =
  /** Announce all addresses again, once. */
  | { readonly kind: 'announce' }
  | { readonly kind: 'ask'; readonly addresses: readonly string[] }
  /** It answered, but not the first question: worth telling. */
  | {
      readonly kind: 'answered-late'
      readonly questions: number
      readonly after: Milliseconds
    }
  | { readonly kind: 'gave-up'; readonly addresses: readonly string[] }

export interface GatewayStep {
  readonly state: GatewayState
  readonly actions: readonly GatewayAction[]
}

export const NOT_ASKING: GatewayState = {
  pending: [],
  beganAt: 0,
  askAt: 0,
  wait: 0,
  questions: 0,
  isSilent: false
}

/** When a `timer` event will next change something; null while nothing is awaited. */
export function nextGatewayDeadline(state: GatewayState): Milliseconds | null {
  return state.pending.length === 0 ? null : state.askAt
}

export function stepGateway(
  state: GatewayState,
  event: GatewayEvent,
  now: Milliseconds
): GatewayStep {
  switch (event.kind) {
    case 'announced':
      return announced(state, event.addresses, now)
    case 'answer':
      return answer(state, event.address, now)
    case 'cancel':
      return { state: { ...state, pending: [] }, actions: [] }
    case 'timer':
      return timer(state, now)
  }
}

function announced(
  state: GatewayState,
  addresses: readonly string[],
  now: Milliseconds
): GatewayStep {
  if (addresses.length === 0) return { state, actions: [] }
  // Frequent refreshes must not hide that it has not answered for a long time.
  const isWaiting = state.pending.length > 0
  const beganAt = isWaiting ? state.beganAt : now
  return {
    state: {
      ...state,
      pending: addresses,
      beganAt,
      askAt: Math.min(now + FIRST_WAIT, beganAt + PATIENCE),
      wait: FIRST_WAIT,
      questions: isWaiting ? state.questions + 1 : 1
    },
    actions: [{ kind: 'ask', addresses }]
  }
}

function answer(state: GatewayState, address: string, now: Milliseconds): GatewayStep {
  if (!state.pending.includes(address)) return { state, actions: [] }
  const pending = state.pending.filter((each) => each !== address)
  if (pending.length > 0) return { state: { ...state, pending }, actions: [] }
  const isWorthTelling = state.questions > 1 || state.isSilent
  return {
    state: { ...state, pending, isSilent: false },
    actions: isWorthTelling
      ? [{ kind: 'answered-late', questions: state.questions, after: now - state.beganAt }]
      : []
  }
}

function timer(state: GatewayState, now: Milliseconds): GatewayStep {
  const { pending } = state
  if (pending.length === 0 || now < state.askAt) return { state, actions: [] }
  if (now - state.beganAt >= PATIENCE) {
    return {
      state: { ...state, pending: [], isSilent: true },
      actions: state.isSilent ? [] : [{ kind: 'gave-up', addresses: pending }]
    }
  }
  const wait = Math.min(2 * state.wait, LONGEST_WAIT)
  return {
    state: {
      ...state,
      wait,
      askAt: Math.min(now + wait, state.beganAt + PATIENCE),
      questions: state.questions + 1
    },
    actions: [{ kind: 'announce' }, { kind: 'ask', addresses: pending }]
  }
}
