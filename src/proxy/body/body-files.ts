import { errnoText, type ErrorLog } from '../error-log.js'
import { OncePerPeriod } from '../once-per-period.js'
import type { BodyBudget } from './budget.js'

/** Time for the disk to do one thing; then it is as if it had failed. */
const OPERATION_MS = 30_000
/** One line in this time tells of a disk that fails, with the number of requests. */
const LOG_PERIOD_MS = 60_000

/** Something that waits for the disk. */
export interface DiskWaiter {
  /** Its time is over. */
  onTimeout(error: Error): void
}

/** What the temporary files of a worker have in common: where they are, and how their disk does. */
export class BodyFiles {
  readonly directory: string
  readonly budget: BodyBudget
  /** How many are open. */
  open = 0
  readonly #errorLog: ErrorLog
  readonly #now: () => number
  /** With the instants when their time is over, the earliest first. */
  readonly #waiters = new Map<DiskWaiter, number>()
  readonly #failures = new OncePerPeriod(LOG_PERIOD_MS)
  #failure = ''

  /** @param directory where the files are made */
  constructor(directory: string, budget: BodyBudget, errorLog: ErrorLog, now: () => number) {
    this.directory = directory
    this.budget = budget
    this.#errorLog = errorLog
    this.#now = now
  }

  /** The waiter begins to wait; it does so for one thing at a time. */
  await(waiter: DiskWaiter): void {
    this.#waiters.set(waiter, this.#now() + OPERATION_MS)
  }

  /** It does not wait any more. */
  settle(waiter: DiskWaiter): void {
    this.#waiters.delete(waiter)
  }

  /** The disk failed a body. @param call the system call, such as `open()` */
  failed(call: string, error: Error): void {
    this.#failure = `${call} of a temporary file in "${this.directory}" failed (${errnoText(error)})`
    this.#tell(this.#failures.happened(this.#now()))
  }

  /** Ends the waits that have become too long, and tells of failures that were not told yet. */
  sweep(now: number): void {
    this.#tell(this.#failures.due(now))
    for (const [waiter, deadline] of this.#waiters) {
      if (deadline > now) return
      this.#waiters.delete(waiter)
      waiter.onTimeout(TOO_SLOW)
    }
  }

  /** @param count of failures that are told now, 0 tells nothing */
  #tell(count: number): void {
    if (count === 0) return
    const times = count > 1 ? `, ${count} times since the last such line` : ''
    this.#errorLog.write('crit', `${this.#failure} while buffering a client request body${times}`)
  }
}

const TOO_SLOW = Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' })
