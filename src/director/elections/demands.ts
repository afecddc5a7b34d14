import type { VirtualRouterConfig } from '../../config/model.js'
import { handsOverBeforeFault, type RouterConditions } from './conditions.js'
import type { FaultStatus } from './faults.js'

/** What is known of a virtual router's own standing, besides everything that it follows. */
export interface Standing {
  /** Its addresses can be added to the interface. */
  readonly canHold: boolean
  /** Somebody takes its addresses away again and again. */
  readonly isYielding: boolean
  /** Its interface, or another one with an address of it, is gone. */
  readonly isGone: boolean
  /** It is a master that waits for the partner to take over. */
  readonly isHandingOver: boolean
  /** An administrator has asked it to give its addresses to the partner. */
  readonly isLeaving: boolean
}

/** What all of that demands of its state machine. */
export interface Demands {
  /** False when the addresses are to be handed over. */
  readonly serves: boolean
  readonly faults: {
    readonly link: FaultStatus
    readonly tracker: FaultStatus
    readonly addresses: FaultStatus
  }
}

/**
 * Where a virtual router makes before it breaks, a fault of what it tracks, or an address that somebody
 * takes away, first leads to a hand-over; the fault follows when that is over. Everything else is a
 * fault at once.
 */
export function demandsOf(
  config: VirtualRouterConfig,
  { serviceUp, faults }: RouterConditions,
  { canHold, isYielding, isGone, isHandingOver, isLeaving }: Standing
): Demands {
  const makesBeforeBreak = config.handOver === 'make-before-break'
  const tracked = faults.filter(({ cause }) => cause !== 'own-interface')
  const hasTracked = tracked.length > 0
  const waits = isHandingOver && handsOverBeforeFault(config, faults)
  const isAwaited = tracked.every((fault) => fault.isAwaited)
  return {
    serves: serviceUp && !(makesBeforeBreak && (isYielding || isLeaving || hasTracked)),
    faults: {
      link: tracked.length < faults.length || isGone,
      tracker: hasTracked && !waits && (isAwaited ? 'awaited' : true),
      addresses: !canHold || (isYielding && !makesBeforeBreak)
    }
  }
}
