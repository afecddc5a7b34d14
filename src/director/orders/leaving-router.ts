import type { VirtualRouterConfig } from '../../config/model.js'
import type { Milliseconds } from '../../vrrp/timing.js'
import type { State } from '../../vrrp/model.js'

/** The last advertisement that passed the receive checks. */
export interface LastHeard {
  readonly source: string
  /** 0 from one that gave its addresses up. */
  readonly priority: number
  /** Monotonic. */
  readonly at: Milliseconds
}

/** A virtual router, as those see it who have it give its addresses away. */
export interface LeavingRouter {
  readonly name: string
  readonly config: VirtualRouterConfig
  readonly state: State
  readonly isHandingOver: boolean
  /** Null when no other director was ever heard. */
  readonly lastHeard: LastHeard | null
}

/**
 * What came of a master: it is none any more; nobody took over, so it goes on; it still waits; or what
 * was done does not concern it.
 */
export type Outcome = 'gone' | 'stays' | 'open' | 'untouched'
