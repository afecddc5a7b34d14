import { closeSync, openSync, write } from 'node:fs'
import type { LineSink } from './error-log.js'

/** Text that waits at most for a slow disk; lines beyond it are dropped and counted. */
const MAX_WAITING = 4 * 1024 * 1024
/** Text that is written without waiting for the next flush. */
const FLUSH_AT = 64 * 1024
const STDERR = 2

/**
 * A log file that never makes a request wait: lines are collected and appended in one write per
 * batch, one batch at a time. Its owner calls `flush` a few times per second.
 */
export class LogFile implements LineSink {
  /** Lines lost because the disk did not keep up or refused them. */
  dropped = 0
  readonly #path: string | null
  #fd: number
  #waiting = ''
  #isWriting = false
  #onIdle: (() => void)[] = []

  /**
   * Opens the file for append and creates it if it is missing.
   * @param path null is standard error
   * @throws the system's error if the file cannot be opened
   */
  constructor(path: string | null) {
    this.#path = path
    this.#fd = path === null ? STDERR : openSync(path, 'a', 0o640)
  }

  /** Takes a line with its end. Its characters are bytes. */
  append(line: string): void {
    if (this.#waiting.length + line.length > MAX_WAITING) {
      this.dropped++
      return
    }
    this.#waiting += line
    if (this.#waiting.length >= FLUSH_AT) this.flush()
  }

  /** Begins to write what waits, unless a write is under way. */
  flush(): void {
    if (this.#isWriting || this.#waiting === '') return
    const batch = Buffer.from(this.#waiting, 'latin1')
    this.#waiting = ''
    this.#isWriting = true
    this.#write(batch, 0)
  }

  /**
   * Opens the path anew, for a log rotation. What was appended before still goes to the old file.
   * @throws the system's error if the path cannot be opened; the old file stays in use then
   */
  async reopen(): Promise<void> {
    if (this.#path === null) return
    await this.drain()
    const fd = openSync(this.#path, 'a', 0o640)
    const old = this.#fd
    this.#fd = fd
    closeSync(old)
  }

  /** Resolves when nothing waits to be written. */
  async drain(): Promise<void> {
    this.flush()
    if (!this.#isWriting) return
    await new Promise<void>((resolve) => this.#onIdle.push(resolve))
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    await this.drain()
    if (this.#path !== null) closeSync(this.#fd)
  }

  #write(batch: Buffer, from: number): void {
    write(this.#fd, batch, from, batch.length - from, null, (error, written) => {
      if (error === null && from + written < batch.length) {
        this.#write(batch, from + written)
        return
      }
      if (error !== null) {
        for (const byte of batch.subarray(from)) if (byte === 0x0a) this.dropped++
      }
      this.#isWriting = false
      // Whatever is less waits for its owner's next flush: a chain of small writes costs a thread each.
      if (this.#waiting.length >= FLUSH_AT || this.#onIdle.length > 0) this.flush()
      // `flush` may have begun another write; TypeScript cannot see that it sets the flag again.
      if (this.#isWriting as boolean) return
      const waiting = this.#onIdle
      this.#onIdle = []
      for (const resolve of waiting) resolve()
    })
  }
}
