import type { Command, Config, Notify, NotifyFifo } from '../../config/model.js'
import { isSame } from '../../config/same.js'
import { messageOf } from '../../errors.js'
import type { ChildStarter } from '../../health/run-command.js'
import { monotonicNow } from '../../linux/clock.js'
import { Fifo, type PipeOwner } from '../../linux/fifo.js'
import type { IdentityOf } from '../identities.js'
import type { Log } from '../log.js'
import { FifoReader } from './fifo-reader.js'
import {
  fifoLine,
  programsFor,
  programsOf,
  toldChange,
  type NotifyKind,
  type NotifyState
} from './messages.js'
import { ScriptQueue, type NotifyScript } from './script-queue.js'

/** Scripts that run when we stop have this long. (keepalived: 1 s.) */
const STOP_GRACE_MS = 5000
/** From SIGTERM to SIGKILL, and then a moment. */
const KILL_MS = 2500

/** What a notifier needs. */
export interface NotifierOptions {
  readonly fifo: NotifyFifo | null
  readonly identityOf: IdentityOf
  readonly starter: ChildStarter
  readonly log: Log
}

/** Every program that may be run to notify: whose users have to be looked up. */
export function notifyCommandsOf(config: Config): readonly Command[] {
  const { virtualRouters, syncGroups, election } = config
  const reader = election.notifyFifo?.reader ?? null
  return [
    ...[...virtualRouters, ...syncGroups].flatMap(({ notify }) => programsOf(notify)),
    ...(reader ? [reader] : [])
  ]
}

/**
 * Tells the world what happens to virtual routers and sync groups: by scripts, one after the other for
 * each router and group, and by lines of a named pipe. No call waits for anything.
 */
export class Notifier {
  #identityOf: IdentityOf
  readonly #starter: ChildStarter
  readonly #log: Log
  #pipe: NotifyFifo | null
  #fifo: Fifo | null
  #reader: FifoReader | null
  readonly #queues = new Map<string, ScriptQueue>()
  #isPipeTold = false

  /** Opens the pipe and starts its reader. Never rejects: what cannot be had is told and done without. */
  static async open(options: NotifierOptions): Promise<Notifier> {
    const { fifo, log } = options
    return new Notifier(options, fifo && (await openPipe(fifo, options.identityOf, log)))
  }

  private constructor(options: NotifierOptions, fifo: Fifo | null) {
    const { identityOf, starter, log } = options
    this.#identityOf = identityOf
    this.#starter = starter
    this.#log = log
    this.#pipe = options.fifo
    this.#fifo = fifo
    this.#reader = this.#readerOf(options.fifo)
  }

  /** Whom the programs run as from now on. */
  setIdentities(identityOf: IdentityOf): void {
    this.#identityOf = identityOf
  }

  /**
   * Writes to another pipe from now on, unless it is the same one. Its reader is asked to end. Lines of the
   * moment in which neither is open are lost. Never rejects.
   */
  async setFifo(fifo: NotifyFifo | null): Promise<void> {
    if (isSame(fifo, this.#pipe)) return
    this.#pipe = fifo
    const [pipe, reader] = [this.#fifo, this.#reader]
    this.#fifo = null
    this.#reader = null
    await reader?.stop()
    await pipe?.close()
    this.#fifo = fifo && (await openPipe(fifo, this.#identityOf, this.#log))
    this.#reader = this.#readerOf(fifo)
  }

  /** A virtual router, or a sync group, is in another state now. */
  stateChanged(
    kind: NotifyKind,
    name: string,
    state: NotifyState,
    priority: number,
    notify: Notify
  ): void {
    const change = toldChange({ kind, name, state, priority }, notify)
    const queue = this.#queueOf(`${kind} ${name}`)
    for (const command of programsFor(change, notify)) queue.add(this.#scriptOf(command))
    this.#write(fifoLine(kind, name, change.state, priority))
  }

  /** The effective priority of a virtual router changed (keepalived's notify_priority_changes). */
  priorityChanged(name: string, isMaster: boolean, priority: number): void {
    const event = isMaster ? 'MASTER_PRIORITY' : 'BACKUP_PRIORITY'
    this.#write(fifoLine('INSTANCE', name, event, priority))
  }

  /** A master heard an advertisement of lower priority than its own, which is the one told. */
  masterRxLowerPriority(name: string, priority: number, notify: Notify): void {
    const command = notify.masterRxLowerPriority
    if (command) this.#queueOf(`INSTANCE ${name}`).addOnce(this.#scriptOf(command))
    this.#write(fifoLine('INSTANCE', name, 'MASTER_RX_LOWER_PRI', priority))
  }

  /**
   * Waits for the scripts, at most 5 s, and ends the one that hangs, so that those that wait behind it
   * have their turn: 10 s in all. The reader of the pipe is asked to
   * end when it can have read everything. Never rejects.
   */
  async stop(): Promise<void> {
    await Promise.all([this.#stopScripts(), this.#reader?.stop()])
    await this.#fifo?.close()
  }

  async #stopScripts(): Promise<void> {
    const queues = [...this.#queues.values()]
    const idle = Promise.all(queues.map((queue) => queue.untilIdle()))
    await atMost(STOP_GRACE_MS, idle)
    for (const queue of queues) queue.hurry()
    await atMost(KILL_MS, idle)
    for (const queue of queues) queue.end()
    await atMost(KILL_MS, idle)
  }

  #queueOf(owner: string): ScriptQueue {
    const known = this.#queues.get(owner)
    if (known) return known
    const queue = new ScriptQueue({
      starter: this.#starter,
      onTrouble: (message, [program]) => {
        this.#log.warn({ notify: owner, program }, `notify script ${message}`)
      }
    })
    this.#queues.set(owner, queue)
    return queue
  }

  #scriptOf({ command, ...wish }: Command): NotifyScript {
    return { command, ...this.#identityOf(wish) }
  }

  #write(line: string): void {
    if (!this.#fifo) return
    const outcome = this.#fifo.write(line)
    if (outcome !== 'written' && !this.#isPipeTold) {
      const why = outcome === 'full' ? 'is full: nobody reads it' : 'cannot be written'
      this.#log.warn(`the notify FIFO ${why}; lines are lost until that changes`)
    }
    this.#isPipeTold = outcome !== 'written'
  }

  #readerOf(fifo: NotifyFifo | null): FifoReader | null {
    return this.#fifo && fifo?.reader ? this.#startReader(fifo.reader, fifo.path) : null
  }

  #startReader(reading: Command, path: string): FifoReader {
    const script = this.#scriptOf({ ...reading, command: [...reading.command, path] })
    const reader = new FifoReader(script, this.#starter, monotonicNow, (message) => {
      this.#log.warn({ program: reading.command[0] }, `notify FIFO script ${message}`)
    })
    reader.start()
    return reader
  }
}

/** Null when it cannot be had, which is told. */
function openPipe(fifo: NotifyFifo, identityOf: IdentityOf, log: Log): Promise<Fifo | null> {
  return Fifo.open(fifo.path, ownerOf(fifo, identityOf)).catch((error: unknown) => {
    log.error({ fifo: fifo.path }, `no notify FIFO: ${messageOf(error)}`)
    return null
  })
}

/** Null is ourselves; a user that does not exist was refused with the configuration. */
function ownerOf(fifo: NotifyFifo, identityOf: IdentityOf): PipeOwner | null {
  if (fifo.user === null) return null
  const { uid, gid } = identityOf(fifo)
  return uid === undefined || gid === undefined ? null : { uid, gid }
}

async function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
