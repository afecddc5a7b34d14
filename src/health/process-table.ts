import { closeSync, openSync, readSync, readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'

/**
 * Processes that are read before the loop gets its turn: 0.2 ms. The kernel makes these files in
 * memory, so that reading one waits for nothing; through libuv's threads each costs the loop 12 times
 * as much (`docs/decisions/0025-tracking-and-notification.md`).
 */
const SLICE = 20
const STAT_BYTES = 1024
/** Longer command lines are compared by their beginning, and so never equal. */
const COMMAND_LINE_BYTES = 8192
const ZOMBIE = 'Z'

/** A process that runs. */
export interface ProcessEntry {
  readonly pid: number
  /** The name that the kernel keeps, at most 15 bytes. */
  readonly name: string
  /** Program and arguments as it was started; null when they were not asked for. */
  readonly commandLine: readonly string[] | null
}

/**
 * The processes of this machine. Their command lines lie in their own memory, which may be swapped out
 * or locked: they are read in a thread, one at a time, and once for each process and name.
 */
export class ProcessTable {
  readonly #folder: string
  readonly #readsCommandLines: boolean
  readonly #buffer = Buffer.alloc(STAT_BYTES)
  #commandLines = new Map<string, readonly string[]>()

  constructor(options: { readonly readsCommandLines: boolean; readonly folder?: string }) {
    this.#readsCommandLines = options.readsCommandLines
    this.#folder = options.folder ?? '/proc'
  }

  /** Reads all of them; zombies do not run and are left out (keepalived). */
  async read(): Promise<readonly ProcessEntry[]> {
    const known = new Map<string, readonly string[]>()
    const entries: ProcessEntry[] = []
    let sinceTurn = 0
    for (const pid of this.#pids()) {
      const stat = this.#readStat(pid)
      if (stat && stat.state !== ZOMBIE) {
        const key = `${pid} ${stat.startedAt} ${stat.name}`
        const commandLine = this.#readsCommandLines ? await this.#commandLineOf(pid, key) : null
        if (commandLine) known.set(key, commandLine)
        entries.push({ pid, name: stat.name, commandLine })
      }
      sinceTurn += 1
      if (sinceTurn % SLICE === 0) await setImmediate()
    }
    this.#commandLines = known
    return entries
  }

  #pids(): readonly number[] {
    return readdirSync(this.#folder).map(Number).filter(Number.isInteger)
  }

  #readStat(pid: number): Stat | null {
    try {
      const file = openSync(`${this.#folder}/${pid}/stat`, 'r')
      try {
        const size = readSync(file, this.#buffer, 0, STAT_BYTES, 0)
        return parseStat(this.#buffer.toString('utf8', 0, size))
      } finally {
        closeSync(file)
      }
    } catch {
      // It has ended meanwhile.
      return null
    }
  }

  async #commandLineOf(pid: number, key: string): Promise<readonly string[]> {
    const known = this.#commandLines.get(key)
    if (known) return known
    try {
      const file = await open(`${this.#folder}/${pid}/cmdline`)
      try {
        const buffer = Buffer.alloc(COMMAND_LINE_BYTES)
        const { bytesRead } = await file.read(buffer, 0, COMMAND_LINE_BYTES, 0)
        return buffer.toString('utf8', 0, bytesRead).replace(/\0$/, '').split('\0')
      } finally {
        await file.close()
      }
    } catch {
      // It has ended meanwhile.
      return []
    }
  }
}

/** What is wanted of `/proc/PID/stat`. */
interface Stat {
  readonly name: string
  readonly state: string
  /** Clock ticks after the machine's start; with the id it names a process for good. */
  readonly startedAt: string
}

/** `1234 (name) S …`: the name may hold blanks and brackets, the 22nd field is the start time. */
export function parseStat(text: string): Stat | null {
  const begin = text.indexOf('(')
  const end = text.lastIndexOf(')')
  if (begin < 0 || end < begin) return null
  const fields = text.slice(end + 2).split(' ')
  return { name: text.slice(begin + 1, end), state: fields[0] ?? '', startedAt: fields[19] ?? '' }
}
