import type { ListenerTraffic, PeerTraffic } from '../admin/model.js'

/** What the workers have counted. */
export interface TrafficFacts {
  /** @param listen such as `0.0.0.0:80` */
  ofListener(listen: string): ListenerTraffic
  ofPeer(upstream: string, peer: string): PeerTraffic
  /** Connections of clients that a worker has open. */
  connectionsOf(pid: number): number
}

const NOTHING_RECENT = { per_second: 0, p50_ms: null, p99_ms: null }
const EMPTY_HISTOGRAM = { bounds_s: [], counts: [0], sum_s: 0 }

/** Where nothing is counted. */
export const NO_TRAFFIC: TrafficFacts = {
  ofListener: () => ({
    connections_accepted: 0,
    connections_active: 0,
    requests: {},
    bytes_received: 0,
    bytes_sent: 0,
    duration: EMPTY_HISTOGRAM,
    recent: NOTHING_RECENT
  }),
  ofPeer: () => ({
    in_flight: 0,
    attempts: {},
    bytes_sent: 0,
    bytes_received: 0,
    latency: EMPTY_HISTOGRAM,
    recent: NOTHING_RECENT
  }),
  connectionsOf: () => 0
}
