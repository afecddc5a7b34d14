import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { withoutCapabilities } from '../linux/capabilities.js'
import type { DirectorMessage, WorkerMessage } from '../proxy/worker-messages.js'

const ENTRY = fileURLToPath(new URL('../proxy/worker.js', import.meta.url))

/** What a worker process tells its supervisor. */
export interface WorkerObserver {
  message(worker: WorkerProcess, message: WorkerMessage): void
  exited(worker: WorkerProcess, why: string): void
}

/** Prepares this process to fork workers; to be called once. */
export function setupWorkers(): void {
  // Listeners are shared and the workers accept for themselves: cluster's round robin would put
  // every connection on the director's loop.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: ENTRY, args: [], serialization: 'json' })
}

/** One worker process, from fork to exit. */
export class WorkerProcess {
  readonly startedAt: number
  /** True from its `listening` until its exit. */
  isListening = false
  /** When the ping that is not answered yet was sent; null when all are. */
  unansweredSince: number | null = null
  readonly #worker: Worker

  /** @param threads of libuv's pool in the worker */
  constructor(observer: WorkerObserver, now: number, threads: number) {
    this.startedAt = now
    this.#worker = withoutCapabilities(() => cluster.fork({ UV_THREADPOOL_SIZE: threads }))
    this.#worker.on('error', (error) => {
      // A lost channel is followed by `exit`; a process that never came to be is not.
      if (this.#worker.process.pid === undefined) observer.exited(this, error.message)
    })
    this.#worker.on('message', (message: WorkerMessage) => {
      observer.message(this, message)
    })
    this.#worker.on('exit', (status: number | null, signal: string | null) => {
      this.isListening = false
      observer.exited(this, signal ? `killed by ${signal}` : `exited with status ${status ?? '?'}`)
    })
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0
  }

  /** Sends a message; one to a worker that is ending is lost, which its `exit` tells. */
  send(message: DirectorMessage): void {
    if (this.#worker.isConnected())
      this.#worker.process.send(message, undefined, {}, () => undefined)
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }
}
