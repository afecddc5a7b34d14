import type { UpstreamServer } from '../model.js'
import { awaitsProbe, type FailureCause, type PeerStatus } from './peer-status.js'

/** How a peer is asked whether it is well. */
export interface Question {
  /** A connection is enough for a peer that took none; others have to answer a request. */
  readonly type: 'tcp' | 'http'
  /** It is not asked before this instant, milliseconds of CLOCK_MONOTONIC. */
  readonly notBefore: number
}

/** Between the beginnings of two probes of one peer. */
export const PROBE_INTERVAL_MS = 500
/** A probe that takes longer has failed. */
export const PROBE_TIMEOUT_MS = 1000

/** Between two questions to a peer under suspicion: a row that convinces is longer than this. */
export const SUSPICION_INTERVAL_MS = 200

/** The probe that a disabled peer needs, or null if it needs none. */
export function recoveryProbe(status: PeerStatus, server: UpstreamServer): Question | null {
  if (!awaitsProbe(status, server)) return null
  return {
    type: status.cause === 'connect' ? 'tcp' : 'http',
    notBefore: status.checkedAt + patienceMs(status.cause, server)
  }
}

/**
 * The question to a peer that is not disabled but has let clients wait: an answer to it forgives
 * what was counted, before there is enough of it. Each sign is worth one question.
 */
export function suspicion(status: PeerStatus, server: UpstreamServer): Question | null {
  if (server.recovery !== 'probe' || awaitsProbe(status, server)) return null
  const { unanswered, unconnected } = status
  if (unanswered.count > 0) return { type: 'http', notBefore: unanswered.lastAt }
  return unconnected.count > 0 ? { type: 'tcp', notBefore: unconnected.lastAt } : null
}

/**
 * A peer that answered badly may answer the probe's harmless request well at any time, so it stays
 * out for the whole fail_timeout. One that took no connection is back when it takes one. And that
 * clients gave up is a sign and no proof: such a peer is asked at once.
 */
function patienceMs(cause: FailureCause, server: UpstreamServer): number {
  switch (cause) {
    case 'answer':
      return server.failTimeoutMs
    case 'connect':
      return Math.min(PROBE_INTERVAL_MS, server.failTimeoutMs)
    case 'silent':
      return 0
  }
}
