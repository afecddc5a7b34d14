import type { OnResult } from '../health/scheduler.js'
import { UNKNOWN } from '../health/status.js'
import { formatEndpoint } from '../proxy/endpoint.js'
import type { ProxyConfig, UpstreamCheck, UpstreamServer } from '../proxy/model.js'
import {
  awaitsProbe,
  type FailureRules,
  type PeerEvent,
  type PeerStatus
} from '../proxy/upstream/peer-status.js'
import { PeerTable } from '../proxy/upstream/peer-table.js'
import type { FlightRecorder } from './flight-recorder.js'
import type { Log } from './log.js'
import { PeerWatch, type WatchPorts } from './peer-watch.js'

/**
 * What this director knows about its peers, and how it comes to know it: events of the workers and
 * its own watches go into one table, and every status that changed goes out.
 */
export class PeerWatches {
  readonly #table: PeerTable
  readonly #watches: readonly (PeerWatch | null)[]
  readonly #names: readonly { readonly server: string; readonly upstream: string }[]
  readonly #recordedNames: readonly string[]
  readonly #log: Log
  readonly #onChange: (index: number, status: PeerStatus) => void
  readonly #recorder: FlightRecorder | null

  /** @param onChange told of each status that changed, whoever changed it */
  constructor(
    config: ProxyConfig,
    log: Log,
    ports: WatchPorts,
    onChange: (index: number, status: PeerStatus) => void,
    recorder: FlightRecorder | null = null
  ) {
    this.#table = new PeerTable(config)
    this.#log = log
    this.#onChange = onChange
    this.#recorder = recorder
    const peers = config.upstreams.flatMap(({ name, servers, check }) =>
      // A group of one server has nobody else to send a request to: it is never taken out.
      servers.map((server) => ({ server, upstream: name, check, isSingle: servers.length === 1 }))
    )
    this.#names = peers.map(({ server, upstream }) => ({
      server: formatEndpoint(server),
      upstream
    }))
    const names = this.#names.map(({ server, upstream }) => `${upstream} ${server}`)
    this.#recordedNames = names.map((name, index) => {
      // An upstream may have the same server twice.
      const earlier = names.slice(0, index).filter((other) => other === name).length
      return earlier === 0 ? name : `${name} #${earlier + 1}`
    })
    peers.forEach(({ server }, index) => {
      recorder?.peerBegan(this.#recordedName(index), rulesOf(server), this.#table.statusOf(index))
    })
    this.#watches = peers.map((peer, index) =>
      peer.isSingle || peer.server.down
        ? null
        : new PeerWatch(
            peer,
            ports,
            (event, detail) => {
              this.apply(index, event, detail)
            },
            this.#recorded(index, peer.check)
          )
    )
  }

  /** The statuses of all peers in the order of their indices, for a worker's `start`. */
  statuses(): readonly PeerStatus[] {
    return this.#table.statuses()
  }

  /** @throws {RangeError} if there is no peer with this index */
  statusOf(index: number): PeerStatus {
    return this.#table.statusOf(index)
  }

  /** Begins the regular checks. */
  start(): void {
    for (const watch of this.#watches) watch?.start()
  }

  /** Ends every check and probe, those that are going on too. */
  stop(): void {
    for (const watch of this.#watches) watch?.stop()
  }

  /**
   * Takes an event into account. Returns the status after it.
   * @throws {RangeError} if there is no peer with this index
   */
  apply(index: number, event: PeerEvent, detail = ''): PeerStatus {
    const before = this.#table.statusOf(index)
    const after = this.#table.apply(index, event)
    if (after === before) return after
    const change = { before, event, after, detail }
    const rules = rulesOf(this.#table.serverOf(index))
    this.#recorder?.peerChanged(this.#recordedName(index), rules, change)
    this.#tellLog(index, before, after, detail)
    this.#watches[index]?.update(after)
    this.#onChange(index, after)
    return after
  }

  #recordedName(index: number): string {
    return this.#recordedNames[index] ?? String(index)
  }

  #recorded(index: number, check: UpstreamCheck | null): OnResult {
    if (check === null) return () => undefined
    const name = this.#recordedName(index)
    this.#recorder?.checkBegan(name, check, UNKNOWN)
    return (before, { passed, detail }, after) => {
      this.#recorder?.checked(name, check, { before, passed, after, detail })
    }
  }

  #tellLog(index: number, before: PeerStatus, after: PeerStatus, detail: string): void {
    const server = this.#table.serverOf(index)
    const wasOut = before.isDown || awaitsProbe(before, server)
    const isOut = after.isDown || awaitsProbe(after, server)
    if (isOut === wasOut) return
    const facts = { ...this.#names[index], ...(detail === '' ? {} : { detail }) }
    if (!isOut) this.#log.info(facts, 'upstream server is back')
    else this.#log.warn({ ...facts, why: after.isDown ? 'check' : after.cause }, OUT)
  }
}

function rulesOf({ maxFails, failTimeoutMs, recovery }: UpstreamServer): FailureRules {
  return { maxFails, failTimeoutMs, recovery }
}

const OUT = 'upstream server is out'
