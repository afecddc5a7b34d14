import type { UpstreamServer } from '../model.js'

/** What one attempt taught about a peer. */
export type PeerEvent =
  | { readonly kind: 'failed'; readonly at: number }
  /** A request that was sent at `startedAt` was answered. */
  | { readonly kind: 'succeeded'; readonly at: number; readonly startedAt: number }
  /** A live request is sent to a disabled peer whose fail_timeout is over. */
  | { readonly kind: 'probed'; readonly at: number }

/**
 * nginx's passive checks (ngx_http_upstream_round_robin.c): `max_fails` failures with no gap longer
 * than `fail_timeout` disable a peer for `fail_timeout`; then one live request is its probe.
 *
 * Differs from nginx in its clock: nginx compares whole seconds, so that 3 s means 3 to 4 s. Here
 * `fail_timeout` is exact. And a success counts for a probed peer only if its request was sent after
 * the probe, so that an old slow answer cannot clear what happened since.
 */
export interface PeerStatus {
  /** Failures counted since the last reset. */
  readonly fails: number
  /** Instant of the last failure, milliseconds of CLOCK_MONOTONIC. */
  readonly accessedAt: number
  /** Instant of the last failure or probe. */
  readonly checkedAt: number
}

/** A peer of which nothing bad is known. */
export const HEALTHY: PeerStatus = { fails: 0, accessedAt: 0, checkedAt: 0 }

/** The status after an event. Returns the same object if the event changes nothing. */
export function applyPeerEvent(
  status: PeerStatus,
  server: UpstreamServer,
  event: PeerEvent
): PeerStatus {
  switch (event.kind) {
    case 'failed':
      if (server.maxFails === 0) return status
      return { fails: status.fails + 1, accessedAt: event.at, checkedAt: event.at }
    case 'probed':
      return isProbeDue(status, server, event.at) ? { ...status, checkedAt: event.at } : status
    case 'succeeded': {
      const wasProbed = status.accessedAt < status.checkedAt && event.startedAt >= status.checkedAt
      return status.fails > 0 && wasProbed ? HEALTHY : status
    }
  }
}

/** Whether new requests must avoid the peer. */
export function isDisabled(status: PeerStatus, server: UpstreamServer, now: number): boolean {
  return (
    server.maxFails > 0 &&
    status.fails >= server.maxFails &&
    now - status.checkedAt <= server.failTimeoutMs
  )
}

/**
 * Whether a request sent now tells whether the peer has recovered: nginx refreshes `checked` when
 * it picks a peer whose last check is longer ago than `fail_timeout`.
 */
export function isProbeDue(status: PeerStatus, server: UpstreamServer, now: number): boolean {
  return status.fails > 0 && now - status.checkedAt > server.failTimeoutMs
}
