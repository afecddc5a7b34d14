import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, openSync, closeSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { familyOf, signalProcess } from '../test/netns/lab/process-tree.js'

const STOP_TIMEOUT_MS = 5000
const OUTPUT_LIMIT = 1024 * 1024

/** A program that runs until it is stopped. */
export interface Program {
  readonly name: string
  readonly pid: number
  /** Resolves when it has ended, with how it did. */
  readonly exited: Promise<string>
  /** What it has said on both outputs. */
  output(): string
  /** SIGTERM and, when that does not help, SIGKILL for it and everything that it started. */
  stop(): Promise<void>
}

/**
 * Everything that a benchmark or a soak starts and every file that it writes. Programs run in process
 * groups of their own, so that Ctrl-C reaches the starter alone, which then ends them by their ids.
 */
export class Fleet {
  /** Its own temporary directory, readable for all: nginx reads files as another user. */
  readonly directory: string
  /** Whether the files stay when it is closed. */
  keepsFiles = false
  readonly #children = new Map<ChildProcess, Promise<string>>()
  readonly #killAll = (): void => {
    for (const child of this.#children.keys()) killFamily(child)
    this.#removeFiles()
  }

  /** @param purpose part of the directory's name */
  constructor(purpose: string) {
    this.directory = mkdtempSync(join(tmpdir(), `tsha-${purpose}-`))
    chmodSync(this.directory, 0o755)
    // It stays when all is closed: something may be started in just that moment.
    process.once('exit', this.#killAll)
  }

  /** Starts a program whose outputs go to `NAME.log` in the directory. */
  start(name: string, argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Program {
    const log = join(this.directory, `${name}.log`)
    const fd = openSync(log, 'a')
    const child = spawn(argv[0] ?? '', argv.slice(1), {
      cwd: this.directory,
      env,
      stdio: ['ignore', fd, fd],
      detached: true
    })
    closeSync(fd)
    const exited = this.#watch(child)
    return {
      name,
      pid: child.pid ?? 0,
      exited,
      output: () => readFileSync(log, 'utf8').slice(-OUTPUT_LIMIT),
      stop: () => stop(child, exited)
    }
  }

  /** Starts a program that is spoken to through its standard input and output. */
  converse(argv: readonly string[]): ChildProcess {
    const child = spawn(argv[0] ?? '', argv.slice(1), {
      cwd: this.directory,
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true
    })
    void this.#watch(child)
    return child
  }

  /**
   * Runs a command to its end.
   * @returns its standard output
   * @throws {Error} with what it said when it fails or takes longer than `limitMs`
   */
  async run(argv: readonly string[], limitMs: number): Promise<string> {
    const child = spawn(argv[0] ?? '', argv.slice(1), {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true
    })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(-OUTPUT_LIMIT)
      })
    }
    const timer = setTimeout(() => {
      killFamily(child)
    }, limitMs)
    const how = await this.#watch(child)
    clearTimeout(timer)
    if (how === 'exit code 0') return output.stdout
    throw new Error(`${argv.join(' ')}: ${how}\n${output.stdout}${output.stderr}`.trim())
  }

  /** Empties all logs: minutes of access logs would fill the disk. */
  emptyLogs(): void {
    for (const name of readdirSync(this.directory)) {
      if (name.endsWith('.log')) truncateSync(join(this.directory, name))
    }
  }

  /** Ends what still runs and removes the directory. */
  async close(): Promise<void> {
    const running = [...this.#children]
    await Promise.all(running.map(([child, exited]) => stop(child, exited)))
    this.#removeFiles()
  }

  #removeFiles(): void {
    if (!this.keepsFiles) rmSync(this.directory, { recursive: true, force: true })
  }

  #watch(child: ChildProcess): Promise<string> {
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => {
        resolve(error.message)
      })
      child.once('close', (code, signal) => {
        resolve(signal ?? `exit code ${code ?? '?'}`)
      })
    }).finally(() => {
      this.#children.delete(child)
    })
    this.#children.set(child, exited)
    return exited
  }
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const family = familyOf(child.pid)
  signalProcess(child.pid, 'SIGTERM')
  const timer = setTimeout(() => {
    for (const pid of family) signalProcess(pid, 'SIGKILL')
  }, STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}

function killFamily(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  for (const pid of familyOf(child.pid)) signalProcess(pid, 'SIGKILL')
}
