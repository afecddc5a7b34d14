import { randomUUID } from 'node:crypto'
import { close, constants, open, read, unlink, writev } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../errors.js'

/** Linux's flag for a file that never has a name; Node does not list it. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY
/** What a file system without such files says. */
const NO_TMPFILE: readonly (string | undefined)[] = ['EOPNOTSUPP', 'EISDIR', 'EINVAL']
const PRIVATE = 0o600

/** How an operation ended: with the system's error, or null. */
export type Opened = (error: Error | null, file: TempFile | null) => void
export type Transferred = (error: Error | null, bytes: number) => void

/**
 * A file without a name, for one reader and writer: whatever happens to this process, nothing of it is
 * left. Nothing here waits for the disk; several operations may run at a time.
 */
export class TempFile {
  readonly #fd: number
  #running = 0
  #isUnwanted = false
  #isClosed = false

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** Makes a file in a directory. */
  static create(directory: string, done: Opened): void {
    const flags = O_TMPFILE | constants.O_RDWR | constants.O_EXCL
    open(directory, flags, PRIVATE, (error, fd) => {
      if (error === null) done(null, new TempFile(fd))
      else if (NO_TMPFILE.includes(errnoOf(error))) TempFile.createNamed(directory, done)
      else done(error, null)
    })
  }

  /** The same where the file system only has files with names: it loses its name at once. */
  static createNamed(directory: string, done: Opened): void {
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
    const path = join(directory, `tsha-${randomUUID()}`)
    open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE, (error, fd) => {
      if (error !== null) {
        done(error, null)
        return
      }
      const file = new TempFile(fd)
      unlink(path, (error) => {
        if (error !== null) file.close()
        done(error, error === null ? file : null)
      })
    })
  }

  /** Writes all buffers at a position; with an error it tells how much of them is in the file. */
  write(buffers: readonly Buffer[], position: number, done: Transferred): void {
    this.#writeFrom([...buffers], position, 0, done)
  }

  /** Reads until the buffer is full. The end of the file is an error: there is never more to be read. */
  read(buffer: Buffer, position: number, done: Transferred): void {
    this.#readFrom(buffer, 0, position, done)
  }

  /** Closes the file, after the operations that run. */
  close(): void {
    this.#isUnwanted = true
    this.#closeIfDone()
  }

  #writeFrom(buffers: Buffer[], position: number, before: number, done: Transferred): void {
    this.#running++
    writev(this.#fd, buffers, position, (error, written) => {
      this.#running--
      const rest = error === null ? without(buffers, written) : []
      const isStuck = error === null && written === 0
      if (rest.length > 0 && !isStuck && !this.#isUnwanted) {
        this.#writeFrom(rest, position + written, before + written, done)
        return
      }
      this.#closeIfDone()
      done(error ?? (isStuck ? new Error('nothing was written') : null), before + (written || 0))
    })
  }

  #readFrom(buffer: Buffer, from: number, position: number, done: Transferred): void {
    this.#running++
    read(this.#fd, buffer, from, buffer.length - from, position, (error, count) => {
      this.#running--
      const end = from + count
      if (error === null && count > 0 && end < buffer.length && !this.#isUnwanted) {
        this.#readFrom(buffer, end, position + count, done)
        return
      }
      this.#closeIfDone()
      done(error ?? (count === 0 ? new Error('the file ended early') : null), end)
    })
  }

  #closeIfDone(): void {
    if (!this.#isUnwanted || this.#isClosed || this.#running > 0) return
    this.#isClosed = true
    // A descriptor that close() complains about is gone all the same.
    close(this.#fd, () => undefined)
  }
}

/** What is left of buffers of which so many bytes were written. */
function without(buffers: readonly Buffer[], written: number): Buffer[] {
  const rest: Buffer[] = []
  let left = written
  for (const buffer of buffers) {
    if (left < buffer.length) rest.push(buffer.subarray(left))
    left = Math.max(0, left - buffer.length)
  }
  return rest
}
