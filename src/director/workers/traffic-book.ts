import type { ListenerTraffic, PeerTraffic } from '../../admin/model.js'
import {
  ACCEPTED,
  BYTES_RECEIVED,
  BYTES_SENT,
  ROW_CELLS,
  type TrafficReport
} from '../../proxy/traffic-cells.js'
import { TrafficCount } from './traffic-count.js'

/** What the rows of reports are called: `TrafficNames` of the proxy. */
interface Names {
  readonly listeners: readonly string[]
  readonly peers: readonly { readonly upstream: string; readonly peer: string }[]
}

/** A process that reports; its object is its name here. */
interface Worker {
  readonly pid: number
}

/** What is known of one worker: what its rows are called, and its gauges. */
interface Page {
  readonly rows: readonly TrafficCount[]
  /** Numbers of the rows with a name: more than one where a configuration has it twice. */
  readonly places: ReadonlyMap<string, readonly number[]>
  readonly listeners: number
  active: readonly number[]
  inFlight: readonly number[]
}

/**
 * Adds up what the workers report, by name: listen addresses and peers keep their counts whichever
 * workers come and go, and whatever index they have in which configuration. What no configuration in
 * use has any more is forgotten. Instants are monotonic milliseconds.
 */
export class TrafficBook {
  readonly #counts = new Map<string, TrafficCount>()
  readonly #pages = new Map<Worker, Page>()
  #names: Names

  constructor(names: Names, now: number) {
    this.#names = names
    this.#open(keysOf(names), now)
  }

  /** Another configuration is in use; what no worker and no configuration names is forgotten. */
  use(names: Names, now: number): void {
    this.#names = names
    this.#open(keysOf(names), now)
    this.#forgetUnused()
  }

  /** A worker begins. @param names of its configuration, which need not be in use yet, or any more */
  begin(worker: Worker, now: number, names: Names = this.#names): void {
    const keys = keysOf(names)
    const rows = this.#open(keys, now)
    const listeners = names.listeners.length
    const places = new Map<string, number[]>()
    for (const [at, key] of keys.entries()) places.set(key, [...(places.get(key) ?? []), at])
    this.#pages.set(worker, { rows, places, listeners, active: [], inFlight: [] })
  }

  /** Takes a report. What makes no sense in it is left out: a worker is not believed blindly. */
  add(worker: Worker, { counts, active, inFlight }: TrafficReport, now: number): void {
    const page = this.#pages.get(worker)
    if (page === undefined) return
    for (let i = 0; i + 1 < counts.length; i += 2) {
      const cell = counts[i] ?? 0
      const amount = counts[i + 1] ?? 0
      const row = page.rows[Math.floor(cell / ROW_CELLS)]
      if (row !== undefined && isAmount(cell) && isAmount(amount))
        row.add(cell % ROW_CELLS, amount, now)
    }
    page.active = active.map((value) => (isAmount(value) ? value : 0))
    page.inFlight = inFlight.map((value) => (isAmount(value) ? value : 0))
  }

  /** The process has ended: what it had open is closed. Its last report may still come. */
  ended(worker: Worker): void {
    const page = this.#pages.get(worker)
    if (page === undefined) return
    page.active = []
    page.inFlight = []
  }

  /** Nothing more comes from the worker. */
  forget(worker: Worker): void {
    this.#pages.delete(worker)
    this.#forgetUnused()
  }

  /** @param listen such as `0.0.0.0:80`; one that is unknown has no traffic */
  listenerTraffic(listen: string, now: number): ListenerTraffic {
    const key = listenerKey(listen)
    const count = this.#counts.get(key) ?? new TrafficCount(now)
    return {
      connections_accepted: count.total(ACCEPTED),
      connections_active: this.#gauge(key),
      requests: count.results('000'),
      bytes_received: count.total(BYTES_RECEIVED),
      bytes_sent: count.total(BYTES_SENT),
      duration: count.histogram,
      recent: count.recent(now)
    }
  }

  /** @param peer such as `192.168.64.143:80`; one that is unknown has no traffic */
  peerTraffic(upstream: string, peer: string, now: number): PeerTraffic {
    const key = peerKey(upstream, peer)
    const count = this.#counts.get(key) ?? new TrafficCount(now)
    return {
      in_flight: this.#gauge(key),
      attempts: count.results('aborted'),
      bytes_sent: count.total(BYTES_SENT),
      bytes_received: count.total(BYTES_RECEIVED),
      latency: count.histogram,
      recent: count.recent(now)
    }
  }

  /** Connections of clients that the worker with this process id has open. */
  connectionsOf(pid: number): number {
    for (const [worker, page] of this.#pages) {
      if (worker.pid === pid && page.active.length > 0) {
        return page.active.reduce((sum, count) => sum + count, 0)
      }
    }
    return 0
  }

  /** The sum of a gauge over all workers. */
  #gauge(key: string): number {
    let sum = 0
    for (const { places, listeners, active, inFlight } of this.#pages.values()) {
      for (const at of places.get(key) ?? []) {
        sum += (at < listeners ? active[at] : inFlight[at - listeners]) ?? 0
      }
    }
    return sum
  }

  #open(keys: readonly string[], now: number): readonly TrafficCount[] {
    return keys.map((key) => {
      const count = this.#counts.get(key) ?? new TrafficCount(now)
      this.#counts.set(key, count)
      return count
    })
  }

  #forgetUnused(): void {
    const used = new Set(keysOf(this.#names))
    for (const { places } of this.#pages.values()) for (const key of places.keys()) used.add(key)
    for (const key of this.#counts.keys()) if (!used.has(key)) this.#counts.delete(key)
  }
}

/** The names of all rows, in their order. */
function keysOf({ listeners, peers }: Names): readonly string[] {
  return [
    ...listeners.map(listenerKey),
    ...peers.map(({ upstream, peer }) => peerKey(upstream, peer))
  ]
}

function listenerKey(listen: string): string {
  return `listen ${listen}`
}

function peerKey(upstream: string, peer: string): string {
  return `peer ${upstream}\n${peer}`
}

function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
