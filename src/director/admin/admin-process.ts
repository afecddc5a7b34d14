import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { DirectorToAdmin } from '../../admin/messages.js'
import { withoutCapabilities } from '../../linux/capabilities.js'

const ENTRY = fileURLToPath(new URL('../../admin/process.js', import.meta.url))

/** A process that takes nothing is sent nothing beyond this many messages. */
const MAX_UNSENT = 64

/** What the admin process tells its director. */
export interface AdminObserver {
  /** Whatever it was: an `AdminToDirector`, if all is well. */
  message(message: unknown): void
  exited(why: string): void
}

/** The admin process, from fork to exit. */
export class AdminProcess {
  readonly startedAt: number
  /** Resolves with its exit. */
  readonly exited: Promise<void>
  readonly #child: ChildProcess
  #unsent = 0

  /** @param entry the program, for tests */
  constructor(observer: AdminObserver, now: number, entry = ENTRY) {
    this.startedAt = now
    this.#child = withoutCapabilities(() =>
      fork(entry, [], {
        // What this process was started with, such as --inspect, is meant for this process.
        execArgv: [],
        serialization: 'json',
        stdio: ['ignore', 'inherit', 'inherit', 'ipc']
      })
    )
    this.exited = new Promise((resolve) => {
      const end = (why: string): void => {
        observer.exited(why)
        resolve()
      }
      this.#child.on('error', (error) => {
        // A lost channel is followed by `exit`; a process that never came to be is not.
        if (this.#child.pid === undefined) end(error.message)
      })
      this.#child.on('exit', (status, signal) => {
        end(signal ? `killed by ${signal}` : `exited with status ${status ?? '?'}`)
      })
    })
    this.#child.on('message', (message: unknown) => {
      observer.message(message)
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /**
   * Sends a message without waiting.
   *
   * @param taken called when the process has room for the next one
   * @returns false when it was dropped, because the process takes nothing or is gone
   */
  send(message: DirectorToAdmin, taken?: () => void): boolean {
    if (!this.#child.connected || this.#unsent >= MAX_UNSENT) return false
    this.#unsent++
    this.#child.send(message, undefined, {}, () => {
      this.#unsent--
      taken?.()
    })
    return true
  }

  /** The process goes on as if this one had died. */
  disconnect(): void {
    if (this.#child.connected) this.#child.disconnect()
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
