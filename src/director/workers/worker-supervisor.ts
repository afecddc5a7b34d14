import type { ListenerTraffic, PeerTraffic } from '../../admin/model.js'
import { messageOf, TshaError } from '../../errors.js'
import type { ProxyConfig } from '../../proxy/model.js'
import { trafficNames } from '../../proxy/traffic-names.js'
import { takesRequests, type PeerWish } from '../../proxy/upstream/peer-wish.js'
import { PROTOCOL, type WorkerMessage } from '../../proxy/worker-messages.js'
import type { ProxyState } from '../../admin/model.js'
import { logPaths } from './log-files.js'
import { LogTroubles } from './log-troubles.js'
import type { FlightRecorder } from '../recording/flight-recorder.js'
import type { Log } from '../log.js'
import { WATCH_PORTS } from './peer-watch.js'
import { InFlight } from './in-flight.js'
import { PeerWatches, type KnownPeer, type PeersObserver } from './peer-watches.js'
import type { ProxyFacts } from '../status/status-proxy.js'
import { TrafficBook } from './traffic-book.js'
import { NAME_PORTS, UpstreamNames } from './upstream-names.js'
import { Waiters } from '../waiters.js'
import { afterDeath, FRESH } from './worker-backoff.js'
import { START_TIMEOUT_MS, WorkerPings } from './worker-pings.js'
import { setupWorkers, WorkerProcess } from './worker-process.js'
import { isWorkerEvent } from './worker-events.js'
import { replaceWorkers, type Slot } from './worker-replacement.js'

/** When the last listening worker is lost, its replacement has this long before we call it an outage. */
const REPLACEMENT_GRACE_MS = 250

/** Threads of a worker beside one for each log, so that logs which hang hold nothing but themselves. */
const SPARE_THREADS = 4
const MAX_THREADS = 64

/** Workers that began to listen before another one failed may be serving already. */
const ABORT_GRACE_MS = 1000

/** What came of a replacement of the workers. */
export type Replacement = 'done' | 'failed' | 'busy' | 'not-running'

/** Who wants to know about the workers as a whole. */
export interface SupervisorObserver {
  /** The service may be up or down now: worth a check at once. */
  availabilityChanged(): void
}

/** Where what happens is written down, besides the log. */
export interface SupervisorBooks {
  readonly recorder?: FlightRecorder | null
  /** That of earlier configurations goes on; without one a new one begins. */
  readonly traffic?: TrafficBook
}

/**
 * Keeps the configured number of proxy workers running and holds what must be one truth for all of
 * them: the status of the peers, and the addresses of their host names. The file is long because every
 * message and every end of a worker may be about its slot, the start that goes on, and a replacement.
 */
export class WorkerSupervisor {
  readonly #config: ProxyConfig
  readonly #checkToken: string
  readonly #log: Log
  readonly #now: () => number
  readonly #observer: SupervisorObserver
  readonly #names: UpstreamNames
  #peers: PeerWatches
  /** What was known of the peers by an earlier configuration, until the first start. */
  #inherited: PeerWatches | null = null
  readonly #inFlight: InFlight
  /** Of the requests that a peer has which takes no new ones. */
  readonly #drains = new Waiters()
  readonly #logTroubles: LogTroubles
  readonly #slots: readonly Slot[]
  /** All that live: the workers of the slots, successors that begin, and replaced ones that end. */
  readonly #processes = new Set<WorkerProcess>()
  readonly #pings: WorkerPings
  readonly #traffic: TrafficBook
  readonly #recorder: FlightRecorder | null
  #graceTimer: NodeJS.Timeout | null = null
  #replacement: Promise<Replacement> | null = null
  #state: ProxyState = 'stopped'
  #isResolving = false
  /** Set while `start` waits for the first workers. */
  #starting: { resolve: () => void; reject: (error: Error) => void } | null = null

