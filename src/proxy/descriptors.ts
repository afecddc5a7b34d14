import { readFileSync } from 'node:fs'
import { errnoOf } from '../errors.js'
import { OncePerPeriod } from './once-per-period.js'

/**
 * File descriptors. Where none is left libuv takes new connections and closes them unseen, and files
 * and connections cannot be opened. So no more connections are let in than there are descriptors for.
 */

/** What Node itself, the channel to the director, the listeners and the logs need, generously. */
const RESERVED = 40
/** Fewer connections make no proxy. */
const MIN_CONNECTIONS = 4
/** How many accepted sockets may wait for room at most, as in nginx's `listen … backlog`. */
const MAX_WAITING = 511
const WATCH_INTERVAL_MS = 1000
const SAY_INTERVAL_MS = 10_000
/** Connections that are given up at once when there is no descriptor left. */
const GIVE_UP_AT_ONCE = 4

const ACCEPT_FAILED = 'accept() failed (24: Too many open files)'

/** Errors that tell of a lack on our side, and nothing about whom we wanted to reach. */
const LACKS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

/** Whether an error says that this process or machine has run out of something. */
export function isLack(error: unknown): boolean {
  return LACKS.has(errnoOf(error) ?? '')
}

/**
 * How many descriptors this process may have open, Infinity if any number.
 * @returns null if there is none left to find out with
 */
export function openFileLimit(): number | null {
  try {
    const text = readFileSync('/proc/self/limits', 'latin1')
    const soft = /^Max open files +(\d+)/m.exec(text)?.[1]
    return soft === undefined ? Infinity : Number(soft)
  } catch (error) {
    return isLack(error) ? null : Infinity
  }
}

/** How many connections a worker may hold, and how many sockets may wait beside them unread. */
export interface ConnectionRoom {
  readonly connections: number
  readonly waiting: number
}

/** What is left of `worker_connections` under a limit of open files. */
export function connectionRoom(workerConnections: number, openFiles: number): ConnectionRoom {
  const all = openFiles - RESERVED
  const connections = Math.min(workerConnections, Math.max(MIN_CONNECTIONS, all))
  return { connections, waiting: Math.max(0, Math.min(MAX_WAITING, all - connections)) }
}

/** What a watch over descriptors does. */
export interface DescriptorOwner {
  /** Closes a connection that is least missed; false if there is none. */
  makeRoom(): boolean
  /** The limit may be another one now. */
  limitRead(openFiles: number): void
  say(level: 'crit' | 'notice', message: string): void
}

/** Notices when a process has run out of descriptors, says so once in a while, and when it is over. */
export class DescriptorWatch {
  readonly #owner: DescriptorOwner
  readonly #readLimit: () => number | null
  readonly #failures = new OncePerPeriod(SAY_INTERVAL_MS)
  readonly #refusals = new OncePerPeriod(SAY_INTERVAL_MS)
  #watchedAt = -Infinity
  #isShort = false

  constructor(owner: DescriptorOwner, readLimit: () => number | null = openFileLimit) {
    this.#owner = owner
    this.#readLimit = readLimit
  }

  /** A connection to an upstream server could not be opened. */
  failed(now: number): void {
    this.#isShort = true
    this.#tellFailures(this.#failures.happened(now))
  }

  /** A new client could not even be accepted, which is tried again at once, without end. */
  refused(now: number): void {
    this.#isShort = true
    this.#owner.makeRoom()
    const count = this.#refusals.happened(now)
    if (count > 0)
      this.#owner.say('crit', `${ACCEPT_FAILED} ${count === 1 ? 'once' : `${count} times`}`)
  }

  /** To be called a few times per second. */
  sweep(now: number): void {
    if (now - this.#watchedAt < WATCH_INTERVAL_MS) return
    this.#watchedAt = now
    this.#tellFailures(this.#failures.due(now))
    const limit = this.#readLimit()
    if (limit === null) this.#runShort()
    else {
      this.#owner.limitRead(limit)
      if (this.#isShort) this.#owner.say('notice', 'there are free file descriptors again')
      this.#isShort = false
    }
  }

  #runShort(): void {
    if (!this.#isShort) {
      this.#owner.say('crit', `${ACCEPT_FAILED}, new clients are closed`)
    }
    this.#isShort = true
    for (let i = 0; i < GIVE_UP_AT_ONCE; i++) if (!this.#owner.makeRoom()) return
  }

  #tellFailures(count: number): void {
    if (count === 0) return
    const what = count === 1 ? '1 connection' : `${count} connections`
    const message = `socket() failed (24: Too many open files) for ${what} to upstream servers`
    this.#owner.say('crit', message)
  }
}
