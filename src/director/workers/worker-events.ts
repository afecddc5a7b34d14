import type { PeerEvent } from '../../proxy/upstream/peer-status.js'

/** What a worker can learn of a peer, and the instants that belong to it. */
const INSTANTS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['failed', ['at']],
  ['succeeded', ['at', 'startedAt']],
  ['probed', ['at']],
  ['abandoned', ['at', 'since']],
  ['heard', ['at']]
])

/** Whether a worker, which speaks to the network, may have learned this; `trusted` is not for it to say. */
export function isWorkerEvent(event: unknown): event is PeerEvent {
  if (typeof event !== 'object' || event === null) return false
  const found = event as Readonly<Record<string, unknown>>
  const instants = INSTANTS.get(found['kind'])
  return instants?.every((name) => Number.isFinite(found[name])) ?? false
}
