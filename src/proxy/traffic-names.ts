import { formatEndpoint } from './endpoint.js'
import type { ProxyConfig } from './model.js'

/** What the rows of a worker's counts are called, each list in the order of the rows. */
export interface TrafficNames {
  /** Such as `0.0.0.0:80`. */
  readonly listeners: readonly string[]
  readonly peers: readonly PeerName[]
}

/** A peer by its upstream and its address in the configuration, such as `192.168.64.143:80`. */
export interface PeerName {
  readonly upstream: string
  readonly peer: string
}

/** The names of everything that workers with this configuration count. */
export function trafficNames({ servers, upstreams }: ProxyConfig): TrafficNames {
  return {
    listeners: [...new Set(servers.map(({ listen }) => formatEndpoint(listen)))],
    peers: upstreams.flatMap(({ name, servers }) =>
      servers.map((server) => ({ upstream: name, peer: formatEndpoint(server) }))
    )
  }
}
