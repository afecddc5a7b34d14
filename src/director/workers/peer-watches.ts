import type { OnResult } from '../../health/scheduler.js'
import { UNKNOWN } from '../../health/status.js'
import { formatEndpoint } from '../../proxy/endpoint.js'
import type { ProxyConfig, UpstreamCheck, UpstreamServer } from '../../proxy/model.js'
import {
  awaitsProbe,
  isOut,
  type FailureRules,
  type PeerEvent,
  type PeerStatus
} from '../../proxy/upstream/peer-status.js'
import { PeerTable } from '../../proxy/upstream/peer-table.js'
import {
  configuredWish,
  takesRequests,
  weightOf,
  type PeerWish
} from '../../proxy/upstream/peer-wish.js'
import type { FlightRecorder } from '../recording/flight-recorder.js'
import type { Log } from '../log.js'
import { PeerWatch, type WatchPorts } from './peer-watch.js'
import type { PeerFacts } from '../status/status-proxy.js'

/** A peer as the director knows it. */
export interface KnownPeer {
  readonly index: number
  /** Of its upstream. */
  readonly upstream: string
  /** Host and port: `192.0.2.1:80`. */
  readonly name: string
  readonly server: UpstreamServer
  readonly status: PeerStatus
  readonly wish: PeerWish
  /** `up` takes requests, `out` was found out; `down` and `drain` are wanted by an administrator. */
  readonly state: 'up' | 'out' | 'down' | 'drain'
  /** Since when, milliseconds of CLOCK_MONOTONIC; null since the start. */
  readonly since: number | null
  /** What was said when it was taken out, such as `connection refused`; '' when nothing was. */
  readonly detail: string
  /** The weight that counts. */
  readonly weight: number
}

/** Who wants to know of changes, whoever made them. */
export interface PeersObserver {
  statusChanged(index: number, status: PeerStatus): void
  wishChanged(index: number, wish: PeerWish): void
}

/** What an earlier life leaves, and who is told of this one. */
export interface PeersPast {
  /** By index; for missing ones the configuration holds. */
  readonly wishes?: readonly PeerWish[]
  readonly recorder?: FlightRecorder | null
}

/** What is noted of a peer beside its status. */
interface Note {
  readonly upstream: string
  readonly name: string
  readonly recordedName: string
  readonly server: UpstreamServer
  /** The only server of a group has nobody else to send a request to: failures never take it out. */
  readonly isSingle: boolean
  readonly isChecked: boolean
  readonly watch: PeerWatch | null
  wish: PeerWish
  since: number | null
  detail: string
}

/**
 * What this director knows about its peers, and how it comes to know it: events of the workers, its
 * own watches and wishes of an administrator go into one table, and every change goes out.
 */
export class PeerWatches {
  readonly #table: PeerTable
  readonly #notes: readonly Note[]
  readonly #log: Log
  readonly #now: () => number
  readonly #observer: PeersObserver
  readonly #recorder: FlightRecorder | null

