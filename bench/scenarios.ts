export type ScenarioName =
  'keepalive-32' | 'keepalive-256' | 'fresh' | '16k' | '1m' | 'post-64k' | 'paced' | 'idle'

/** Requests that are sent as fast as they are answered, over a number of connections. */
export interface ClosedLoop {
  readonly path: string
  readonly connections: number
  /** Each request has a connection of its own. */
  readonly isFresh?: true
  /** Length of the body of a POST; without it the requests are GETs. */
  readonly bodyLength?: number
  /** Throughput is told in bytes per second. */
  readonly inBytes?: true
}

/** What is measured. */
export interface Scenario {
  readonly name: ScenarioName
  readonly title: string
  /** Null for the two that are no closed loop: `paced.ts` and `idle.ts`. */
  readonly load: ClosedLoop | null
}

/** The small answer's path, which every other measurement uses too. */
export const SMALL = '/small'

/** Everything that is measured, in this order. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'keepalive-32',
    title: 'Small GETs, 32 keep-alive connections',
    load: { path: SMALL, connections: 32 }
  },
  {
    name: 'keepalive-256',
    title: 'Small GETs, 256 keep-alive connections',
    load: { path: SMALL, connections: 256 }
  },
  {
    name: 'fresh',
    title: 'Small GETs, each on a fresh connection, 32 at a time',
    load: { path: SMALL, connections: 32, isFresh: true }
  },
  {
    name: '16k',
    title: 'Responses of 16 KiB, 32 keep-alive connections',
    load: { path: '/16k', connections: 32 }
  },
  {
    name: '1m',
    title: 'Responses of 1 MiB, 32 keep-alive connections',
    load: { path: '/1m', connections: 32, inBytes: true }
  },
  {
    name: 'post-64k',
    title: 'POSTs of 64 KiB, 32 keep-alive connections',
    load: { path: '/post', connections: 32, bodyLength: 64 * 1024 }
  },
  { name: 'paced', title: "Small GETs at 70 % of tsha's own peak", load: null },
  { name: 'idle', title: 'Memory, at rest and with idle clients', load: null }
]
