import { ADDRCONFIG } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { messageOf } from '../../errors.js'
import type { Answer } from './name-record.js'

/** Resolves a name as the system does; may take as long as it likes. */
export type Lookup = (host: string) => Promise<readonly string[]>

/**
 * `getaddrinfo`, which reads /etc/hosts and asks DNS, on a thread of libuv's pool. Only families of
 * addresses that this machine has itself.
 */
export const systemLookup: Lookup = async (host) => {
  const found = await lookup(host, { all: true, hints: ADDRCONFIG })
  return found.map(({ address }) => address)
}

/** A lookup that takes longer is told as a failure; what it comes to later is told then. */
const LOOKUP_TIMEOUT_MS = 5000
/** Threads that lookups may hold: the pool has four, and the log and the files need some too. */
const MAX_RUNNING = 2
/** Of these, those that names may hold whose last lookup was slow: there is a way past them. */
const MAX_SLOW_RUNNING = 1
const SLOW_AFTER_MS = 1000

/** What is told about one lookup: its end, and before that once if it takes too long. */
export interface LookupObserver {
  late(problem: string): void
  ended(answer: Answer): void
}

interface Job {
  readonly host: string
  readonly observer: LookupObserver
}

/**
 * Lookups of names, few at a time, so that a name server that never answers holds neither the loop nor
 * all threads of this process. A lookup cannot be ended: its thread is only free when it returns.
 */
export class LookupQueue {
  readonly #lookup: Lookup
  readonly #now: () => number
  readonly #timeoutMs: number
  readonly #waiting: Job[] = []
  readonly #slowHosts = new Set<string>()
  readonly #running = new Set<Job>()
  #isStopped = false

  constructor(lookup: Lookup, now: () => number, timeoutMs = LOOKUP_TIMEOUT_MS) {
    this.#lookup = lookup
    this.#now = now
    this.#timeoutMs = timeoutMs
  }

  /** Looks a name up as soon as there is room; its owner asks again only after `ended`. */
  add(host: string, observer: LookupObserver): void {
    this.#waiting.push({ host, observer })
    this.#begin()
  }

  /** Nothing is told any more, and nothing begun. */
  stop(): void {
    this.#isStopped = true
    this.#waiting.length = 0
  }

  #begin(): void {
    while (!this.#isStopped && this.#running.size < MAX_RUNNING) {
      const index = this.#waiting.findIndex((job) => this.#mayRun(job))
      const [job] = index < 0 ? [] : this.#waiting.splice(index, 1)
      if (job === undefined) return
      this.#run(job)
    }
  }

  #mayRun({ host }: Job): boolean {
    if (!this.#slowHosts.has(host)) return true
    const slow = [...this.#running].filter((job) => this.#slowHosts.has(job.host))
    return slow.length < MAX_SLOW_RUNNING
  }

  #run(job: Job): void {
    const { host, observer } = job
    const startedAt = this.#now()
    this.#running.add(job)
    const timer = setTimeout(() => {
      this.#slowHosts.add(host)
      if (!this.#isStopped) observer.late(`no answer within ${this.#timeoutMs} ms`)
    }, this.#timeoutMs)
    this.#lookup(host)
      .then(
        (addresses): Answer =>
          addresses.length > 0 ? { addresses } : { problem: `${host} has no address` },
        (error: unknown): Answer => ({ problem: messageOf(error) })
      )
      .then((answer) => {
        clearTimeout(timer)
        this.#running.delete(job)
        if (this.#now() - startedAt > SLOW_AFTER_MS) this.#slowHosts.add(host)
        else this.#slowHosts.delete(host)
        if (this.#isStopped) return
        observer.ended(answer)
        this.#begin()
      })
      .catch((error: unknown) => {
        // Only an observer that throws gets here: our own bug, which must not pass unseen.
        process.nextTick(() => {
          throw error
        })
      })
  }
}
