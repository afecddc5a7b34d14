import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { EventLog } from './event-log.js'
import { childrenOf, signalProcess } from './process-tree.js'

/** Bytes of each output that are kept; the oldest are forgotten first. */
const OUTPUT_LIMIT = 4 * 1024 * 1024
const LINE_LIMIT = 50_000
const START_TIMEOUT_MS = 10_000

/** How a process ended: an exit code, or the signal that killed it. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** What a finished command said. */
export interface Outcome extends Exit {
  readonly stdout: string
  readonly stderr: string
}

/** A line of output with the time at which it was read, in milliseconds since the epoch. */
export interface Line {
  readonly at: number
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** How a command is run inside a host. */
export interface SpawnOptions {
  /** Added to a clean environment: nothing of the test runner's own leaks in. */
  readonly env?: Readonly<Record<string, string>>
  /** Given to its standard input, which is then closed. */
  readonly input?: string | Buffer
  /** Called with every piece of stdout instead of splitting it into lines and keeping it. */
  readonly onStdout?: (piece: Buffer) => void
}

/** The environment of every program in the lab. */
export const CLEAN_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  TZ: 'UTC'
}

/**
 * A program inside a host of the lab. `nsenter` cannot pass signals on to what it runs, so this
 * knows the program's own id and signals it directly.
 */
export class LabProcess {
  readonly name: string
  readonly lines: EventLog<Line>
  /** Resolves when the program has ended; never rejects. */
  readonly exited: Promise<Exit>
  /** Resolves when the program has ended and its outputs are closed. */
  readonly closed: Promise<Exit>
  #child: ChildProcess
  #pid = 0
  #stdout = ''
  #stderr = ''
  #exit: Exit | null = null

  private constructor(name: string, argv: readonly string[], options: SpawnOptions) {
    this.name = name
    this.lines = new EventLog(`the output of ${name}`, LINE_LIMIT, (line) => line.text)
    // The fourth descriptor tells the moment at which the program is there. A group of its own keeps
    // the terminal's Ctrl-C away from it: who started the lab decides how it ends.
    this.#child = spawn(argv[0] ?? '', argv.slice(1), {
      env: { ...CLEAN_ENVIRONMENT, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      detached: true
    })
    const child = this.#child
    const failed = new Promise<Exit>((resolve) => {
      child.once('error', (error) => {
        this.#stderr += error.message
        resolve({ code: 127, signal: null })
      })
    })
    this.exited = Promise.race([
      failed,
      new Promise<Exit>((resolve) => {
        child.once('exit', (code, signal) => {
          resolve({ code, signal })
        })
      })
    ]).then((exit) => {
      this.#exit = exit
      return exit
    })
    this.closed = Promise.race([
      failed,
      new Promise<Exit>((resolve) => {
        child.once('close', (code, signal) => {
          resolve({ code, signal })
        })
      })
    ]).then((exit) => {
      this.lines.end(new Error(`${name} has ended (${describeExit(exit)})\n${this.#stderr}`))
      return exit
    })
    child.stdin?.on('error', () => {
      // The program may end before it has read its input: its exit says what it thought of that.
    })
    if (options.input !== undefined) child.stdin?.end(options.input)
    if (options.onStdout) child.stdout?.on('data', options.onStdout)
    else if (child.stdout) this.#collect(child.stdout, 'stdout')
    if (child.stderr) this.#collect(child.stderr, 'stderr')
  }

  /**
   * Starts a program through `nsenter` and resolves once it is there.
   * @param entrance the `nsenter` command up to the program
   */
  static async start(
    name: string,
    entrance: readonly string[],
    command: readonly string[],
    options: SpawnOptions = {}
  ): Promise<LabProcess> {
    const announce = ['sh', '-c', 'echo >&3; exec 3>&-; exec "$@"', 'sh']
    const process = new LabProcess(name, [...entrance, ...announce, ...command], options)
    await process.#started()
    return process
  }

  /** Id in the namespace of the caller, 0 when the program could not be started. */
  get pid(): number {
    return this.#pid
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** How it ended, or null while it runs. */
  get exit(): Exit | null {
    return this.#exit
  }

  /** Writes to its standard input, which stays open. */
  write(text: string): void {
    this.#child.stdin?.write(text)
  }

  closeInput(): void {
    this.#child.stdin?.end()
  }

  /** False when it had ended already. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#exit === null && this.#pid !== 0 && signalProcess(this.#pid, signal)
  }

  /** Ends it with a signal and, if it does not listen, after `timeoutMs` with SIGKILL. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 5000): Promise<Exit> {
    this.signal(signal)
    const timer = setTimeout(() => this.signal('SIGKILL'), timeoutMs)
    try {
      return await this.exited
    } finally {
      clearTimeout(timer)
    }
  }

  /** Everything it said, once it has ended. Killed when that takes longer than `timeoutMs`. */
  async outcome(timeoutMs: number): Promise<Outcome> {
    const timer = setTimeout(() => {
      this.#stderr += `\n${this.name} was killed after ${timeoutMs} ms`
      this.signal('SIGKILL')
    }, timeoutMs)
    try {
      const exit = await this.closed
      return { ...exit, stdout: this.#stdout, stderr: this.#stderr }
    } finally {
      clearTimeout(timer)
    }
  }

  async #started(): Promise<void> {
    const signal = this.#child.stdio[3] as Readable | null
    if (!signal) return
    signal.on('error', () => {
      // Ends with the program; its exit is what counts.
    })
    const up = new Promise<void>((resolve) => {
      signal.once('data', () => {
        resolve()
      })
    })
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), START_TIMEOUT_MS)
    await Promise.race([up, this.exited])
    clearTimeout(timer)
    this.#pid = this.#child.pid === undefined ? 0 : (childrenOf(this.#child.pid)[0] ?? 0)
    signal.resume()
  }

  #collect(stream: Readable, name: 'stdout' | 'stderr'): void {
    let rest = ''
    stream.setEncoding('utf8')
    stream.on('data', (piece: string) => {
      if (name === 'stdout') this.#stdout = (this.#stdout + piece).slice(-OUTPUT_LIMIT)
      else this.#stderr = (this.#stderr + piece).slice(-OUTPUT_LIMIT)
      const parts = (rest + piece).split('\n')
      rest = (parts.pop() ?? '').slice(-OUTPUT_LIMIT)
      const at = Date.now()
      for (const text of parts) this.lines.push({ at, stream: name, text })
    })
    stream.on('error', () => {
      // A pipe that breaks has the same meaning as its end.
    })
  }
}

/** `exit code 1`, or `SIGKILL`. */
export function describeExit(exit: Exit): string {
  return exit.signal ?? `exit code ${String(exit.code)}`
}
