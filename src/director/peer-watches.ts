import { formatEndpoint } from '../proxy/endpoint.js'
import type { ProxyConfig } from '../proxy/model.js'
import { awaitsProbe, type PeerEvent, type PeerStatus } from '../proxy/upstream/peer-status.js'
import { PeerTable } from '../proxy/upstream/peer-table.js'
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
  readonly #isChecked: readonly boolean[]
  readonly #log: Log
  readonly #onChange: (index: number, status: PeerStatus) => void

  /** @param onChange told of each status that changed, whoever changed it */
  constructor(
    config: ProxyConfig,
    log: Log,
    ports: WatchPorts,
    onChange: (index: number, status: PeerStatus) => void
  ) {
    this.#table = new PeerTable(config)
    this.#log = log
    this.#onChange = onChange
    const peers = config.upstreams.flatMap(({ name, servers, check }) =>
      // A group of one server has nobody else to send a request to: it is never taken out.
      servers.map((server) => ({ server, upstream: name, check, isSingle: servers.length === 1 }))
    )
    this.#names = peers.map(({ server, upstream }) => ({
      server: formatEndpoint(server),
      upstream
    }))
    this.#isChecked = peers.map(({ check }) => check !== null)
    this.#watches = peers.map((peer, index) =>
      peer.isSingle || peer.server.down
        ? null
        : new PeerWatch(peer, ports, (event, detail) => {
            this.apply(index, event, detail)
          })
    )
  }

  /** What is known of the peers goes on to be known, by upstream and server, whatever else changed. */
  takeOver(old: PeerWatches): void {
    const known = new Map(old.#names.map((name, index) => [keyOf(name), old.statusOf(index)]))
    this.#names.forEach((name, index) => {
      const status = known.get(keyOf(name))
      if (status === undefined) return
      // Without a check nothing would bring back what a check has taken out.
      const restored = this.#isChecked[index] === true ? status : { ...status, isDown: false }
      this.#table.restore(index, restored)
      this.#watches[index]?.restore(this.#table.statusOf(index))
    })
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
    this.#tellLog(index, before, after, detail)
    this.#watches[index]?.update(after)
    this.#onChange(index, after)
    return after
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

function keyOf({ upstream, server }: { upstream: string; server: string }): string {
  return `${upstream} ${server}`
}

const OUT = 'upstream server is out'
