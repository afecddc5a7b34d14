import type { Log } from '../log.js'
import type { WorkerProcess } from './worker-process.js'

/** A worker that does not begin to listen in this time is replaced. */
export const START_TIMEOUT_MS = 10_000
const PING_INTERVAL_MS = 1000
/** A worker whose loop stands still this long is stuck: killed, and replaced. */
const STUCK_AFTER_MS = 5000

/** Watches the loops of the workers: one that stands still or never begins to listen is killed. */
export class WorkerPings {
  readonly #workers: ReadonlySet<WorkerProcess>
  readonly #log: Log
  readonly #now: () => number
  #timer: NodeJS.Timeout | null = null
  #id = 0
  #pingedAt = 0

  /** @param workers all that live, those that begin and those that end among them */
  constructor(workers: ReadonlySet<WorkerProcess>, log: Log, now: () => number) {
    this.#workers = workers
    this.#log = log
    this.#now = now
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#ping()
    }, PING_INTERVAL_MS)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #ping(): void {
    const now = this.#now()
    // We stood still ourselves: answers may wait to be read.
    const wasPaused = now - this.#pingedAt > 2 * PING_INTERVAL_MS
    this.#pingedAt = now
    for (const worker of this.#workers) {
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
      worker.send({ type: 'ping', id: ++this.#id })
    }
  }

  #killStuck(worker: WorkerProcess, why: string): void {
    this.#log.error({ worker: worker.pid, why }, 'worker is stuck, killing it')
    worker.kill()
  }
}
