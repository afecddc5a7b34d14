import { TshaError } from '../errors.js'
import type { ProxyConfig } from '../proxy/model.js'
import type { WorkerMessage } from '../proxy/worker-messages.js'
import { logPaths } from './log-files.js'
import { LogTroubles } from './log-troubles.js'
import type { Log } from './log.js'
import { WATCH_PORTS } from './peer-watch.js'
import { PeerWatches } from './peer-watches.js'
import { NAME_PORTS, UpstreamNames } from './upstream-names.js'
import { afterDeath, FRESH, type Backoff } from './worker-backoff.js'
import { setupWorkers, WorkerProcess } from './worker-process.js'

/** A worker that does not begin to listen in this time is replaced. */
const START_TIMEOUT_MS = 10_000
const PING_INTERVAL_MS = 1000
/** A worker whose loop stands still this long is stuck: killed, and replaced. */
const STUCK_AFTER_MS = 5000
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

interface Slot {
  worker: WorkerProcess | null
  backoff: Backoff
  restart: NodeJS.Timeout | null
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
  readonly #slots: Slot[]
  #pingTimer: NodeJS.Timeout | null = null
  #graceTimer: NodeJS.Timeout | null = null
  #pingId = 0
  #pingedAt = 0
  #isStopping = false
  /** Set while `start` waits for the first workers. */
  #starting: { resolve: () => void; reject: (error: Error) => void } | null = null
  readonly #gone: Promise<void>
  #leave: () => void = () => undefined

  constructor(
    config: ProxyConfig,
    checkToken: string,
    log: Log,
    now: () => number,
    observer: SupervisorObserver
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
    this.#peers = new PeerWatches(config, log, ports, (index, status) => {
      this.#broadcast({ type: 'peer', index, status })
    })
    this.#gone = new Promise((resolve) => (this.#leave = resolve))
    this.#slots = Array.from({ length: config.workers }, () => ({
      worker: null,
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
        for (const slot of this.#slots) this.#fork(slot)
      })
    } catch (error) {
      await this.stop(0)
      throw error
    } finally {
      clearTimeout(timeout)
      this.#starting = null
    }
    if (this.#isStopping) return
    this.#pingTimer = setInterval(() => {
      this.#ping()
    }, PING_INTERVAL_MS)
    this.#peers.start()
  }

  reopenLogs(): void {
    this.#broadcast({ type: 'reopen-logs' })
  }

  /** Ends all workers: they finish what runs for at most `graceMs`, then they are killed. Callable twice. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    this.#starting?.resolve()
    this.#peers.stop()
    this.#names.stop()
    if (this.#pingTimer) clearInterval(this.#pingTimer)
    if (this.#graceTimer) clearTimeout(this.#graceTimer)
    for (const slot of this.#slots) if (slot.restart) clearTimeout(slot.restart)
    if (this.#slots.every((slot) => slot.worker === null)) return
    this.#broadcast({ type: 'shutdown', graceMs })
    const killer = setTimeout(() => {
      this.#killAll()
    }, graceMs + REPLACEMENT_GRACE_MS)
    await this.#gone
    clearTimeout(killer)
  }

  #killAll(): void {
    for (const slot of this.#slots) slot.worker?.kill()
  }

  #broadcast(message: Parameters<WorkerProcess['send']>[0], except?: WorkerProcess): void {
    for (const { worker } of this.#slots) if (worker && worker !== except) worker.send(message)
  }

  #fork(slot: Slot): void {
    slot.restart = null
    slot.worker = new WorkerProcess(
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
    worker.isListening = true
    this.#log.info({ worker: worker.pid }, 'worker listens')
    if (this.#graceTimer) clearTimeout(this.#graceTimer)
    this.#graceTimer = null
    if (this.#starting && this.#slots.every((slot) => slot.worker?.isListening === true)) {
      this.#starting.resolve()
    }
    this.#observer.availabilityChanged()
  }

  #exited(slot: Slot, worker: WorkerProcess, why: string): void {
    slot.worker = null
    this.#logTroubles.exited(worker.pid)
    if (this.#isStopping) {
      if (this.#slots.every((other) => other.worker === null)) this.#leave()
      return
    }
    if (this.#starting) {
      this.#starting.reject(new TshaError('TSHA_E_WORKER', `a worker ${why} before it listened`))
      return
    }
    const { backoff, delayMs } = afterDeath(slot.backoff, this.#now() - worker.startedAt)
    slot.backoff = backoff
    this.#log.error({ worker: worker.pid, why, delayMs }, 'worker died, starting another')
    slot.restart = setTimeout(() => {
      this.#fork(slot)
    }, delayMs)
    if (this.#slots.some((other) => other.worker?.isListening === true)) return
    this.#graceTimer ??= setTimeout(() => {
      this.#graceTimer = null
      this.#observer.availabilityChanged()
    }, REPLACEMENT_GRACE_MS)
  }

  #ping(): void {
    const now = this.#now()
    // We stood still ourselves: answers may wait to be read.
    const wasPaused = now - this.#pingedAt > 2 * PING_INTERVAL_MS
    this.#pingedAt = now
    for (const { worker } of this.#slots) {
      if (!worker) continue
      if (wasPaused) worker.unansweredSince = null
      if (!worker.isListening) {
        if (now - worker.startedAt > START_TIMEOUT_MS)
          this.#killStuck(worker, 'does not begin to listen')
        continue
      }
      if (worker.unansweredSince !== null && now - worker.unansweredSince > STUCK_AFTER_MS) {
        this.#killStuck(worker, 'does not answer')
        continue
      }
      worker.unansweredSince ??= now
      worker.send({ type: 'ping', id: ++this.#pingId })
    }
  }

  #killStuck(worker: WorkerProcess, why: string): void {
    this.#log.error({ worker: worker.pid, why }, 'worker is stuck, killing it')
    worker.kill()
  }
}
