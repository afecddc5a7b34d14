import { unlink } from 'node:fs/promises'
import type { AdminConfig, AdminToDirector, DirectorToAdmin } from '../../admin/messages.js'
import type { AdminEvent, Command, CommandResult, Status } from '../../admin/model.js'
import { messageOf } from '../../errors.js'
import { readAdminMessage } from './admin-inbox.js'
import { AdminOutbox } from './admin-outbox.js'
import { AdminProcess } from './admin-process.js'
import { refused } from '../orders/command-results.js'
import type { Log } from '../log.js'
import { RateBudget } from '../rate-budget.js'
import { afterDeath, FRESH } from '../workers/worker-backoff.js'

/** Events and recording lines leave at most this often. */
const FLUSH_MS = 100
/** A process that takes nothing for so long is put to an end, and another one begins. */
const STUCK_MS = 30_000
/** How long the process has for its last answers at the stop. */
const STOP_MS = 500
/** A warning of one text is said again only after this time, however often the process says it. */
const WARN_AGAIN_MS = 10_000
/**
 * The process speaks to the network, and must not be able to hold this one up: a status takes milliseconds
 * of its loop to make and to send, so that there is never more than one in this time.
 */
const STATUS_GAP_MS = 50
/** Orders beyond these are refused: an order costs about as much as a line of the log. */
const ORDERS = { perSecond: 100, burst: 200 }
const MOST_ORDERS_AT_ONCE = 64
/** A process that tells more than this does not do what it was written for. */
const MESSAGES = { perSecond: 2000, burst: 4000 }
const WARNINGS = { perSecond: 1, burst: 20 }
const TOO_MANY = refused('TSHA_E_CONFLICT', 'there are too many orders at once; try again later')

/** What the admin process can ask the director for. */
export interface AdminPorts {
  status(): Status
  /** @param by who asked, for the log */
  perform(command: Command, by: string): Promise<CommandResult>
  /** Kept events with an id above `id`, oldest first, at most `limit`. */
  eventsAfter(id: number, limit: number): readonly AdminEvent[]
  /**
   * The copy of the flight recording is empty now: what is recorded from here on is its beginning. At
   * most 4 MiB at once are taken before they are given up and this is called again.
   */
  recordingReset(): void
}

export interface AdminLinkOptions {
  readonly config: AdminConfig
  /** Whom the process becomes; null keeps what it is. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  readonly socketGid: number | null
  readonly version: string
  readonly log: Log
  readonly now: () => number
  readonly ports: AdminPorts
  /** Another program in the place of the admin process, for tests. */
  readonly entry?: string
}

/** How an admin process is to serve from now on. */
export type AdminChange = Pick<AdminLinkOptions, 'config' | 'user' | 'socketGid'>

/**
 * The director's end of the admin process: keeps one running, answers it, and tells it what happens.
 * Nothing here waits for it.
 */
export class AdminLink {
  #options: AdminLinkOptions
  #process: AdminProcess | null = null
  #outbox: AdminOutbox | null = null
  #backoff = FRESH
  #flushTimer: NodeJS.Timeout | null = null
  #stuckTimer: NodeJS.Timeout | null = null
  #restartTimer: NodeJS.Timeout | null = null
  /** The socket file that is ours, which is one that we have told a process to make. */
  #socket: string | null = null
  #hasBegun = false
  readonly #messages: RateBudget
  readonly #orders: RateBudget
  readonly #warnings: RateBudget
  #ordersAtOnce = 0
  /** Of the question for the status that is not answered yet. */
  #askedId: number | null = null
  #statusTimer: NodeJS.Timeout | null = null
  #isStatusOnItsWay = false
  #isReplacing = false
  #isStopping = false
  readonly #warnedAt = new Map<string, number>()

  constructor(options: AdminLinkOptions) {
    this.#options = options
    this.#messages = new RateBudget(MESSAGES)
    this.#orders = new RateBudget(ORDERS)
    this.#warnings = new RateBudget(WARNINGS)
  }

