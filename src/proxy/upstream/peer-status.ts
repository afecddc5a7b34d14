import type { UpstreamServer } from '../model.js'
import {
  NO_SILENCE,
  breakSilence,
  isConvincing,
  lengthen,
  type Awaited,
  type Silence
} from './silence.js'

/**
 * How a peer failed, which says how it is asked whether it has recovered: it took no connection; it
 * kept its clients waiting until they left; or it answered badly, too late, or not to the end.
 */
export type FailureCause = 'connect' | 'silent' | 'answer'

/** What the status of a peer depends on besides its events. */
export type FailureRules = Pick<UpstreamServer, 'maxFails' | 'failTimeoutMs' | 'recovery'>

/** What was learned about a peer. */
export type PeerEvent =
  | {
      readonly kind: 'failed'
      readonly at: number
      readonly cause: Exclude<FailureCause, 'silent'>
    }
  /** A request that was sent at `startedAt` was answered. */
  | { readonly kind: 'succeeded'; readonly at: number; readonly startedAt: number }
  /** A live request is sent to a disabled peer whose fail_timeout is over. */
  | { readonly kind: 'probed'; readonly at: number }
  /** A client gave up at `at` after waiting since `since` for a peer that said nothing. */
  | {
      readonly kind: 'abandoned'
      readonly at: number
      readonly since: number
      readonly awaited: Awaited
    }
  /** Of a silent peer: it took a connection, or began an answer. */
  | { readonly kind: 'heard'; readonly at: number; readonly awaited: Awaited }
  /** The director asked a disabled peer, and it was well. */
  | { readonly kind: 'recovered' }
  /** An administrator says that it is well. */
  | { readonly kind: 'trusted' }
  /** The status of the director's regular check has changed. */
  | { readonly kind: 'checked'; readonly isUp: boolean }

/**
 * nginx's passive checks (ngx_http_upstream_round_robin.c): `max_fails` failures with no gap longer
 * than `fail_timeout` disable a peer. Then nginx waits for `fail_timeout` and makes one live request
 * the probe (`recovery: request`); here the director asks the peer itself, and the peer stays
 * disabled until it is well (`recovery: probe`).
 *
 * Differs from nginx in its clock: nginx compares whole seconds, so that 3 s means 3 to 4 s. Here
 * `fail_timeout` is exact. And a success counts for a disabled peer only if its request was sent
 * after the last failure or probe, so that an old slow answer cannot clear what happened since.
 */
export interface PeerStatus {
  /** Failures counted since the last reset. */
  readonly fails: number
  /** Instant of the last failure, milliseconds of CLOCK_MONOTONIC. */
  readonly accessedAt: number
  /** Instant of the last failure or probe. */
  readonly checkedAt: number
  /** Of the last failure. */
  readonly cause: FailureCause
  /** Clients in a row that gave up while it did not take their connection. */
  readonly unconnected: Silence
  /** Clients in a row that gave up while it had their request and said nothing. */
  readonly unanswered: Silence
  /** Taken out by the director's regular check. */
  readonly isDown: boolean
}

/** A peer of which nothing bad is known. */
export const HEALTHY: PeerStatus = {
  fails: 0,
  accessedAt: 0,
  checkedAt: 0,
  cause: 'answer',
  unconnected: NO_SILENCE,
  unanswered: NO_SILENCE,
  isDown: false
}

/** The status after an event. Returns the same object if the event changes nothing. */
export function applyPeerEvent(
  status: PeerStatus,
  server: FailureRules,
  event: PeerEvent
): PeerStatus {
  switch (event.kind) {
    case 'failed':
      if (server.maxFails === 0 || awaitsProbe(status, server)) return status
      return fail(status, status.fails + 1, event.at, event.cause)
    case 'probed':
      return isProbeDue(status, server, event.at) ? { ...status, checkedAt: event.at } : status
    case 'succeeded':
      return hasRecovered(status, server, event.startedAt) ? wellAgain(status) : status
    case 'abandoned':
      return abandon(status, server, event)
    case 'heard': {
      const key = event.awaited === 'connection' ? 'unconnected' : 'unanswered'
      const silence = breakSilence(status[key], event.at)
      return silence === status[key] ? status : { ...status, [key]: silence }
    }
    case 'recovered':
      return awaitsProbe(status, server) ? wellAgain(status) : status
    case 'trusted':
      return HEALTHY
    case 'checked':
      return event.isUp === !status.isDown ? status : { ...status, isDown: !event.isUp }
  }
}

