import type { UpstreamServer } from '../model.js'

/** What an administrator wants of a peer, whatever is known of it otherwise. */
export interface PeerWish {
  /**
   * With `down` and `drain` it takes no new request, and what runs is finished. One that is `down` is
   * not asked either whether it is well, and connections to it are closed instead of being kept.
   */
  readonly state: 'up' | 'down' | 'drain'
  /** In the place of the configured weight, 1 or more; null keeps that. */
  readonly weight: number | null
}

/** What the configuration wants. */
export function configuredWish({ down }: Pick<UpstreamServer, 'down'>): PeerWish {
  return { state: down ? 'down' : 'up', weight: null }
}

/** Whether a peer gets requests, as far as an administrator is concerned. */
export function takesRequests({ state }: PeerWish): boolean {
  return state === 'up'
}

/** The weight that counts. */
export function weightOf(
  { weight }: PeerWish,
  { weight: configured }: Pick<UpstreamServer, 'weight'>
): number {
  return weight ?? configured
}
