import { spawn, type ChildProcess } from 'node:child_process'
import { wasPaused } from './pause.js'
import type { SpawnGate } from './spawn-gate.js'

/** After SIGTERM a program has this long before it is killed (keepalived). */
const KILL_DELAY_MS = 2000

/** What systemd and Node mean for this process alone. */
const OWN_VARIABLES: readonly string[] = [
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
  'NODE_OPTIONS',
  'NODE_CHANNEL_FD'
]

/** A program to be run, and as whom. */
export interface RunOptions {
  /** Program and arguments; run without a shell. */
  readonly command: readonly string[]
  readonly timeoutMs: number
  /** User and group to run as; undefined keeps ours. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/** How child processes are started. */
export interface ChildStarter {
  /** Wraps the call that starts the process, so that it gets none of our capabilities. */
  readonly fork: (start: () => ChildProcess) => ChildProcess
  readonly gate: SpawnGate
}

/** How a run came to its end. */
export type RunEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string }
  /** Its group has got SIGTERM, and SIGKILL follows 2 s later. */
  | { readonly kind: 'timed-out' }
  /** The same on our own wish, before its timeout. */
  | { readonly kind: 'terminated' }
  /** There is no such program, it may not be run, or its user does not exist. */
  | { readonly kind: 'not-started'; readonly message: string }
  /** It was ended on our own wish. */
  | { readonly kind: 'aborted' }

/** The environment of scripts: ours without what is meant for tsha itself. */
function childEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.includes(name))
  return Object.fromEntries(own)
}

/** Starts a program in a group of its own, in `/`, with nothing to read and its output discarded. */
export function spawnCommand({ command, uid, gid }: Omit<RunOptions, 'timeoutMs'>): ChildProcess {
  const [program = '', ...args] = command
  return spawn(program, args, {
    stdio: 'ignore',
    detached: true,
    cwd: '/',
    env: childEnvironment(),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid })
  })
}

/**
 * One run of a program, begun when its turn comes. What runs longer than its timeout gets SIGTERM, with
 * its whole process group, and 2 s later SIGKILL (keepalived).
 */
export class CommandRun {
  /** Resolves at the end of the program, or at its timeout; never rejects. */
  readonly end: Promise<RunEnd>
  /** Resolves when the program is gone; later than `end` if it ignores SIGTERM. Never rejects. */
  readonly gone: Promise<void>
  readonly #options: RunOptions
  readonly #signal: AbortSignal
  readonly #timers: NodeJS.Timeout[] = []
  #child: ChildProcess | null = null
  #leaveGate = (): void => undefined
  #isTerminated = false
  #tellEnd!: (end: RunEnd) => void
  #tellGone!: () => void

  /** @param signal aborted, everything of it is killed at once */
  constructor(options: RunOptions, starter: ChildStarter, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
    this.end = new Promise((resolve) => {
      this.#tellEnd = resolve
    })
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve
    })
    if (signal.aborted) {
      this.#finish({ kind: 'aborted' })
      return
    }
    signal.addEventListener('abort', this.#abort)
    this.#leaveGate = starter.gate.enter(() => {
      this.#start(starter)
    })
  }

  #start(starter: ChildStarter): void {
    try {
      this.#child = starter.fork(() => spawnCommand(this.#options))
    } catch (error) {
      // Node throws what it does not expect of spawn, such as EPERM; the rest comes as an event.
      this.#finish({ kind: 'not-started', message: messageOf(error) })
      return
    }
    this.#child.on('error', (error) => {
      this.#finish({ kind: 'not-started', message: error.message })
    })
    this.#child.on('exit', (status, killer) => {
      // What the program started may outlive it; the group ends with a program that was ended.
      if (this.#isTerminated) this.#kill('SIGKILL')
      this.#finish(
        killer ? { kind: 'killed', signal: killer } : { kind: 'exited', status: status ?? 0 }
      )
    })
    this.#limitTime()
  }

  /** A timeout that passed while we stood still is no fault of the program: it gets the time once more. */
  #limitTime(): void {
    const { timeoutMs } = this.#options
    const begun = performance.now()
    const timer = setTimeout(() => {
      if (wasPaused(begun, timeoutMs)) this.#limitTime()
      else this.#terminate('timed-out')
    }, timeoutMs)
    this.#timers.push(timer)
  }

  /** Ends it as its timeout would; what has had no turn yet is not begun. */
  terminate(): void {
    if (this.#child) {
      this.#terminate('terminated')
    } else {
      this.#leaveGate()
      this.#finish({ kind: 'aborted' })
    }
  }

  #terminate(kind: 'timed-out' | 'terminated'): void {
    this.#isTerminated = true
    this.#kill('SIGTERM')
    this.#timers.push(
      setTimeout(() => {
        this.#kill('SIGKILL')
      }, KILL_DELAY_MS)
    )
    this.#tellEnd({ kind })
  }

  readonly #abort = (): void => {
    this.#leaveGate()
    this.#kill('SIGKILL')
    if (this.#child === null) this.#finish({ kind: 'aborted' })
    else this.#tellEnd({ kind: 'aborted' })
  }

  /** The first end that is told counts. */
  #finish(end: RunEnd): void {
    this.#signal.removeEventListener('abort', this.#abort)
    for (const timer of this.#timers) clearTimeout(timer)
    this.#tellEnd(end)
    this.#tellGone()
  }

  #kill(signal: NodeJS.Signals): void {
    if (this.#child) signalGroup(this.#child, signal)
  }
}

/** Signals a program and all that it started and that stayed in its group. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: the group has ended by itself.
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
