import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { withoutCapabilities } from '../../linux/capabilities.js'
import type { DirectorMessage, WorkerMessage } from '../../proxy/worker-messages.js'

const ENTRY = fileURLToPath(new URL('../../proxy/worker.js', import.meta.url))

/** A worker that has not exited this long after its grace is killed. */
const KILL_MARGIN_MS = 250

/** What a worker process tells its supervisor. */
export interface WorkerObserver {
  message(worker: WorkerProcess, message: WorkerMessage): void
  /** It told something that cannot be understood, and is killed for it. */
  talkedNonsense(worker: WorkerProcess, error: unknown): void
  exited(worker: WorkerProcess, why: string): void
  /** Its channel is closed: no message follows. May come before or after `exited`. */
  silenced(worker: WorkerProcess): void
}

let isSetUp = false

/** Prepares this process to fork workers. */
export function setupWorkers(): void {
  if (isSetUp) return
  isSetUp = true
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
  /** It was told to end. */
  isEnding = false
  /** Resolves with true when it listens, with false if it exits before. */
  readonly started: Promise<boolean>
  readonly exited: Promise<void>
  /** When the ping that is not answered yet was sent; null when all are. */
  unansweredSince: number | null = null
  readonly #observer: WorkerObserver
  readonly #worker: Worker
  #settleStart: (isListening: boolean) => void = () => undefined
  #settleExit: () => void = () => undefined

  /** @param threads of libuv's pool in the worker */
  constructor(observer: WorkerObserver, now: number, threads: number) {
    this.startedAt = now
    this.#observer = observer
    this.started = new Promise((resolve) => (this.#settleStart = resolve))
    this.exited = new Promise((resolve) => (this.#settleExit = resolve))
    this.#worker = withoutCapabilities(() => cluster.fork({ UV_THREADPOOL_SIZE: threads }))
    this.#worker.on('error', (error) => {
      // A lost channel is followed by `exit`; a process that never came to be is not.
      if (this.#worker.process.pid === undefined) this.#end(error.message)
    })
    this.#worker.on('message', (message: WorkerMessage) => {
      try {
        this.#receive(message)
      } catch (error) {
        // A worker speaks to the network: whatever has become of it must not end its director.
        observer.talkedNonsense(this, error)
        this.kill()
      }
    })
    this.#worker.on('disconnect', () => {
      observer.silenced(this)
    })
    this.#worker.on('exit', (status: number | null, signal: string | null) => {
      this.#end(signal ? `killed by ${signal}` : `exited with status ${status ?? '?'}`)
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

  /**
   * Lets it finish what it serves for at most `graceMs`; after that it is killed. Resolves with its
   * exit. A second call may only shorten the time.
   */
  async end(graceMs: number): Promise<void> {
    this.isEnding = true
    this.send({ type: 'shutdown', graceMs })
    const killer = setTimeout(() => {
      this.kill()
    }, graceMs + KILL_MARGIN_MS)
    await this.exited
    clearTimeout(killer)
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  #receive(message: WorkerMessage): void {
    if (message.type === 'listening') {
      this.isListening = true
      this.#settleStart(true)
    }
    this.#observer.message(this, message)
  }

  #end(why: string): void {
    this.isListening = false
    this.#observer.exited(this, why)
    this.#settleStart(false)
    this.#settleExit()
  }
}
