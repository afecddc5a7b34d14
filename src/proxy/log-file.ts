import { close, constants, fstat, fstatSync, open, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { errnoOf } from '../errors.js'
import { errnoText, type LineSink } from './error-log.js'
import { LineBuffer } from './line-buffer.js'
import { writeLines, type WriteResult } from './log-write.js'

/** Text that waits at most for a slow or full disk; lines beyond it are dropped and counted. */
const MAX_WAITING = 4 * 1024 * 1024
/** Text that is written without waiting for the next sweep. */
const FLUSH_AT = 64 * 1024
/** A file that takes nothing for so long is in trouble, and one that is well for so long is out of it. */
const PATIENCE_MS = 1000
/** How long a rotation or the end waits for what is being written. */
const DRAIN_LIMIT_MS = 1000
const STDERR = 2

const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR, O_WRONLY } = constants
/** Without O_NONBLOCK a FIFO that nobody reads would hold whoever opens it or writes to it. */
const APPEND = O_APPEND | O_CREAT | O_NONBLOCK
const MODE = 0o640

/** What happens to a log: it takes no lines, or it does again after so many were lost. */
export type LogNews = { readonly problem: string } | { readonly lost: number }

/**
 * A log file that never makes a request wait: lines are collected and appended in one write per
 * batch, one batch at a time. Its owner calls `sweep` a few times per second. When the disk is full or
 * hangs, lines wait for it; those for which there is no room are lost and counted.
 */
export class LogFile implements LineSink {
  /** Lines lost because the disk did not keep up or refused them. */
  dropped = 0
  readonly #path: string | null
  readonly #tell: (news: LogNews) => void
  #target: Target
  readonly #waiting = new LineBuffer()
  /** What a write has left over; it comes before what waits. */
  #rest: Buffer = NOTHING
  /** The write that is under way. */
  #write: Target | null = null
  /** Writes that did not end before the path was opened anew. */
  #abandoned = 0
  #stalledSince: number | null = null
  /** Whether the last thing heard of the file was bad. */
  #isFailing = false
  #wellSince: number | null = null
  /** Whether the last thing told of it was bad, and what was lost until then. */
  #hasProblem = false
  #droppedBefore = 0
  #onSettled: (() => void)[] = []

  /**
   * Opens the file for append and creates it if it is missing.
   * @param path null is standard error
   * @param tell hears once when it takes no lines, and once when it does again
   * @throws the system's error if the file cannot be opened
   */
  constructor(path: string | null, tell: (news: LogNews) => void = () => undefined) {
    this.#path = path
    this.#tell = tell
    const fd = path === null ? STDERR : openLog(path)
    this.#target = { fd, isPipe: path !== null && fstatSync(fd).isFIFO() }
  }

  /** Whether a write is under way; on a disk that hangs it never ends. */
  get isWriting(): boolean {
    return this.#write !== null || this.#abandoned > 0
  }