  /** Id of the process; 0 while there is none. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  start(): void {
    const { now, entry } = this.#options
    this.#removeFormerSocket()
    const admin = new AdminProcess(
      {
        message: (message) => {
          this.#receive(admin, message)
        },
        exited: (why) => {
          this.#exited(admin, why)
        }
      },
      now(),
      entry
    )
    this.#process = admin
  }

  /** The director has new events. */
  eventsCame(): void {
    this.#flushSoon()
  }

  /** Takes a line of the flight recording, one JSON. */
  record(line: string): void {
    if (!this.#outbox) return
    this.#outbox.record(line)
    this.#flushSoon()
  }

  /**
   * Puts a new process in the place of the present one, which gives its last answers: it reads token,
   * certificate and key anew. Event streams are cut and go on where they were.
   */
  replace(change: AdminChange): void {
    this.#options = { ...this.#options, ...change }
    if (this.#isStopping || this.#restartTimer) return
    if (!this.#process) {
      this.start()
      return
    }
    this.#isReplacing = true
    void this.#end(this.#process)
  }

  /** Sends what is recorded at once: who knows how long this process still lives. */
  flush(): void {
    this.#outbox?.flush()
  }

  /**
   * Leaves the process to itself, as if this one had died: it writes the recording down and ends. It
   * has half a second to take the last lines.
   */
  async abandon(): Promise<void> {
    this.#isStopping = true
    this.#clearTimers()
    if (!this.#process) return
    const admin = this.#process
    let patience: NodeJS.Timeout | undefined
    const tooLong = new Promise<void>((resolve) => (patience = setTimeout(resolve, STOP_MS)))
    await Promise.race([this.#outbox?.drain(), admin.exited, tooLong])
    clearTimeout(patience)
    admin.disconnect()
  }

  /** Ends the process: it has half a second for its last answers. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#clearTimers()
    this.#outbox?.flush()
    if (this.#process) await this.#end(this.#process)
    // It may have become a user who cannot remove its socket, or been killed before it came to it.
    if (this.#socket !== null) await unlink(this.#socket).catch(() => undefined)
  }

  #clearTimers(): void {
    const timers = [this.#flushTimer, this.#stuckTimer, this.#restartTimer, this.#statusTimer]
    for (const timer of timers) if (timer) clearTimeout(timer)
  }

  async #end(admin: AdminProcess): Promise<void> {
    if (!admin.send({ type: 'stopping' })) admin.kill()
    const killer = setTimeout(() => {
      admin.kill()
    }, STOP_MS)
    await admin.exited
    clearTimeout(killer)
  }

  #receive(admin: AdminProcess, value: unknown): void {
    const { log, now } = this.#options
    if (this.#process !== admin) return
    const message = readAdminMessage(value)
    if (message === null || !this.#messages.take(now())) {
      const what = message === null ? 'something that is no message' : 'too much'
      this.#warn(`the admin process tells ${what}; it is killed`)
      admin.kill()
      return
    }
    switch (message.type) {
      case 'ready':
        if (!this.#hasBegun) this.#begin(admin)
        return
      case 'listening':
        // What is removed at the end is what we have named, whatever the process says.
        if (message.where.includes(this.#options.config.socket ?? ''))
          this.#socket = this.#options.config.socket
        if (message.where.length > 0) {
          log.info({ where: message.where }, 'admin process listens')
        }
        return
      case 'refused':
        if (!this.#warnings.take(now())) return
        log.warn({ where: message.where }, `no administration there: ${message.message}`)
        return
      case 'warning':
        this.#warn(`admin: ${message.message}`)
        return
      case 'status':
        this.#askedId = message.id
        this.#answerStatus(admin)
        return
      case 'command':
        this.#perform(admin, message)
        return
    }
  }

  #begin(admin: AdminProcess): void {
    this.#hasBegun = true
    const { config, user, socketGid, version, ports } = this.#options
    admin.send({ type: 'start', config, user, socketGid, version })
    this.#outbox = new AdminOutbox(
      {
        eventsAfter: (id, limit) => ports.eventsAfter(id, limit),
        recordingReset: () => {
          ports.recordingReset()
        },
        dropped: (what) => {
          this.#warn(`the admin process did not take ${what}`)
        }
      },
      (message: DirectorToAdmin, taken) => {
        this.#stuckTimer ??= setTimeout(() => {
          this.#warn(`the admin process takes nothing for ${STUCK_MS / 1000} s; it is killed`)
          admin.kill()
        }, STUCK_MS)
        // A process that takes no message at all is as stuck: the timer runs on.
        return admin.send(message, () => {
          if (this.#process !== admin) return
          if (this.#stuckTimer) clearTimeout(this.#stuckTimer)
          this.#stuckTimer = null
          taken()
        })
      }
    )
    ports.recordingReset()
    this.#flushSoon()
  }

  /** Questions that come closer together get one answer, and none while the last one is not taken. */
  #answerStatus(admin: AdminProcess): void {
    if (this.#statusTimer || this.#isStatusOnItsWay || this.#askedId === null) return
    const id = this.#askedId
    this.#askedId = null
    const status = this.#status()
    // What it does not take now it asks for again.
    if (status === null) return
    this.#isStatusOnItsWay = admin.send({ type: 'status', id, status }, () => {
      if (this.#process !== admin) return
      this.#isStatusOnItsWay = false
      this.#answerStatus(admin)
    })
    this.#statusTimer = setTimeout(() => {
      this.#statusTimer = null
      if (this.#process === admin) this.#answerStatus(admin)
    }, STATUS_GAP_MS)
  }

  /** Null for a bug of ours, which is no reason to end a director that serves. */
  #status(): Status | null {
    try {
      return this.#options.ports.status()
    } catch (error) {
      this.#warn(`the status cannot be told: ${messageOf(error)}`)
      return null
    }
  }

  #perform(admin: AdminProcess, message: Extract<AdminToDirector, { type: 'command' }>): void {
    const { id, command, by } = message
    const { ports, log, now } = this.#options
    if (!this.#orders.take(now()) || this.#ordersAtOnce >= MOST_ORDERS_AT_ONCE) {
      admin.send({ type: 'result', id, result: TOO_MANY })
      return
    }
    this.#ordersAtOnce++
    ports
      .perform(command, by)
      .catch((error: unknown) => {
        log.error({ by }, `an order failed: ${messageOf(error)}`)
        return refused('TSHA_E_CONFLICT', `it failed: ${messageOf(error)}`)
      })
      .then((result) => {
        this.#ordersAtOnce--
        admin.send({ type: 'result', id, result })
      })
      .catch((error: unknown) => {
        this.#warn(`an answer cannot be told: ${messageOf(error)}`)
      })
  }

