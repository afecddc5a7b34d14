import type { LogNews } from './log-file.js'
import type { ProxyConfig } from './model.js'
import type { TrafficReport } from './traffic-cells.js'
import type { PeerEvent, PeerStatus } from './upstream/peer-status.js'
import type { PeerWish } from './upstream/peer-wish.js'

/**
 * The messages between the director process and a proxy worker. A peer is named by its index: all
 * servers of all upstreams counted in the order of the configuration, from 0. Instants are
 * milliseconds of CLOCK_MONOTONIC, which all processes of a machine share.
 */

/**
 * Version of these messages and of the configuration in them: to be raised with every change that an
 * older director or worker would get wrong. A new version of tsha may be installed while a director runs,
 * whose next workers have the new code.
 */
export const PROTOCOL = 1

/** What the director tells a worker. */
export type DirectorMessage =
  | {
      readonly type: 'start'
      readonly config: ProxyConfig
      /** A request that carries this token in `X-Tsha-Check` is the service check of the director. */
      readonly checkToken: string
      readonly peers: readonly PeerStatus[]
      /** What an administrator wants of each peer. */
      readonly wishes: readonly PeerWish[]
      /** Every host name of a server that has been resolved so far. */
      readonly names: readonly ResolvedName[]
    }
  /** A host name has other addresses from now on. */
  | { readonly type: 'name'; readonly name: ResolvedName }
  | { readonly type: 'peer'; readonly index: number; readonly status: PeerStatus }
  | { readonly type: 'wish'; readonly index: number; readonly wish: PeerWish }
  | TurnMessage
  | { readonly type: 'reopen-logs' }
  /**
   * The address goes to the partner in a moment: close each connection after its response. With
   * `isOn` false it stayed: keep them again.
   */
  | { readonly type: 'close-kept'; readonly isOn: boolean }
  /** Finish what runs, at most for `graceMs`, then exit. Sent again it may only shorten the time. */
  | { readonly type: 'shutdown'; readonly graceMs: number }
  | { readonly type: 'ping'; readonly id: number }

/** A host name of upstream servers and its addresses, one or more. */
export interface ResolvedName {
  readonly host: string
  readonly addresses: readonly string[]
}

/**
 * Where the round robin of a group stands: the current weights of its peers, the first of which has
 * this index. Told by the worker that picked, and passed on to all others.
 */
export interface TurnMessage {
  readonly type: 'turn'
  readonly index: number
  readonly currentWeights: readonly number[]
}

/** What a worker tells the director. */
export type WorkerMessage =
  /** The worker's code runs and waits for `start`. */
  | { readonly type: 'ready'; readonly protocol: number }
  | { readonly type: 'listening' }
  /** The worker cannot start; it exits by itself afterwards. */
  | {
      readonly type: 'failed'
      readonly code: 'TSHA_E_LISTEN' | 'TSHA_E_LOG_FILE' | 'TSHA_E_WORKER'
      readonly message: string
    }
  | TurnMessage
  /** A peer that takes no new requests has so many of this worker; told again when it changes. */
  | { readonly type: 'in-flight'; readonly index: number; readonly count: number }
  | { readonly type: 'peer-event'; readonly index: number; readonly event: PeerEvent }
  /** A log takes no lines, or takes them again; standard error is named so. */
  | { readonly type: 'log'; readonly path: string; readonly news: LogNews }
  /** By the configuration of this worker's `start`; at most once a second, and the rest before it exits. */
  | ({ readonly type: 'traffic' } & TrafficReport)
  | { readonly type: 'pong'; readonly id: number }