/** Whether new requests must avoid the peer. */
export function isDisabled(status: PeerStatus, server: FailureRules, now: number): boolean {
  if (status.isDown) return true
  if (status.fails === 0 || server.maxFails === 0 || status.fails < server.maxFails) return false
  return now - status.checkedAt <= liveRequestAfterMs(status, server)
}

/** Whether failures or a check have taken the peer out, and nothing has brought it back yet. */
export function isOut({ isDown, fails }: PeerStatus, { maxFails }: FailureRules): boolean {
  return isDown || (maxFails > 0 && fails >= maxFails)
}

/** A peer that answers some requests badly and the probe never well gets a request this often. */
const BAD_ANSWER_PATIENCE_MS = 30_000
/** One that keeps its clients and the probe waiting. */
const SILENCE_PATIENCE_MS = 300_000

/**
 * How long after the last failure or probe one live request may try a disabled peer. With
 * `recovery: probe` the director will nearly always have found it well before. But its question is
 * `GET /`, and a peer whose `/` is slow or broken must not stay out for ever. Only for a peer that
 * takes no connection the probe knows better than any request.
 */
function liveRequestAfterMs({ cause }: PeerStatus, server: FailureRules): number {
  const { recovery, failTimeoutMs } = server
  if (recovery === 'request') return failTimeoutMs
  switch (cause) {
    case 'connect':
      return Infinity
    case 'silent':
      return Math.max(SILENCE_PATIENCE_MS, failTimeoutMs)
    case 'answer':
      return Math.max(BAD_ANSWER_PATIENCE_MS, failTimeoutMs)
  }
}

/** Whether failures have disabled the peer until the director finds it well. */
export function awaitsProbe(status: PeerStatus, server: FailureRules): boolean {
  return server.recovery === 'probe' && server.maxFails > 0 && status.fails >= server.maxFails
}

/**
 * Whether a request sent now tells whether the peer has recovered: nginx refreshes `checked` when
 * it picks a peer whose last check is longer ago than `fail_timeout`.
 */
export function isProbeDue(status: PeerStatus, server: FailureRules, now: number): boolean {
  const afterMs = awaitsProbe(status, server)
    ? liveRequestAfterMs(status, server)
    : server.failTimeoutMs
  return status.fails > 0 && now - status.checkedAt > afterMs
}

function hasRecovered(status: PeerStatus, server: FailureRules, startedAt: number): boolean {
  if (status.fails === 0 || startedAt < status.checkedAt) return false
  return awaitsProbe(status, server) || status.accessedAt < status.checkedAt
}

function abandon(
  status: PeerStatus,
  server: FailureRules,
  event: Extract<PeerEvent, { kind: 'abandoned' }>
): PeerStatus {
  const { at, since, awaited } = event
  if (server.maxFails === 0 || isDisabled(status, server, at)) return status
  const key = awaited === 'connection' ? 'unconnected' : 'unanswered'
  const silence = lengthen(status[key], since, at)
  if (!isConvincing(silence, server.maxFails)) return { ...status, [key]: silence }
  const fails = Math.max(status.fails, server.maxFails)
  return fail(status, fails, at, awaited === 'connection' ? 'connect' : 'silent')
}

function fail(status: PeerStatus, fails: number, at: number, cause: FailureCause): PeerStatus {
  const { isDown } = status
  return { ...HEALTHY, fails, accessedAt: at, checkedAt: at, cause, isDown }
}

function wellAgain(status: PeerStatus): PeerStatus {
  return status.isDown ? { ...HEALTHY, isDown: true } : HEALTHY
}
