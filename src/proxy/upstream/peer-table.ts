import type { ProxyConfig, UpstreamServer } from '../model.js'
import { HEALTHY, applyPeerEvent, type PeerEvent, type PeerStatus } from './peer-status.js'

/**
 * The one truth of a director about its peers: the director feeds it the events of all workers and
 * tells every worker each status that changed. Peers are named by index, as in worker-messages.
 */
export class PeerTable {
  readonly #servers: { readonly server: UpstreamServer; readonly isSingle: boolean }[]
  readonly #statuses: PeerStatus[]

  constructor(config: ProxyConfig) {
    this.#servers = config.upstreams.flatMap((upstream) =>
      upstream.servers.map((server) => ({ server, isSingle: upstream.servers.length === 1 }))
    )
    this.#statuses = this.#servers.map(() => HEALTHY)
  }

  /**
   * Applies an event and returns the peer's status after it, the same object as before if nothing
   * changed. The only server of a group has no failures, as in nginx.
   * @throws {RangeError} if there is no peer with this index
   */
  apply(index: number, event: PeerEvent): PeerStatus {
    const { server, isSingle } = this.#entry(index)
    const before = this.statusOf(index)
    const after = isSingle ? before : applyPeerEvent(before, server, event)
    this.#statuses[index] = after
    return after
  }

  /**
   * Sets what is known of a peer from before.
   * @throws {RangeError} if there is no peer with this index
   */
  restore(index: number, status: PeerStatus): void {
    if (!this.#entry(index).isSingle) this.#statuses[index] = status
  }

  /** @throws {RangeError} if there is no peer with this index */
  statusOf(index: number): PeerStatus {
    const status = this.#statuses[index]
    if (status === undefined) throw new RangeError(`no peer ${index}`)
    return status
  }

  /** @throws {RangeError} if there is no peer with this index */
  serverOf(index: number): UpstreamServer {
    return this.#entry(index).server
  }

  #entry(index: number): { readonly server: UpstreamServer; readonly isSingle: boolean } {
    const entry = this.#servers[index]
    if (entry === undefined) throw new RangeError(`no peer ${index}`)
    return entry
  }

  /** The statuses of all peers in the order of their indices, for a worker's `start`. */
  statuses(): readonly PeerStatus[] {
    return [...this.#statuses]
  }
}
