import { TshaError, messageOf } from '../errors.js'
import { LogFile, type LogNews } from './log-file.js'

/** How often a log that could not be opened anew is tried again. */
const REOPEN_INTERVAL_MS = 1000

/** Told what happens to the log with this path; null is standard error. */
export type TellLog = (path: string | null, news: LogNews) => void

/** All log files of one process, each opened once. */
export class Logs {
  readonly #files = new Map<string | null, LogFile>()
  readonly #tell: TellLog
  /** Those that could not be opened anew, and when they were tried last. */
  readonly #unopened = new Set<string | null>()
  #triedAt = 0

  constructor(tell: TellLog) {
    this.#tell = tell
  }

  /**
   * @param path null is standard error
   * @throws {TshaError} TSHA_E_LOG_FILE
   */
  open(path: string | null): LogFile {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    try {
      const file = new LogFile(path, (news) => {
        this.#tell(path, news)
      })
      this.#files.set(path, file)
      return file
    } catch (error) {
      const message = `log file ${String(path)} cannot be opened: ${messageOf(error)}`
      throw new TshaError('TSHA_E_LOG_FILE', message, { cause: error })
    }
  }

  /** Lines that no log took. */
  get dropped(): number {
    let dropped = 0
    for (const file of this.#files.values()) dropped += file.dropped
    return dropped
  }

  /** Waits for the writes that are under way, but not for one that hangs. Returns whether all ended. */
  async settle(): Promise<boolean> {
    const files = [...this.#files.values()].filter((file) => file.isWriting)
    await Promise.all(files.map((file) => file.drain()))
    return !files.some((file) => file.isWriting)
  }

  /**
   * Opens all files anew. One that cannot be opened goes on in its old file and is tried again every
   * second until it can.
   * @param refused told once of each of these
   */
  async reopen(now: number, refused: (path: string, error: unknown) => void): Promise<void> {
    this.#triedAt = now
    await Promise.all(
      [...this.#files].map(async ([path, file]) => {
        try {
          await file.reopen()
          this.#unopened.delete(path)
        } catch (error) {
          if (!this.#unopened.has(path)) refused(String(path), error)
          this.#unopened.add(path)
        }
      })
    )
  }

  /** To be called a few times per second: writes what waits. */
  sweep(now: number): void {
    for (const file of this.#files.values()) file.sweep(now)
    if (this.#unopened.size === 0 || now - this.#triedAt < REOPEN_INTERVAL_MS) return
    this.#triedAt = now
    for (const path of this.#unopened) {
      this.#files
        .get(path)
        ?.reopen()
        .then(
          () => this.#unopened.delete(path),
          () => {
            // As before; that was told.
          }
        )
    }
  }

  /** Writes what waits, as far as the disks take it soon, and closes all files. */
  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.close()))
  }
}
