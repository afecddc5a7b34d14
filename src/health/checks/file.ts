import { constants, watch, type FSWatcher } from 'node:fs'
import { open, statfs, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { parseFileValue } from '../file-value.js'

/** More than any number has; the rest of a file is not read. */
const READ_BYTES = 64
/** A write is a truncation, then the bytes: this long after the first sign of it both are there. */
const SETTLE_MS = 20
/** An empty file is believed when it still is so long after. */
const EMPTY_MS = 100
/** The safety net, and the only way where the kernel does not tell of changes. */
const POLL_MS = 2000
/** A disk or a server that takes this long hangs. */
const READ_TIMEOUT_MS = 1000

/**
 * File systems whose changes the kernel may not tell, and whose server may hang: NFS, CIFS, SMB2, FUSE,
 * AFS, Ceph, 9P. They are polled only (the numbers are those of linux/magic.h).
 */
const POLLED_ONLY: readonly number[] = [
  0x6969, 0xff534d42, 0xfe534d42, 0x65735546, 0x5346414f, 0x00c36400, 0x01021997
]

/** What a file is made to say at the start (keepalived's init_file). */
export interface InitialValue {
  readonly value: number
  /** Whether a file that is there is written over. */
  readonly overwrites: boolean
}

/** Whom a tracked file tells. */
export interface FileObserver {
  /** The first number, and each other one. */
  changed(value: number): void
  /** Something is wrong with it; told once until it is right again. */
  troubled(message: string): void
}

/**
 * Follows the number in a file: read at the start, after each sign of a change in its folder, and every
 * 2 s. A missing file, and one that cannot be read, is 0 (keepalived). No two reads run at once, so that
 * a server that hangs holds one thread at most; meanwhile the last number holds.
 */
export class FileCheck {
  readonly #path: string
  readonly #observer: FileObserver
  readonly #initial: InitialValue | null
  readonly #readBeginning: (path: string) => Promise<string>
  #value: number | null = null
  #watcher: FSWatcher | null = null
  #poll: NodeJS.Timeout | null = null
  #soon: NodeJS.Timeout | null = null
  #isReading = false
  #isWanted = false
  #wasEmpty = false
  #isStopped = false
  #trouble = ''

  /**
   * @param path an absolute path
   * @param initial written into it before it is read for the first time; null writes nothing
   */
  constructor(
    path: string,
    observer: FileObserver,
    initial: InitialValue | null = null,
    readBeginning = readBeginningOf
  ) {
    this.#path = path
    this.#observer = observer
    this.#initial = initial
    this.#readBeginning = readBeginning
  }

  /** Null until it was read for the first time. */
  get value(): number | null {
    return this.#value
  }

  /** What is wrong with it; null when nothing is. */
  get trouble(): string | null {
    return this.#trouble === '' ? null : this.#trouble
  }

  /** Takes the place of a check of another file: its number holds until ours was read. */
  takeOver(old: FileCheck): void {
    old.stop()
    this.#value = old.value
  }

  start(): void {
    this.#poll = setInterval(() => {
      this.#read()
    }, POLL_MS)
    if (this.#initial === null) this.#read()
    else void this.#write(this.#initial)
  }

  stop(): void {
    this.#isStopped = true
    if (this.#poll) clearInterval(this.#poll)
    if (this.#soon) clearTimeout(this.#soon)
    this.#watcher?.close()
  }

  /** Its disk may hang: what can be read meanwhile counts. */
  async #write({ value, overwrites }: InitialValue): Promise<void> {
    try {
      await writeFile(this.#path, `${value}\n`, { flag: overwrites ? 'w' : 'wx' })
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) this.#tell(`cannot be written: ${String(error)}`)
    }
    if (!this.#isStopped) this.#read()
  }

  #readIn(delayMs: number): void {
    if (this.#isStopped) return
    this.#soon ??= setTimeout(() => {
      this.#soon = null
      this.#read()
    }, delayMs)
  }

  #read(): void {
    if (this.#isReading) {
      this.#isWanted = true
      return
    }
    this.#isReading = true
    const late = setTimeout(() => {
      this.#tell(`did not answer within ${READ_TIMEOUT_MS} ms; its last number holds`)
    }, READ_TIMEOUT_MS)
    void this.#readOnce().then((content) => {
      clearTimeout(late)
      this.#isReading = false
      if (this.#isStopped) return
      this.#take(content)
      if (this.#isWanted) this.#readIn(SETTLE_MS)
      this.#isWanted = false
    })
  }

  /** The folder is asked first: a watch on a server that hangs would hold up more than a thread. */
  async #readOnce(): Promise<Content> {
    try {
      if (!this.#watcher) this.#watch(await statfs(dirname(this.#path)))
      return { text: await this.#readBeginning(this.#path), failure: null }
    } catch (error) {
      return { text: null, failure: hasCode(error, 'ENOENT') ? null : String(error) }
    }
  }

  #watch({ type }: { readonly type: number }): void {
    if (this.#isStopped || POLLED_ONLY.includes(type >>> 0)) return
    const name = basename(this.#path)
    this.#watcher = watch(dirname(this.#path), (_event, changed) => {
      if (changed === null || changed === name) this.#readIn(SETTLE_MS)
    })
    this.#watcher.on('error', () => {
      this.#unwatch()
    })
  }

  #unwatch(): void {
    this.#watcher?.close()
    this.#watcher = null
  }

  #take({ text, failure }: Content): void {
    if (text === null) {
      // Its folder may have been made anew: the next read watches the new one.
      this.#unwatch()
      if (failure === null) this.#trouble = ''
      else this.#tell(`cannot be read, which counts as 0: ${failure}`)
      this.#set(0)
      return
    }
    const isEmpty = text.trim() === ''
    if (isEmpty && !this.#wasEmpty && this.#value !== null) {
      this.#wasEmpty = true
      this.#readIn(EMPTY_MS)
      return
    }
    this.#wasEmpty = isEmpty
    const { value, isClean } = parseFileValue(text)
    if (isClean) this.#trouble = ''
    else this.#tell(describeBroken(text, value))
    if (value !== null) this.#set(value)
  }

  #set(value: number): void {
    if (value === this.#value) return
    this.#value = value
    this.#observer.changed(value)
  }

  #tell(message: string): void {
    if (this.#isStopped || message === this.#trouble) return
    this.#trouble = message
    this.#observer.troubled(`${this.#path} ${message}`)
  }
}

/** Opened so that a pipe, or a device, in its place does not keep us waiting. */
async function readBeginningOf(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const buffer = Buffer.alloc(READ_BYTES)
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The beginning of the file; null when it has none, and why if that is a failure. */
interface Content {
  readonly text: string | null
  readonly failure: string | null
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function describeBroken(text: string, value: number | null): string {
  const found = JSON.stringify(text.trim().slice(0, 20))
  return value === null
    ? `holds ${found}, which is beyond 32 bits; its last number holds`
    : `holds ${found}, which is no number alone; it counts as ${value}`
}
