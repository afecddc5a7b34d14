import { setTimeout as delay } from 'node:timers/promises'
import type { CommandResult, Status } from '../../admin/model.js'
import type { Config } from '../../config/model.js'
import { isSame } from '../../config/same.js'
import { messageOf } from '../../errors.js'
import { monotonicNow } from '../../linux/clock.js'
import { isRoot } from '../../linux/users.js'
import type { Log } from '../log.js'
import type { FlightRecorder } from '../recording/flight-recorder.js'
import type { Journal } from '../status/journal.js'
import { VERSION } from '../version.js'
import { AdminLink } from './admin-link.js'
import { adminPlan, type AdminPlan } from './admin-owner.js'

/** So long after a reload the admin process is still the one that was asked for it. */
const ANSWER_MS = 200

/** The director, as administrators see it. */
export interface AdministeredDirector {
  readonly log: Log
  readonly journal: Journal
  readonly recorder: FlightRecorder
  status(): Status
  perform(command: unknown, by: string): Promise<CommandResult>
}

/** Serves administrators as the configuration says. A director that cannot be watched still serves. */
export class Administration {
  readonly #director: AdministeredDirector
  #link: AdminLink | null = null
  /** By which it serves. */
  #plan: AdminPlan | null = null
  #isStopping = false

  constructor(director: AdministeredDirector) {
    this.#director = director
    director.journal.onEvent(() => {
      this.#link?.eventsCame()
    })
  }

  /** Begins to serve, without anybody waiting for it. */
  start(config: Config): void {
    this.#serve(config, 0).catch(this.#tell)
  }

  /**
   * Serves as another configuration says. The token and the certificate may be others under the same
   * names; a process that has nothing new to read stays, and nobody is cut off.
   */
  renew(config: Config): void {
    // Who asked for the reload gets the answer from the process that took the request.
    this.#serve(config, ANSWER_MS).catch(this.#tell)
  }

  /** The director will end: what led to it must not be lost. */
  flush(): void {
    this.#link?.flush()
  }

  /** @param isBroken the director ends as nobody wanted: a recording of it is left behind */
  async stop(isBroken: boolean): Promise<void> {
    this.#isStopping = true
    await (isBroken ? this.#link?.abandon() : this.#link?.stop())
  }

  readonly #tell = (error: unknown): void => {
    this.#director.log.warn(`no administration: ${messageOf(error)}`)
  }

  async #serve(config: Config, afterMs: number): Promise<void> {
    const plan = await adminPlan(config, isRoot())
    if (isSame(plan, this.#plan)) return
    this.#plan = plan
    if (afterMs > 0) await delay(afterMs, undefined, { ref: false })
    if (this.#isStopping) return
    const link = this.#link
    if (plan === null) {
      this.#link = null
      await link?.stop()
    } else if (link) link.replace(plan.change)
    else this.#begin(plan)
  }

  #begin({ change }: AdminPlan): void {
    const { log, journal, recorder } = this.#director
    const link = new AdminLink({
      ...change,
      version: VERSION,
      log,
      now: monotonicNow,
      ports: {
        status: () => this.#director.status(),
        perform: (command, by) => this.#director.perform(command, by),
        eventsAfter: (id, limit) => journal.after(id, limit),
        recordingReset: () => {
          recorder.onLines((lines) => {
            for (const line of lines) this.#link?.record(line)
          })
        }
      }
    })
    this.#link = link
    link.start()
  }
}