  /** Takes a line with its end. Its characters are bytes. */
  append(line: string): void {
    if (this.#waiting.length + this.#rest.length + line.length > MAX_WAITING) {
      this.#fail('it does not keep up')
      this.dropped++
      return
    }
    this.#waiting.add(line)
    if (this.#waiting.length >= FLUSH_AT && !this.#isFailing) this.flush()
  }

  /** Begins to write what waits, unless a write is under way. */
  flush(): void {
    if (this.#write !== null) return
    if (this.#rest.length === 0 && this.#waiting.length > 0) this.#rest = this.#waiting.take()
    if (this.#rest.length > 0) this.#writeRest()
  }

  /** Writes what waits, notices a write that does not end, and tells the end of trouble. */
  sweep(now: number): void {
    if (this.#write === null && this.#rest.length === 0) this.#stalledSince = null
    else this.#stalledSince ??= now
    if (this.#stalledSince !== null && now - this.#stalledSince >= PATIENCE_MS) {
      this.#fail(`it took nothing for ${PATIENCE_MS} ms`)
    }
    if (this.#hasProblem && !this.#isFailing) this.#recover(now)
    this.flush()
  }

  /**
   * Opens the path anew, for a log rotation. What was appended before goes to the old file if that
   * takes it soon, else to the new one.
   * @throws the system's error if the path cannot be opened; the old file stays in use then
   */
  async reopen(): Promise<void> {
    if (this.#path === null) return
    await this.drain()
    const fd = await openForAppend(this.#path)
    const isPipe = (await statOf(fd)).isFIFO()
    const old = this.#target.fd
    this.#target = { fd, isPipe }
    if (this.#write === null) closeQuietly(old)
    // A write that hangs keeps its batch and its descriptor, and the new file is written beside it.
    else {
      this.#write = null
      this.#abandoned++
    }
    this.flush()
  }

  /** Resolves when nothing waits to be written, or the file takes nothing now. Never rejects. */
  async drain(): Promise<void> {
    this.flush()
    if (this.#write === null) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, DRAIN_LIMIT_MS)
      this.#onSettled.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Writes what waits, if the file takes it soon; the rest is lost and counted. Closes the file. */
  async close(): Promise<void> {
    await this.drain()
    this.dropped += countLines(this.#rest) + countLines(this.#waiting.take())
    this.#rest = NOTHING
    if (this.#path !== null && this.#write === null) closeQuietly(this.#target.fd)
  }

  #writeRest(): void {
    // An object of its own, so that the end of this write is told from that of any other.
    const current = { ...this.#target }
    const lines = this.#rest
    this.#write = current
    this.#rest = NOTHING
    void writeLines(current.fd, lines, current.isPipe).then((result) => {
      if (this.#write === current) {
        this.#write = null
        this.#settle(result, lines.length)
      } else {
        // The path was opened anew meanwhile.
        this.#abandoned--
        this.dropped += result.lost + countLines(result.rest)
        closeQuietly(current.fd)
      }
    })
  }

  #settle({ rest, lost, error }: WriteResult, length: number): void {
    this.#rest = rest
    if (rest.length < length) this.#stalledSince = null
    // A pipe that is full for a moment is no trouble; one that stays so is noticed by `sweep`.
    if (error !== null && errnoOf(error) !== 'EAGAIN') this.#fail(errnoText(error))
    this.dropped += lost
    if (error === null && this.#waiting.length < FLUSH_AT) this.#isFailing = false
    const mayGoOn = error === null && this.#waiting.length > 0
    // Whatever is less waits for its owner's next sweep: a chain of small writes costs a thread each.
    if (mayGoOn && (this.#waiting.length >= FLUSH_AT || this.#onSettled.length > 0)) {
      this.flush()
      return
    }
    const settled = this.#onSettled
    this.#onSettled = []
    for (const resolve of settled) resolve()
  }

  #fail(problem: string): void {
    this.#isFailing = true
    this.#wellSince = null
    if (this.#hasProblem) return
    this.#hasProblem = true
    this.#droppedBefore = this.dropped
    this.#tell({ problem })
  }

  /** It takes lines again: believed when that lasts, so that a disk at its brim makes no noise. */
  #recover(now: number): void {
    this.#wellSince ??= now
    if (now - this.#wellSince < PATIENCE_MS) return
    this.#hasProblem = false
    this.#wellSince = null
    this.#tell({ lost: this.dropped - this.#droppedBefore })
  }
}

interface Target {
  readonly fd: number
  readonly isPipe: boolean
}

const NOTHING = Buffer.alloc(0)
const openAsync = promisify(open)
const statOf = promisify(fstat)

function openLog(path: string): number {
  try {
    return openSync(path, O_RDWR | APPEND, MODE)
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error
    // A file that may only be written to will do.
    return openSync(path, O_WRONLY | APPEND, MODE)
  }
}

/**
 * Opens a log file on a thread, since a disk that hangs must not hold the loop, and creates it if it is
 * missing. Also for reading if that is allowed: what a full disk took of a line is cut off again.
 * @param mode of a new file
 * @throws the system's error
 */
export async function openForAppend(path: string, mode = MODE): Promise<number> {
  try {
    return await openAsync(path, O_RDWR | APPEND, mode)
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error
    return openAsync(path, O_WRONLY | APPEND, mode)
  }
}

/** On a thread too; that a descriptor could not be closed helps nobody. */
function closeQuietly(fd: number): void {
  close(fd, () => undefined)
}

function countLines(text: Buffer): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}
