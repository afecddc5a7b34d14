import type { Event } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'

/** An advertisement as the receiver's machine is told of it. */
export function advertisement(
  priority: number,
  source: string,
  adverInterval: Milliseconds
): Event {
  return { kind: 'advertisement', priority, source, adverInterval }
}

export const LINK_DOWN: Event = { kind: 'fault', cause: 'link' }
export const LINK_UP: Event = { kind: 'fault-cleared' }
