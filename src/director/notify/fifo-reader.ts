import type { ChildProcess } from 'node:child_process'
import { signalGroup, spawnCommand, type ChildStarter } from '../../health/run-command.js'
import { messageOf } from '../../errors.js'
import { afterDeath, FRESH } from '../workers/worker-backoff.js'
import type { NotifyScript } from './script-queue.js'

/** After SIGTERM it has this long to read what is left in the pipe. */
const STOP_MS = 2000
/** It had time to do its work: when it ends after that, this is told again. */
const STABLE_MS = 10_000

/**
 * The program that reads the pipe, with the pipe's path as its last argument. It is started again when
 * it ends, later and later, up to every 3 s. (keepalived 2.2.7 does not start it again.)
 */
export class FifoReader {
  readonly #script: NotifyScript
  readonly #starter: ChildStarter
  readonly #now: () => number
  readonly #onTrouble: (message: string) => void
  #child: ChildProcess | null = null
  #timer: NodeJS.Timeout | null = null
  #leaveGate = (): void => undefined
  #backoff = FRESH
  #isTold = false
  #isStopping = false
  #ended: (() => void) | null = null

  /** @param now milliseconds of a monotonic clock */
  constructor(
    script: NotifyScript,
    starter: ChildStarter,
    now: () => number,
    onTrouble: (message: string) => void
  ) {
    this.#script = script
    this.#starter = starter
    this.#now = now
    this.#onTrouble = onTrouble
  }

  start(): void {
    const { obstacle } = this.#script
    if (obstacle === undefined) this.#begin()
    else this.#onTrouble(`could not be run: ${obstacle}`)
  }

  /** Ends it with SIGTERM, and 2 s later with SIGKILL; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#leaveGate()
    if (this.#timer) clearTimeout(this.#timer)
    const child = this.#child
    if (!child) return
    const gone = new Promise<void>((resolve) => {
      this.#ended = resolve
    })
    signalGroup(child, 'SIGTERM')
    const killer = setTimeout(() => {
      signalGroup(child, 'SIGKILL')
    }, STOP_MS)
    await gone
    clearTimeout(killer)
  }

  #begin(): void {
    this.#leaveGate = this.#starter.gate.enter(() => {
      this.#spawn()
    })
  }

  #spawn(): void {
    const begun = this.#now()
    let child: ChildProcess
    try {
      child = this.#starter.fork(() => spawnCommand(this.#script))
    } catch (error) {
      this.#again(`could not be run: ${messageOf(error)}`, 0)
      return
    }
    this.#child = child
    child.on('error', (error) => {
      this.#again(`could not be run: ${error.message}`, 0)
    })
    child.on('exit', (status, signal) => {
      const how = signal ? `was killed by ${signal}` : `exited with status ${status ?? 0}`
      this.#again(how, this.#now() - begun)
    })
  }

  #again(how: string, livedMs: number): void {
    this.#child = null
    if (this.#isStopping) {
      this.#ended?.()
      return
    }
    if (!this.#isTold || livedMs >= STABLE_MS) this.#onTrouble(`${how}; it is started again`)
    this.#isTold = true
    const { backoff, delayMs } = afterDeath(this.#backoff, livedMs)
    this.#backoff = backoff
    this.#timer = setTimeout(() => {
      this.#begin()
    }, delayMs)
  }
}
