import { isHostName } from '../../proxy/endpoint.js'
import type { ProxyConfig } from '../../proxy/model.js'
import type { ResolvedName } from '../../proxy/worker-messages.js'
import type { Log } from '../log.js'
import { LookupQueue, systemLookup, type Lookup } from './lookup-queue.js'
import { learn, nextLookupMs, UNRESOLVED, type Answer, type NameRecord } from './name-record.js'

/** The world of the names; another one is given by tests. */
export interface NamePorts {
  /** Milliseconds of CLOCK_MONOTONIC. */
  readonly now: () => number
  /** From 0 to 1, without 1. */
  readonly random: () => number
  readonly lookup: Lookup
}

export const NAME_PORTS: Omit<NamePorts, 'now'> = { random: Math.random, lookup: systemLookup }

interface Entry {
  readonly host: string
  record: NameRecord
  /** Whether the log has a problem of it that has not ended. */
  isToldOut: boolean
  timer: NodeJS.Timeout | null
  /** Which address the next question of the director itself goes to. */
  turn: number
}

/**
 * The host names of the servers and their addresses: the one truth of a director. Each name is resolved
 * at start and then regularly, for as long as the director runs; the last good answer holds until there
 * is another. Nothing ever waits for a lookup.
 */
export class UpstreamNames {
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #intervalMs: number
  readonly #log: Log
  readonly #ports: NamePorts
  readonly #queue: LookupQueue
  readonly #onChange: (name: ResolvedName) => void

  /** @param onChange told of each name that has other addresses than before */
  constructor(
    config: ProxyConfig,
    log: Log,
    ports: NamePorts,
    onChange: (name: ResolvedName) => void
  ) {
    const hosts = config.upstreams.flatMap(({ servers }) => servers.map(({ host }) => host))
    this.#entries = new Map(
      hosts
        .filter(isHostName)
        .map((host) => [host, { host, record: UNRESOLVED, isToldOut: false, timer: null, turn: 0 }])
    )
    this.#intervalMs = config.resolveIntervalMs
    this.#log = log
    this.#ports = ports
    this.#queue = new LookupQueue(ports.lookup, ports.now)
    this.#onChange = onChange
  }

  /** What others have learned of the same names holds until we have resolved them. */
  takeOver(old: UpstreamNames): void {
    for (const entry of this.#entries.values()) {
      const known = old.#entries.get(entry.host)
      if (known === undefined) continue
      entry.record = known.record
      entry.isToldOut = known.isToldOut
    }
  }

  /** Begins to resolve. */
  start(): void {
    for (const entry of this.#entries.values()) this.#resolve(entry)
  }

  /** Ends for good; a lookup that is under way is not waited for. */
  stop(): void {
    this.#queue.stop()
    for (const entry of this.#entries.values()) if (entry.timer) clearTimeout(entry.timer)
  }

  /** Every name that has been resolved, for a worker's `start`. */
  resolved(): readonly ResolvedName[] {
    return [...this.#entries.values()]
      .filter(({ record }) => record.addresses.length > 0)
      .map(({ host, record }) => ({ host, addresses: record.addresses }))
  }

  /** The address for a connection of the director itself, in turn; null if none is known yet. */
  addressOf(host: string): string | null {
    const entry = this.#entries.get(host)
    if (entry === undefined) return host
    const { addresses } = entry.record
    return addresses[entry.turn++ % addresses.length] ?? null
  }

  /** Why a host has no address; null when it has one, or needs none. */
  problemOf(host: string): string | null {
    const record = this.#entries.get(host)?.record
    if (record === undefined || record.addresses.length > 0) return null
    return record.problem ?? 'no answer yet'
  }

  #resolve(entry: Entry): void {
    entry.timer = null
    this.#queue.add(entry.host, {
      late: (problem) => {
        this.#learn(entry, { problem })
      },
      ended: (answer) => {
        this.#learn(entry, answer)
        const delayMs = nextLookupMs(entry.record, this.#intervalMs, this.#ports.random())
        entry.timer = setTimeout(() => {
          this.#resolve(entry)
        }, delayMs)
      }
    })
  }

  #learn(entry: Entry, answer: Answer): void {
    const before = entry.record
    const after = learn(before, answer)
    entry.record = after
    this.#tellLog(entry, before, after)
    const { host } = entry
    if (after.addresses !== before.addresses) this.#onChange({ host, addresses: after.addresses })
  }

  #tellLog(entry: Entry, before: NameRecord, after: NameRecord): void {
    const { host } = entry
    const { addresses, problem } = after
    if (problem !== null) {
      if (entry.isToldOut) return
      entry.isToldOut = true
      if (addresses.length === 0) this.#log.warn({ host, detail: problem }, UNKNOWN)
      else this.#log.warn({ host, detail: problem, addresses }, KEPT)
      return
    }
    const isOther = addresses !== before.addresses
    const isNew = before.addresses.length === 0
    if (entry.isToldOut || isNew) this.#log.info({ host, addresses }, RESOLVED)
    else if (isOther) this.#log.info({ host, addresses, before: before.addresses }, CHANGED)
    entry.isToldOut = false
  }
}

const UNKNOWN = 'upstream server cannot be resolved: it gets no requests until it can'
const KEPT = 'upstream server cannot be resolved: its last addresses stay in use'
const RESOLVED = 'upstream server is resolved'
const CHANGED = 'upstream server has other addresses'
