import type { VirtualRouter } from '../../src/vrrp/model.js'
import { receive, type Verdict } from '../../src/vrrp/receive.js'
import { ReplayMemory } from '../../src/vrrp/stamp.js'
import { CAPTURED_AT } from './golden-routers.js'

/** The verdict of a router that has heard nothing yet. */
export function judge(
  router: VirtualRouter,
  packet: Uint8Array,
  wallTime: number = CAPTURED_AT
): Verdict {
  return receive(router, packet, new ReplayMemory(router.destination), wallTime)
}

/** In a word: the reason of the discard, or what was accepted. */
export function verdictOf(
  router: VirtualRouter,
  packet: Uint8Array,
  wallTime: number = CAPTURED_AT
): string {
  const verdict = judge(router, packet, wallTime)
  if (!verdict.ok) return verdict.reason
  return verdict.sameAddresses ? 'accepted' : 'accepted, other addresses'
}
