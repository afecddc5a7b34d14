import { TshaError } from '../errors.js'
import type { ProxyConfig } from '../proxy/model.js'
import type { WorkerMessage } from '../proxy/worker-messages.js'
import { logPaths } from './log-files.js'
import { LogTroubles } from './log-troubles.js'
import type { FlightRecorder } from './flight-recorder.js'
import type { Log } from './log.js'
import { WATCH_PORTS } from './peer-watch.js'
import { PeerWatches } from './peer-watches.js'
import { NAME_PORTS, UpstreamNames } from './upstream-names.js'
import { afterDeath, FRESH } from './worker-backoff.js'
import { START_TIMEOUT_MS, WorkerPings } from './worker-pings.js'
import { setupWorkers, WorkerProcess } from './worker-process.js'
import { replaceWorkers, type Slot } from './worker-replacement.js'

/** When the last listening worker is lost, its replacement has this long before we call it an outage. */
const REPLACEMENT_GRACE_MS = 250

/** Threads of a worker beside one for each log, so that logs which hang hold nothing but themselves. */
const SPARE_THREADS = 4
const MAX_THREADS = 64

/** Who wants to know about the workers as a whole. */
export interface SupervisorObserver {
  /** The service may be up or down now: worth a check at once. */
  availabilityChanged(): void
}

/**
 * Keeps the configured number of proxy workers running and holds what must be one truth for all of
 * them: the status of the peers, and the addresses of their host names.
 */
export class WorkerSupervisor {
  readonly #config: ProxyConfig
  readonly #checkToken: string
  readonly #log: Log
  readonly #now: () => number
  readonly #observer: SupervisorObserver
  readonly #names: UpstreamNames
  readonly #peers: PeerWatches
  readonly #logTroubles: LogTroubles
  readonly #slots: readonly Slot[]
  /** All that live: the workers of the slots, successors that begin, and replaced ones that end. */
  readonly #processes = new Set<WorkerProcess>()
  readonly #pings: WorkerPings
  #graceTimer: NodeJS.Timeout | null = null
  #isReplacing = false
  #isStopping = false
  /** Set while `start` waits for the first workers. */
  #starting: { resolve: () => void; reject: (error: Error) => void } | null = null

  constructor(
    config: ProxyConfig,
    checkToken: string,
    log: Log,
    now: () => number,
    observer: SupervisorObserver,
    recorder: FlightRecorder | null = null
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
    const addressOf = this.#names.addressOf.bind(this.#names)
    const ports = { ...WATCH_PORTS, now, addressOf }
    this.#peers = new PeerWatches(
      config,
      log,
      ports,
      (index, status) => {
        this.#broadcast({ type: 'peer', index, status })
      },
      recorder
    )
    this.#pings = new WorkerPings(this.#processes, log, now)
    this.#slots = Array.from({ length: config.workers }, () => ({
      worker: null,
      successor: null,
      backoff: FRESH,
      restart: null
    }))
  }

  /**
   * Starts all workers; resolves when every one listens, or when `stop` was called meanwhile.
   *
   * @throws {TshaError} what the first worker that cannot start says, `TSHA_E_LISTEN` for a port that
   * is taken; the others are ended
   */
  async start(): Promise<void> {
    setupWorkers()
    this.#names.start()
    const timeout = setTimeout(() => {
      this.#starting?.reject(
        new TshaError('TSHA_E_WORKER', `the workers did not listen within ${START_TIMEOUT_MS} ms`)
      )
    }, START_TIMEOUT_MS)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#starting = { resolve, reject }
        for (const slot of this.#slots) slot.worker = this.#fork(slot)
      })
    } catch (error) {
      await this.stop(0)
      throw error
    } finally {
      clearTimeout(timeout)
      this.#starting = null
    }
    if (this.#isStopping) return
    this.#pings.start()
    this.#peers.start()
  }

  reopenLogs(): void {
    this.#broadcast({ type: 'reopen-logs' })
  }

  /**
   * Puts new processes in the place of all workers, without a failed request. Resolves when that is
   * done or has failed; a second call meanwhile does nothing.
   */
  async replaceWorkers(): Promise<void> {
    if (this.#starting || this.#isStopping) return
    if (this.#isReplacing) {
      this.#log.warn('the workers are being replaced already')
      return
    }
    this.#isReplacing = true
    const isDone = await replaceWorkers(this.#slots, this.#log, (slot) =>
      this.#isStopping ? null : (slot.successor = this.#fork(slot))
    )
    this.#isReplacing = false
    // `stop` may have been called meanwhile, which TypeScript cannot see.
    if (this.#isStopping as boolean) return
    if (isDone) this.#log.info('all workers are new')
    else this.#log.error('a new worker did not start: the workers that serve stay')
  }

  /** Has the workers close each connection of a client after its next response. */
  closeKept(): void {
    this.#broadcast({ type: 'close-kept' })
  }

  /** Ends all workers: they finish what runs for at most `graceMs`, then they are killed. Callable twice. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    this.#starting?.resolve()
    this.#peers.stop()
    this.#names.stop()
    this.#pings.stop()
    if (this.#graceTimer) clearTimeout(this.#graceTimer)
    for (const slot of this.#slots) if (slot.restart) clearTimeout(slot.restart)
    await Promise.all([...this.#processes].map((worker) => worker.end(graceMs)))
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
        exited: (worker, why) => {
          this.#exited(slot, worker, why)
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
        worker.send({
          type: 'start',
          config: this.#config,
          checkToken: this.#checkToken,
          peers: this.#peers.statuses(),
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
        const before = this.#peers.statusOf(index)
        const status = this.#peers.apply(index, event)
        // It acted on what is not true any more; a change goes to everybody anyway.
        if (status === before) worker.send({ type: 'peer', index, status })
        return
      }
      case 'turn':
        this.#broadcast(message, worker)
        return
      case 'log':
        this.#logTroubles.tell(worker.pid, message.path, message.news)
        return
      case 'pong':
        worker.unansweredSince = null
    }
  }

  #listening(worker: WorkerProcess): void {
    this.#log.info({ worker: worker.pid }, 'worker listens')
    if (this.#graceTimer) clearTimeout(this.#graceTimer)
    this.#graceTimer = null
    if (this.#starting && this.#slots.every((slot) => slot.worker?.isListening === true)) {
      this.#starting.resolve()
    }
    this.#observer.availabilityChanged()
  }

  #exited(slot: Slot, worker: WorkerProcess, why: string): void {
    this.#processes.delete(worker)
    this.#logTroubles.exited(worker.pid)
    if (this.#isStopping) return
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
