import type { CompiledRoute } from './site.js'
import type { Admission } from './upstream/admission.js'
import type { Attempt } from './upstream/attempt.js'
import { isBoundedRetry, mayTryNext, type FailureKind } from './upstream/next-upstream.js'

/** What is known of a request when an attempt of it has failed. */
export interface RequestState {
  readonly route: CompiledRoute
  readonly admission: Admission
  readonly method: string
  /** Whether what was sent of its body is still there to be sent again. */
  readonly isReplayable: boolean
  /** Since when it is proxied, and now. */
  readonly startedAt: number
  readonly now: number
  /** Attempts that were made, also those at another address of the same peer. */
  readonly attempts: number
}

/** Whether the peer, whose name has several addresses, may be tried at another one of them. */
export function hasOtherAddress(attempt: Attempt, kind: FailureKind, state: RequestState): boolean {
  const { route, now } = state
  if (attempt.isRequestSent || !route.conditions.has(kind)) return false
  const { nextUpstreamTries, nextUpstreamTimeoutMs } = route.config
  if (nextUpstreamTries > 0 && state.attempts >= nextUpstreamTries) return false
  const isLate = nextUpstreamTimeoutMs > 0 && now - state.startedAt >= nextUpstreamTimeoutMs
  if (isLate) return false
  const { peer, target } = attempt
  return peer.addresses.avoid(target, now + peer.server.failTimeoutMs, now)
}

/** Whether the request goes on to another peer. To be asked last before it does. */
export function mayGoOn(attempt: Attempt, kind: FailureKind, state: RequestState): boolean {
  const { route, admission, now } = state
  const requestSent = attempt.isRequestSent
  const isAllowed = mayTryNext({
    kind,
    method: state.method,
    requestSent,
    isReplayable: state.isReplayable,
    hasAnotherPeer: admission.hasNext(requestSent, now),
    attempts: admission.attempts,
    maxAttempts: route.config.nextUpstreamTries,
    elapsedMs: now - state.startedAt,
    timeoutMs: route.config.nextUpstreamTimeoutMs,
    conditions: route.conditions
  })
  const { maxFails } = attempt.peer.server
  return isAllowed && admission.affords(isBoundedRetry(kind, requestSent, maxFails), now)
}
