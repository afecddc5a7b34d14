import type { PeerState, ProxyState } from '../admin/model.js'

/** What administrators told this director to do, beside its configuration. */
export interface Wishes {
  /** Whether a virtual router stands back until it is resumed. */
  hasSteppedDown(router: string): boolean
  /** In the place of the configured priority; null for none. */
  priorityOf(router: string): number | null
  /** `up` unless somebody took the peer out. */
  peerState(upstream: string, peer: string): Exclude<PeerState, 'out'>
  /** In the place of the configured weight; null for none. */
  weightOf(upstream: string, peer: string): number | null
  /** Null unless somebody stopped the proxy. */
  proxyState(): Extract<ProxyState, 'stopping' | 'stopped'> | null
}

export const NO_WISHES: Wishes = {
  hasSteppedDown: () => false,
  priorityOf: () => null,
  peerState: () => 'up',
  weightOf: () => null,
  proxyState: () => null
}