  constructor(
    config: ProxyConfig,
    checkToken: string,
    log: Log,
    now: () => number,
    observer: SupervisorObserver,
    { recorder = null, traffic = newBook(config, now) }: SupervisorBooks = {}
  ) {
    this.#config = config
    this.#checkToken = checkToken
    this.#log = log
    this.#now = now
    this.#observer = observer
    this.#names = new UpstreamNames(config, log, { ...NAME_PORTS, now }, (name) => {
      this.#broadcast({ type: 'name', name })
    })
    this.#logTroubles = new LogTroubles(log)
    this.#recorder = recorder
    this.#traffic = traffic
    this.#inFlight = new InFlight((index) => {
      const { upstream, name } = this.#peers.peer(index)
      log.info({ server: name, upstream }, 'upstream server has no request any more')
    })
    this.#peers = this.#watchPeers([])
    this.#pings = new WorkerPings(this.#processes, log, now)
    this.#slots = Array.from({ length: config.workers }, () => ({
      worker: null,
      successor: null,
      backoff: FRESH,
      restart: null
    }))
  }

  /**
   * What `old`, which serves by another configuration, knows of names and peers is known here too, and what
   * an administrator wants of the peers holds.
   */
  takeOver(old: WorkerSupervisor): void {
    this.#names.takeOver(old.#names)
    this.#inherited = old.#peers
    this.#peers = this.#watchPeers(this.#peers.wishesOf(old.#peers))
  }

  /** What was ordered of `old` while this one began holds here, too. */
  followWishesOf(old: WorkerSupervisor): void {
    this.#peers.followWishesOf(old.#peers)
  }

  /** `stopped` before the first `start`, too. */
  get state(): ProxyState {
    return this.#state
  }

  /** All that is known of every peer, in the order of the configuration. */
  get peers(): readonly KnownPeer[] {
    return this.#peers.all()
  }

  /** Requests that a peer still has which takes no new ones; null if it does, or until it is known. */
  inFlightOf(index: number): number | null {
    return this.#inFlight.countOf(index)
  }

  /** Resolves when these peers have no request any more, at the latest after `timeoutMs`. */
  async drained(indices: readonly number[], timeoutMs: number): Promise<void> {
    const isDrained = (): boolean => indices.every((index) => this.#inFlight.countOf(index) === 0)
    await this.#drains.until(isDrained, timeoutMs)
  }

  /**
   * Takes over what an administrator wants of a peer, for all workers, later ones too.
   * @throws {RangeError} if there is no peer with this index
   */
  wantPeer(index: number, change: Partial<PeerWish>): void {
    this.#peers.want(index, change)
  }

  /**
   * Starts all workers; resolves when every one listens, or when `stop` was called meanwhile. After
   * a `stop` it begins anew: failures of peers are forgotten, wishes are not.
   *
   * @param pace one after the other holds nothing up while the director is at work: each takes 0.8 ms of
   * its loop to fork
   *
   * @throws {TshaError} what the first worker that cannot start says, `TSHA_E_LISTEN` for a port that
   * is taken; the others are ended
   */
  async start(pace: 'together' | 'in-turn' = 'together'): Promise<void> {
    setupWorkers()
    this.#state = 'starting'
    if (!this.#isResolving) this.#names.start()
    this.#isResolving = true
    this.#peers = this.#watchPeers(this.#peers.wishes())
    if (this.#inherited) this.#peers.takeOver(this.#inherited)
    this.#inherited = null
    const timeout = setTimeout(() => {
      this.#starting?.reject(
        new TshaError('TSHA_E_WORKER', `the workers did not listen within ${START_TIMEOUT_MS} ms`)
      )
    }, START_TIMEOUT_MS)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#starting = { resolve, reject }
        for (const slot of this.#slots) {
          Object.assign(slot, { worker: null, successor: null, backoff: FRESH, restart: null })
        }
        const inTurn = pace === 'together' ? this.#slots : this.#slots.slice(0, 1)
        for (const slot of inTurn) slot.worker = this.#fork(slot)
      })
    } catch (error) {
      await this.stop(pace === 'together' ? 0 : ABORT_GRACE_MS)
      throw error
    } finally {
      clearTimeout(timeout)
      this.#starting = null
    }
    // `stop` may have been called meanwhile, which TypeScript cannot see.
    if ((this.#state as ProxyState) !== 'starting') return
    this.#state = 'running'
    this.#pings.start()
    this.#peers.start()
  }

  /** What is known of the workers and the peers at this moment. */
  facts(): ProxyFacts {
    return {
      config: this.#config,
      state: this.#state,
      workers: [...this.#processes].map(({ pid, startedAt, isListening, isEnding }) => {
        const state = isListening ? 'listening' : 'starting'
        return { pid, startedAt, state: isEnding ? 'ending' : state }
      }),
      peers: this.#peers.facts((host) => this.#names.problemOf(host)),
      traffic: this
    }
  }

  /** What was served at a listen address such as `0.0.0.0:80` since the director's start. */
  listenerTraffic(listen: string): ListenerTraffic {
    return this.#traffic.listenerTraffic(listen, this.#now())
  }

  /** What was asked of a peer such as `192.168.64.143:80` since the director's start. */
  peerTraffic(upstream: string, peer: string): PeerTraffic {
    return this.#traffic.peerTraffic(upstream, peer, this.#now())
  }

  /** Connections of clients that the worker with this process id has open. */
  connectionsOf(pid: number): number {
    return this.#traffic.connectionsOf(pid)
  }

  reopenLogs(): void {
    this.#broadcast({ type: 'reopen-logs' })
  }

  /**
   * Puts new processes in the place of all workers, without a failed request. Resolves when that is
   * done or has failed; a second call meanwhile does nothing.
   */
  async replaceWorkers(): Promise<Replacement> {
    if (this.#state !== 'running') {
      this.#log.warn({ proxy: this.#state }, 'there are no workers to replace')
      return 'not-running'
    }
    if (this.#replacement !== null) {
      this.#log.warn('the workers are being replaced already')
      return 'busy'
    }
    this.#replacement = this.#replaceAll()
    try {
      return await this.#replacement
    } finally {
      this.#replacement = null
    }
  }

  async #replaceAll(): Promise<Replacement> {
    const isDone = await replaceWorkers(this.#slots, this.#log, (slot) =>
      this.#state === 'running' ? (slot.successor = this.#fork(slot)) : null
    )
    if (this.#state !== 'running') return 'not-running'
    if (isDone) this.#log.info('all workers are new')
    else this.#log.error('a new worker did not start: the workers that serve stay')
    return isDone ? 'done' : 'failed'
  }

  /** Has the workers close each connection of a client after its next response, or keep them again. */
  closeKept(isOn: boolean): void {
    this.#broadcast({ type: 'close-kept', isOn })
  }

  /** Ends for good. */
  async close(graceMs: number): Promise<void> {
    this.#names.stop()
    await this.stop(graceMs)
  }

  /**
   * Ends all workers: they take no new connection, finish what runs for at most `graceMs`, then they
   * are killed. Callable twice; the shorter time holds.
   */
  async stop(graceMs: number): Promise<void> {
    if (this.#state !== 'stopped') this.#state = 'stopping'
    this.#starting?.resolve()
    this.#peers.stop()
    this.#pings.stop()
    if (this.#graceTimer) clearTimeout(this.#graceTimer)
    this.#graceTimer = null
    for (const slot of this.#slots) if (slot.restart) clearTimeout(slot.restart)
    await Promise.all([...this.#processes].map((worker) => worker.end(graceMs)))
    // It has nothing left to do, but may not know that yet.
    await this.#replacement
    this.#state = 'stopped'
  }

  #watchPeers(wishes: readonly PeerWish[]): PeerWatches {
    const addressOf = this.#names.addressOf.bind(this.#names)
    const ports = { ...WATCH_PORTS, now: this.#now, addressOf }
    const observer: PeersObserver = {
      statusChanged: (index, status) => {
        this.#broadcast({ type: 'peer', index, status })
      },
      wishChanged: (index, wish) => {
        if (takesRequests(wish)) this.#inFlight.end(index)
        else this.#inFlight.begin(index, this.#listeningPids())
        this.#broadcast({ type: 'wish', index, wish })
      }
    }
    const past = { wishes, recorder: this.#recorder }
    return new PeerWatches(this.#config, this.#log, ports, observer, past)
  }

  #listeningPids(): readonly number[] {
    return [...this.#processes].filter((each) => each.isListening).map(({ pid }) => pid)
  }

  #broadcast(message: Parameters<WorkerProcess['send']>[0], except?: WorkerProcess): void {
    for (const worker of this.#processes) if (worker !== except) worker.send(message)
  }

  #fork(slot: Slot): WorkerProcess {
    const worker = new WorkerProcess(
      {
        message: (worker, message) => {
          this.#receive(worker, message)
        },
        talkedNonsense: (worker, error) => {
          this.#log.error({ worker: worker.pid }, `worker talks nonsense: ${messageOf(error)}`)
        },
        exited: (worker, why) => {
          this.#exited(slot, worker, why)
        },
        silenced: (worker) => {
          this.#traffic.forget(worker)
        }
      },
      this.#now(),
      Math.min(MAX_THREADS, SPARE_THREADS + logPaths(this.#config).length)
    )
    this.#processes.add(worker)
    return worker
  }

  #receive(worker: WorkerProcess, message: WorkerMessage): void {
    switch (message.type) {
      case 'ready':
        if (message.protocol !== PROTOCOL) {
          this.#refuse(worker, message.protocol)
          return
        }
        this.#traffic.begin(worker, this.#now(), trafficNames(this.#config))
        worker.send({
          type: 'start',
          config: this.#config,
          checkToken: this.#checkToken,
          peers: this.#peers.statuses(),
          wishes: this.#peers.wishes(),
          names: this.#names.resolved()
        })
        return
      case 'listening':
        this.#listening(worker)
        return
      case 'failed':
        this.#log.error({ worker: worker.pid, code: message.code }, message.message)
        this.#starting?.reject(new TshaError(message.code, message.message))
        return
      case 'peer-event': {
        const { index, event } = message
        if (!isWorkerEvent(event)) throw new TypeError('an event of a peer that cannot be')
        const before = this.#peers.statusOf(index)
        const status = this.#peers.apply(index, event)
        // It acted on what is not true any more; a change goes to everybody anyway.
        if (status === before) worker.send({ type: 'peer', index, status })
        return
      }
      case 'turn':
        this.#broadcast(message, worker)
        return
      case 'in-flight':
        this.#inFlight.told(worker.pid, message.index, message.count)
        this.#drains.notify()
        return
      case 'log':
        this.#logTroubles.tell(worker.pid, message.path, message.news)
        return
      case 'traffic':
        this.#traffic.add(worker, message, this.#now())
        return
      case 'pong':
        worker.unansweredSince = null
    }
  }

  /** The code that is installed is not that of this director. */
  #refuse(worker: WorkerProcess, protocol: number): void {
    const message =
      'restart needed: the workers of the version of tsha that is installed now do not understand this director'
    this.#log.error({ worker: worker.pid, protocol, expected: PROTOCOL }, message)
    this.#starting?.reject(new TshaError('TSHA_E_WORKER', message))
    worker.kill()
  }

  #listening(worker: WorkerProcess): void {
    this.#log.info({ worker: worker.pid }, 'worker listens')
    if (this.#graceTimer) clearTimeout(this.#graceTimer)
    this.#graceTimer = null
    if (this.#starting) this.#startNext(this.#starting)
    this.#observer.availabilityChanged()
  }

  #startNext({ resolve }: { resolve: () => void }): void {
    if (this.#slots.every(({ worker }) => worker?.isListening === true)) {
      resolve()
      return
    }
    if (this.#slots.some(({ worker }) => worker?.isListening === false)) return
    const slot = this.#slots.find(({ worker }) => worker === null)
    if (slot && this.#state === 'starting') slot.worker = this.#fork(slot)
  }

  #exited(slot: Slot, worker: WorkerProcess, why: string): void {
    this.#processes.delete(worker)
    this.#traffic.ended(worker)
    this.#logTroubles.exited(worker.pid)
    this.#inFlight.exited(worker.pid)
    this.#drains.notify()
    if (this.#state === 'stopping' || this.#state === 'stopped') return
    if (this.#starting) {
      this.#starting.reject(new TshaError('TSHA_E_WORKER', `a worker ${why} before it listened`))
      return
    }
    if (slot.worker === worker) {
      this.#replaceDead(slot, worker, why)
      return
    }
    if (slot.successor === worker) slot.successor = null
    this.#log.info({ worker: worker.pid, why }, 'worker ended')
  }

  #replaceDead(slot: Slot, worker: WorkerProcess, why: string): void {
    const { backoff, delayMs } = afterDeath(slot.backoff, this.#now() - worker.startedAt)
    slot.backoff = backoff
    slot.worker = slot.successor
    slot.successor = null
    if (slot.worker) {
      this.#log.error({ worker: worker.pid, why, by: slot.worker.pid }, 'worker died')
    } else {
      this.#log.error({ worker: worker.pid, why, delayMs }, 'worker died, starting another')
      slot.restart = setTimeout(() => {
        slot.restart = null
        slot.worker = this.#fork(slot)
      }, delayMs)
    }
    if (this.#slots.some((other) => other.worker?.isListening === true)) return
    this.#graceTimer ??= setTimeout(() => {
      this.#graceTimer = null
      this.#observer.availabilityChanged()
    }, REPLACEMENT_GRACE_MS)
  }
}

function newBook(config: ProxyConfig, now: () => number): TrafficBook {
  return new TrafficBook(trafficNames(config), now())
}