  #flushSoon(): void {
    if (!this.#outbox || this.#isStopping) return
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = null
      this.#outbox?.flush()
    }, FLUSH_MS)
  }

  #exited(admin: AdminProcess, why: string): void {
    const { log, now } = this.#options
    this.#process = null
    this.#outbox = null
    this.#hasBegun = false
    this.#askedId = null
    this.#isStatusOnItsWay = false
    if (this.#stuckTimer) clearTimeout(this.#stuckTimer)
    this.#stuckTimer = null
    if (this.#isStopping) return
    if (this.#isReplacing) {
      this.#isReplacing = false
      this.start()
      return
    }
    const { backoff, delayMs } = afterDeath(this.#backoff, now() - admin.startedAt)
    this.#backoff = backoff
    log.error({ admin: admin.pid, why, delayMs }, 'admin process died, starting another')
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = null
      this.start()
    }, delayMs)
  }

  /** The process had become a user who cannot remove it, and its successor listens elsewhere. */
  #removeFormerSocket(): void {
    const former = this.#socket
    if (former === null || former === this.#options.config.socket) return
    this.#socket = null
    unlink(former).catch(() => undefined)
  }

  #warn(message: string): void {
    const { log, now } = this.#options
    const at = now()
    if (at - (this.#warnedAt.get(message) ?? -Infinity) < WARN_AGAIN_MS) return
    if (!this.#warnings.take(at)) return
    if (this.#warnedAt.size > 100) this.#warnedAt.clear()
    this.#warnedAt.set(message, at)
    log.warn(message)
  }
}
