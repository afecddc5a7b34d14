import { nextDeadline, step } from '../../../src/vrrp/machine.js'

/** What is tried: the shipped state machine, or one that was broken on purpose. */
export interface Machine {
  readonly step: typeof step
  readonly nextDeadline: typeof nextDeadline
}

export const SHIPPED: Machine = { step, nextDeadline }