  constructor(
    config: ProxyConfig,
    log: Log,
    ports: WatchPorts,
    observer: PeersObserver,
    { wishes = [], recorder = null }: PeersPast = {}
  ) {
    this.#table = new PeerTable(config)
    this.#log = log
    this.#now = ports.now
    this.#observer = observer
    this.#recorder = recorder
    const all = config.upstreams.flatMap(({ name, servers, check }) =>
      servers.map((server) => ({ server, upstream: name, check, isSingle: servers.length === 1 }))
    )
    const recordedNames = uniqueNames(
      all.map(({ upstream, server }) => `${upstream} ${formatEndpoint(server)}`)
    )
    this.#notes = all.map(({ isSingle, ...peer }, index) => {
      const { server, upstream, check } = peer
      const recordedName = recordedNames[index] ?? String(index)
      recorder?.peerBegan(recordedName, rulesOf(server), this.#table.statusOf(index))
      const tell = (event: PeerEvent, detail: string): void => {
        this.apply(index, event, detail)
      }
      const wish = wishes[index] ?? configuredWish(server)
      const watch = isSingle
        ? null
        : new PeerWatch(peer, ports, tell, recordedCheck(recorder, recordedName, check))
      watch?.allow(wish.state !== 'down')
      const name = formatEndpoint(server)
      const isChecked = check !== null
      const note = { upstream, name, recordedName, server, isSingle, isChecked, watch, wish }
      return { ...note, since: null, detail: '' }
    })
  }

  /** What is known of the peers goes on to be known, by upstream and server, whatever else changed. */
  takeOver(old: PeerWatches): void {
    const olds = old.#byName()
    this.#notes.forEach((note, index) => {
      const known = olds.get(keyOf(note))
      if (known === undefined) return
      // Without a check nothing would bring back what a check has taken out.
      const { status } = known
      this.#table.restore(index, note.isChecked ? status : { ...status, isDown: false })
      const restored = this.#table.statusOf(index)
      this.#recorder?.peerBegan(note.recordedName, rulesOf(note.server), restored)
      note.watch?.restore(restored)
      note.since = known.since
      note.detail = known.detail
    })
  }

  /** What an administrator has ordered for peers that are here too; for others the configuration holds. */
  wishesOf(old: PeerWatches): readonly PeerWish[] {
    const olds = old.#byName()
    return this.#notes.map(({ upstream, name, server }) => {
      const known = olds.get(keyOf({ upstream, name }))
      const configured = configuredWish(server)
      if (known === undefined) return configured
      const { state, weight } = known.wish
      const isOrdered = state !== configuredWish(known.server).state
      return { state: isOrdered ? state : configured.state, weight }
    })
  }

  /** Takes over what an administrator has ordered of `old` since its wishes were taken over. */
  followWishesOf(old: PeerWatches): void {
    this.wishesOf(old).forEach(({ state, weight }, index) => {
      const { wish } = this.#note(index)
      if (state !== wish.state) this.want(index, { state })
      if (weight !== wish.weight) this.want(index, { weight })
    })
  }

  /** Of a server that an upstream has twice, the first one. */
  #byName(): ReadonlyMap<string, KnownPeer> {
    return new Map(
      this.all()
        .toReversed()
        .map((peer) => [keyOf(peer), peer])
    )
  }

  /** The statuses of all peers in the order of their indices, for a worker's `start`. */
  statuses(): readonly PeerStatus[] {
    return this.#table.statuses()
  }

  /** What an administrator wants of each, in the same order. */
  wishes(): readonly PeerWish[] {
    return this.#notes.map(({ wish }) => wish)
  }

  /** All that is known of each, in the same order. */
  all(): readonly KnownPeer[] {
    return this.#notes.map((_, index) => this.peer(index))
  }

  /** @throws {RangeError} if there is no peer with this index */
  peer(index: number): KnownPeer {
    const note = this.#note(index)
    const { upstream, name, server, wish, since, detail } = note
    const status = this.#table.statusOf(index)
    const weight = weightOf(wish, server)
    return {
      index,
      upstream,
      name,
      server,
      status,
      wish,
      state: stateOf(note, status),
      since,
      detail,
      weight
    }
  }

  /** @throws {RangeError} if there is no peer with this index */
  statusOf(index: number): PeerStatus {
    return this.#table.statusOf(index)
  }

  /**
   * What is known of all peers, in the order of their indices.
   *
   * @param unresolvedOf why a host has no address; null when it has one
   */
  facts(unresolvedOf: (host: string) => string | null): readonly PeerFacts[] {
    return this.all().map(({ status, server, since, detail, wish, weight }) => {
      const unresolved = unresolvedOf(server.host)
      return { failures: status, since, detail, unresolved, wish: wish.state, weight }
    })
  }

  /** Begins the regular checks. */
  start(): void {
    for (const { watch } of this.#notes) watch?.start()
  }

  /** Ends every check and probe, those that are going on too. */
  stop(): void {
    for (const { watch } of this.#notes) watch?.stop()
  }

  /**
   * Takes an event into account. Returns the status after it.
   * @throws {RangeError} if there is no peer with this index
   */
  apply(index: number, event: PeerEvent, detail = ''): PeerStatus {
    const before = this.#table.statusOf(index)
    const after = this.#table.apply(index, event)
    if (after === before) return after
    const note = this.#note(index)
    const change = { before, event, after, detail }
    this.#recorder?.peerChanged(note.recordedName, rulesOf(note.server), change)
    this.#tellLog(note, before, after, detail)
    if (isOut(before, note.server) !== isOut(after, note.server)) {
      note.detail = isOut(after, note.server) ? detail : ''
      if (takesRequests(note.wish)) note.since = this.#now()
    }
    note.watch?.update(after)
    this.#observer.statusChanged(index, after)
    return after
  }

  /**
   * Takes over what an administrator wants of a peer. With `state: 'up'` everything that failed
   * before is forgotten, whatever was wanted until now.
   *
   * @throws {RangeError} if there is no peer with this index
   */
  want(index: number, change: Partial<PeerWish>): void {
    const note = this.#note(index)
    const before = stateOf(note, this.#table.statusOf(index))
    note.wish = { ...note.wish, ...change }
    note.watch?.allow(note.wish.state !== 'down')
    this.#observer.wishChanged(index, note.wish)
    if (change.state === 'up') {
      note.watch?.trust()
      this.apply(index, { kind: 'trusted' }, 'an administrator says so')
    }
    if (stateOf(note, this.#table.statusOf(index)) !== before) note.since = this.#now()
  }

  #note(index: number): Note {
    const note = this.#notes[index]
    if (note === undefined) throw new RangeError(`no peer ${index}`)
    return note
  }

  #tellLog(
    { upstream, name, server }: Note,
    before: PeerStatus,
    after: PeerStatus,
    detail: string
  ): void {
    const wasOut = before.isDown || awaitsProbe(before, server)
    const isOutNow = after.isDown || awaitsProbe(after, server)
    if (isOutNow === wasOut) return
    const facts = { server: name, upstream, ...(detail === '' ? {} : { detail }) }
    if (!isOutNow) this.#log.info(facts, 'upstream server is back')
    else this.#log.warn({ ...facts, why: after.isDown ? 'check' : after.cause }, OUT)
  }
}

function keyOf({ upstream, name }: Pick<KnownPeer, 'upstream' | 'name'>): string {
  return `${upstream}\n${name}`
}

function recordedCheck(
  recorder: FlightRecorder | null,
  name: string,
  check: UpstreamCheck | null
): OnResult {
  if (check === null) return () => undefined
  recorder?.checkBegan(name, check, UNKNOWN)
  return (before, { passed, detail }, after) => {
    recorder?.checked(name, check, { before, passed, after, detail })
  }
}

/** An upstream may have the same server twice. */
function uniqueNames(names: readonly string[]): readonly string[] {
  const counts = new Map<string, number>()
  return names.map((name) => {
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return count === 1 ? name : `${name} #${count}`
  })
}

function rulesOf({ maxFails, failTimeoutMs, recovery }: UpstreamServer): FailureRules {
  return { maxFails, failTimeoutMs, recovery }
}

function stateOf({ wish, server, isSingle }: Note, status: PeerStatus): KnownPeer['state'] {
  if (!takesRequests(wish)) return wish.state
  return !isSingle && isOut(status, server) ? 'out' : 'up'
}

const OUT = 'upstream server is out'
