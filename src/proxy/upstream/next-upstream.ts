import type { NextUpstreamCondition } from '../model.js'

/**
 * Whether a failed request goes to the next upstream server: nginx's `proxy_next_upstream`
 * (ngx_http_upstream_next and ngx_http_upstream_test_next), as a pure decision.
 */

/** Why an attempt failed, in nginx's words. */
export type FailureKind = Exclude<NextUpstreamCondition, 'non_idempotent'>

/** Everything the decision depends on. */
export interface Situation {
  readonly kind: FailureKind
  readonly method: string
  /** Whether the first byte of the request was handed to a connected socket. */
  readonly requestSent: boolean
  /** Whether what was sent of the body is still there to be sent again. */
  readonly isReplayable: boolean
  /** Whether a server is left that was not tried and is not disabled. */
  readonly hasAnotherPeer: boolean
  /** Attempts made so far, 1 or more. */
  readonly attempts: number
  /** `proxy_next_upstream_tries`; 0 is no limit. */
  readonly maxAttempts: number
  /** Since the request began to be proxied. */
  readonly elapsedMs: number
  /** `proxy_next_upstream_timeout`; 0 is no limit. */
  readonly timeoutMs: number
  readonly conditions: ReadonlySet<NextUpstreamCondition>
}

/** Whether the request is sent to another server. */
export function mayTryNext(situation: Situation): boolean {
  const { kind, method, requestSent, conditions } = situation
  if (!conditions.has(kind)) return false
  if (!situation.hasAnotherPeer) return false
  if (situation.maxAttempts > 0 && situation.attempts >= situation.maxAttempts) return false
  if (situation.timeoutMs > 0 && situation.elapsedMs >= situation.timeoutMs) return false
  if (!requestSent) return true
  if (!situation.isReplayable) return false
  return isIdempotent(method) || conditions.has('non_idempotent')
}

/**
 * Whether the retry after a failure is bounded by the retry budget: where the attempt before it has
 * put its load on a server, and nothing else bounds how many such attempts follow. Nothing was sent to
 * a server that took no connection. One that breaks its connections or answers nobody is out after
 * max_fails of them; the requests that it had may all go on, so that a server that dies takes none of
 * them with it.
 */
export function isBoundedRetry(kind: FailureKind, requestSent: boolean, maxFails: number): boolean {
  if (!requestSent) return false
  const isGone = kind === 'error' || kind === 'timeout'
  return !isGone || maxFails === 0
}

/**
 * Whether an attempt that failed counts against its peer (nginx's `max_fails`): every failure before
 * a valid head does; a status only if the request moved on because of it, and 403 and 404 never.
 */
export function countsAgainstPeer(kind: FailureKind, movedOn: boolean): boolean {
  switch (kind) {
    case 'error':
    case 'timeout':
    case 'invalid_header':
      return true
    case 'http_403':
    case 'http_404':
      return false
    case 'http_429':
    case 'http_500':
    case 'http_502':
    case 'http_503':
    case 'http_504':
      return movedOn
  }
}

/** The methods that nginx does not repeat once they were sent are POST, LOCK and PATCH. */
export function isIdempotent(method: string): boolean {
  return method !== 'POST' && method !== 'LOCK' && method !== 'PATCH'
}

/** The condition that a response status stands for, or null if it is none. */
export function conditionOfStatus(status: number): FailureKind | null {
  switch (status) {
    case 500:
      return 'http_500'
    case 502:
      return 'http_502'
    case 503:
      return 'http_503'
    case 504:
      return 'http_504'
    case 403:
      return 'http_403'
    case 404:
      return 'http_404'
    case 429:
      return 'http_429'
    default:
      return null
  }
}
