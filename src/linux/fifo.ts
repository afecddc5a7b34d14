import { execFile } from 'node:child_process'
import { writeSync } from 'node:fs'
import { constants, lstat, open, unlink, type FileHandle } from 'node:fs/promises'
import { errnoOf, messageOf } from '../errors.js'

/** `mkfifo` talks to the kernel only; one that takes this long hangs. */
const TIMEOUT_MS = 2000
/** keepalived's: its owner reads and writes it, nobody else. */
const MODE = '600'
const { O_RDWR, O_NONBLOCK, O_NOFOLLOW } = constants

/** Whom a pipe belongs to. */
export interface PipeOwner {
  readonly uid: number
  readonly gid: number
}

/** Whether a line went into the pipe. */
export type PipeWrite = 'written' | 'full' | 'failed'

/**
 * A named pipe that is written to without ever waiting. It is open for reading too, as keepalived does
 * it: lines wait for a reader that comes later, until the kernel's 64 KiB are full.
 */
export class Fifo {
  readonly #path: string
  readonly #file: FileHandle
  readonly #isOurs: boolean

  /**
   * Opens the pipe, and makes it if it is not there.
   *
   * @param owner whom it belongs to when we make it; null is ourselves
   * @throws {Error} what the system refused, or that something else has this name
   */
  static async open(path: string, owner: PipeOwner | null = null): Promise<Fifo> {
    const isOurs = !(await exists(path))
    if (isOurs) await makeFifo(path)
    const file = await open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW)
    try {
      if (isOurs && owner) await file.chown(owner.uid, owner.gid)
    } catch (error) {
      await file.close()
      throw error
    }
    return new Fifo(path, file, isOurs)
  }

  private constructor(path: string, file: FileHandle, isOurs: boolean) {
    this.#path = path
    this.#file = file
    this.#isOurs = isOurs
  }

  /** Writes a line of at most 4096 bytes, whole or not at all. */
  write(line: string): PipeWrite {
    try {
      writeSync(this.#file.fd, line)
      return 'written'
    } catch (error) {
      return errnoOf(error) === 'EAGAIN' ? 'full' : 'failed'
    }
  }

  /** Removes the pipe if we made it. Never rejects. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined)
    // Somebody else may have removed it: it is gone, which is what was wanted.
    if (this.#isOurs) await unlink(this.#path).catch(() => undefined)
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    if ((await lstat(path)).isFIFO()) return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
  throw new Error(`${path} is not a named pipe`)
}

function makeFifo(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const
    execFile('mkfifo', ['-m', MODE, '--', path], options, (error, _stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() || messageOf(error)))
      else resolve()
    })
  })
}
