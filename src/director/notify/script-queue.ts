import { CommandRun, type ChildStarter, type RunEnd } from '../../health/run-command.js'

/** Long enough for the interface of any cloud; a script that takes longer hangs. */
const TIMEOUT_MS = 60_000
/** Scripts that wait for the one that runs. */
const MOST_WAITING = 32

const FINE = ''

/** A script that is to be run, and as whom. */
export interface NotifyScript {
  readonly command: readonly string[]
  readonly uid: number | undefined
  readonly gid: number | undefined
  /** Why it cannot be run. */
  readonly obstacle?: string
}

/** What a queue needs, and whom it tells of what went wrong. */
export interface ScriptQueueOptions {
  readonly starter: ChildStarter
  readonly onTrouble: (message: string, command: readonly string[]) => void
  readonly timeoutMs?: number
}

/**
 * The notify scripts of one virtual router or group, one after the other: the last one that runs tells
 * the last state. (keepalived starts them side by side.) One that hangs is ended after a minute; when 32
 * wait, the oldest of them is dropped, never the newest.
 */
export class ScriptQueue {
  readonly #options: ScriptQueueOptions
  readonly #waiting: NotifyScript[] = []
  readonly #never = new AbortController()
  #run: CommandRun | null = null
  #idle: (() => void)[] = []
  #isOverflowing = false
  /** What was told of each program last, until it succeeds: a script that always fails says it once. */
  readonly #told = new Map<string, string>()

  constructor(options: ScriptQueueOptions) {
    this.#options = options
  }

  add(script: NotifyScript): void {
    this.#waiting.push(script)
    if (this.#waiting.length > MOST_WAITING) this.#dropOldest()
    if (!this.#run) this.#next()
  }

  /** The same, unless it waits already: for what others can make happen as often as they like. */
  addOnce(script: NotifyScript): void {
    const text = JSON.stringify(script.command)
    if (!this.#waiting.some(({ command }) => JSON.stringify(command) === text)) this.add(script)
  }

  /** Resolves when nothing runs and nothing waits. */
  async untilIdle(): Promise<void> {
    if (!this.#run) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Ends what runs, as `end` does, and goes on with what waits. */
  hurry(): void {
    this.#run?.terminate()
  }

  /** Starts nothing more, and ends what runs: SIGTERM, and SIGKILL 2 s later. */
  end(): void {
    this.#waiting.length = 0
    this.#run?.terminate()
  }

  #dropOldest(): void {
    const dropped = this.#waiting.shift()
    if (!this.#isOverflowing && dropped) {
      this.#tell(`was dropped: ${MOST_WAITING} scripts wait for one that does not end`, dropped)
    }
    this.#isOverflowing = true
  }

  #next(): void {
    const script = this.#waiting.shift()
    if (!script) {
      this.#isOverflowing = false
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    if (script.obstacle !== undefined) {
      this.#tell(`could not be run: ${script.obstacle}`, script)
      this.#next()
      return
    }
    const timeoutMs = this.#options.timeoutMs ?? TIMEOUT_MS
    const run = new CommandRun({ ...script, timeoutMs }, this.#options.starter, this.#never.signal)
    this.#run = run
    void run.end.then((end) => {
      this.#tell(describe(end, timeoutMs), script)
    })
    void run.gone.then(() => {
      this.#run = null
      this.#next()
    })
  }

  #tell(message: string, { command }: NotifyScript): void {
    const program = command[0] ?? ''
    if (message === this.#told.get(program)) return
    this.#told.set(program, message)
    if (message !== FINE) this.#options.onTrouble(message, command)
  }
}

/** What is to be told of the end of a script; `FINE` for nothing. */
function describe(end: RunEnd, timeoutMs: number): string {
  switch (end.kind) {
    case 'exited':
      return end.status === 0 ? FINE : `exited with status ${end.status}`
    case 'killed':
      return `was killed by ${end.signal}`
    case 'timed-out':
      return `did not end within ${timeoutMs} ms and is killed`
    case 'terminated':
      return 'did not end before tsha and is killed'
    case 'not-started':
      return `could not be run: ${end.message}`
    case 'aborted':
      return FINE
  }
}
