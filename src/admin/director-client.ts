import { performance } from 'node:perf_hooks'
import type { AdminToDirector } from './messages.js'
import type { Command, CommandResult, Status } from './model.js'
import { HttpProblem } from './problem.js'

/** Scrapes that come closer together than this get the same status. */
const CACHED_MS = 100
/** A director that takes longer does not answer. */
const STATUS_TIMEOUT_MS = 1000
/** A question without an answer is asked again only after this time. */
const ASK_AGAIN_MS = 5000
/** Reading a configuration and replacing workers take their time. */
const COMMAND_TIMEOUT_MS = 90_000
const MAX_COMMANDS = 32

/** A status, and its JSON, which is written once for all who asked. */
export interface StatusAnswer {
  readonly status: Status
  readonly json: string
}

interface Waiter {
  readonly resolve: (answer: StatusAnswer) => void
  readonly timer: NodeJS.Timeout
}

interface PendingCommand {
  readonly resolve: (result: CommandResult) => void
  readonly timer: NodeJS.Timeout
}

/** Asks the director, over the channel between the two processes, and never waits for long. */
export class DirectorClient {
  readonly #tell: (message: AdminToDirector) => void
  readonly #waiters = new Set<Waiter>()
  readonly #commands = new Map<number, PendingCommand>()
  #nextId = 1
  #askedAt: number | null = null
  #cached: { readonly answer: StatusAnswer; readonly at: number } | null = null

  constructor(tell: (message: AdminToDirector) => void) {
    this.#tell = tell
  }

  /**
   * The status of the director, at most 100 ms old.
   *
   * @throws {HttpProblem} when it has not answered within a second
   */
  async status(): Promise<StatusAnswer> {
    const now = performance.now()
    if (this.#cached && now - this.#cached.at < CACHED_MS) return this.#cached.answer
    if (this.#askedAt === null || now - this.#askedAt > ASK_AGAIN_MS) {
      this.#askedAt = now
      this.#tell({ type: 'status', id: this.#nextId++ })
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter)
        const detail = `no answer within ${STATUS_TIMEOUT_MS / 1000} s`
        reject(new HttpProblem('TSHA_E_SILENT', detail, { headers: { 'Retry-After': '1' } }))
      }, STATUS_TIMEOUT_MS)
      const waiter: Waiter = { resolve, timer }
      this.#waiters.add(waiter)
    })
  }

  /** What was learned before is not true any more. */
  forgetStatus(): void {
    this.#cached = null
  }

  statusCame(status: Status): void {
    const answer = { status, json: JSON.stringify(status) }
    this.#askedAt = null
    this.#cached = { answer, at: performance.now() }
    for (const waiter of this.#waiters) {
      clearTimeout(waiter.timer)
      waiter.resolve(answer)
    }
    this.#waiters.clear()
  }

  /**
   * Has the director do something.
   *
   * @param by who asked, for its log
   * @throws {HttpProblem} when too many wait already, or when it does not answer
   */
  async perform(command: Command, by: string): Promise<CommandResult> {
    if (this.#commands.size >= MAX_COMMANDS) {
      const detail = `${MAX_COMMANDS} commands are waiting for the director`
      throw new HttpProblem('TSHA_E_TOO_MANY', detail, { headers: { 'Retry-After': '5' } })
    }
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#commands.delete(id)
        const detail = `no answer within ${COMMAND_TIMEOUT_MS / 1000} s; it may still be done`
        reject(new HttpProblem('TSHA_E_SILENT', detail))
      }, COMMAND_TIMEOUT_MS)
      this.#commands.set(id, { resolve, timer })
      this.#tell({ type: 'command', id, command, by })
    })
  }

  resultCame(id: number, result: CommandResult): void {
    const pending = this.#commands.get(id)
    if (!pending) return
    this.#commands.delete(id)
    clearTimeout(pending.timer)
    this.forgetStatus()
    pending.resolve(result)
  }
}
