import type { CommandResult } from '../../admin/model.js'
import type { SystemdNotifier } from '../../linux/sd-notify.js'
import type { Log } from '../log.js'

/** How an attempt to load the configuration anew ended. */
export interface LastReload {
  readonly at: Date
  readonly ok: boolean
  /** What changed; or, of a refused one, what is wrong. */
  readonly lines: readonly string[]
}

/** Sees to it that there is one reload at a time, and that systemd, the log and those who ask know of it. */
export class Reloads {
  readonly #log: Log
  readonly #systemd: SystemdNotifier
  #last: LastReload | null = null
  #running: Promise<unknown> | null = null

  constructor(log: Log, systemd: SystemdNotifier) {
    this.#log = log
    this.#systemd = systemd
  }

  /** The last one that ended; null when there was none. */
  get last(): LastReload | null {
    return this.#last
  }

  /** Resolves when the one that goes on, if any, has ended. Never rejects. */
  get ended(): Promise<void> {
    return Promise.resolve(this.#running).then(
      () => undefined,
      () => undefined
    )
  }

  /** Runs one, unless another one goes on. */
  async run(reload: () => Promise<CommandResult>): Promise<CommandResult> {
    if (this.#running !== null) {
      return { ok: false, code: 'TSHA_E_CONFLICT', lines: ['a reload is going on'] }
    }
    // CLOCK_MONOTONIC, by which systemd tells this reload from an earlier one.
    const usec = process.hrtime.bigint() / 1000n
    this.#systemd.notify('RELOADING=1', `MONOTONIC_USEC=${usec}`, 'STATUS=reloading')
    this.#log.info('reading the configuration anew')
    const running = reload()
    this.#running = running
    try {
      const result = await running
      this.#tell(result)
      return result
    } catch (error) {
      // Else systemd waits for the end of this reload.
      this.#systemd.notify('READY=1', 'STATUS=running; the last reload has failed, see the log')
      throw error
    } finally {
      this.#running = null
    }
  }

  #tell(result: CommandResult): void {
    const { ok, lines } = result
    // Who is stopping has said so, and says nothing else.
    if (!ok && result.code === 'TSHA_E_CONFLICT') return
    this.#last = { at: new Date(), ok, lines }
    if (ok) {
      this.#log.info({ changes: lines }, 'configuration reloaded')
      this.#systemd.notify('READY=1', 'STATUS=running')
      return
    }
    this.#log.error({ problems: lines }, 'reload refused: the old configuration stays')
    this.#systemd.notify('READY=1', 'STATUS=running; the last reload was refused, see the log')
  }
}
