import { basename } from 'node:path'
import type { Director } from './director.js'
import { EventLog } from './event-log.js'
import type { Host } from './host.js'
import type { Lab } from './lab.js'
import type { LabProcess } from './lab-process.js'
import { installPairFiles, ON_DIRECTOR, TSHA_COMMAND, type Role } from './pair-files.js'
import {
  childrenOf,
  commandLineOf,
  familyOf,
  parentOf,
  programOf,
  signalProcess
} from './process-tree.js'

const START_TIMEOUT_MS = 15_000
const STOP_TIMEOUT_MS = 15_000
const WORKER_TIMEOUT_MS = 10_000
const RELOAD_TIMEOUT_MS = 20_000
const LOG_LIMIT = 20_000
/** Far shorter than the start of a worker, so that none ever comes to serve. */
const KILL_AGAIN_MS = 10

/** A line of tsha's log. */
export type LogLine = Readonly<Record<string, unknown>>

/** `tsha run` with the old files of the pair: what an administrator types on the first day. */
export const OLD_FILES: readonly string[] = [
  ...['--keepalived-conf', ON_DIRECTOR.keepalived],
  ...['--nginx-conf', ON_DIRECTOR.nginx]
]

/** With an admin process. */
export const WATCHED = { isWatched: true }

/** A director with tsha. */
export class TshaDirector implements Director {
  readonly product = 'tsha'
  readonly host: Host
  /** What it logged, over all of its lives. */
  readonly log: EventLog<LogLine>
  readonly #role: Role
  readonly #flags: readonly string[]
  readonly #isWatched: boolean
  #process: LabProcess | null = null
  /** Mark of the log at the beginning of this life. */
  #born = 0
  #killing: NodeJS.Timeout | null = null

  /**
   * @param flags of `tsha run`, besides `--role`
   * @param isWatched whether it has an admin process, which costs a third of a second to start; where
   * nobody asks anything it is left out
   */
  constructor(
    host: Host,
    role: Role,
    flags: readonly string[] = OLD_FILES,
    { isWatched = false }: { readonly isWatched?: boolean } = {}
  ) {
    this.host = host
    this.log = new EventLog(`the log of tsha on ${host.name}`, LOG_LIMIT, (line) =>
      JSON.stringify(line)
    )
    this.#role = role
    this.#flags = flags
    this.#isWatched = isWatched
  }

  /** The command, as an administrator types it. */
  get command(): string {
    return ['tsha', 'run', '--role', this.#role, ...this.#flags].join(' ')
  }

  async start(): Promise<void> {
    await installPairFiles(this.host, this.#role)
    await this.startProcess()
  }

  /** Starts it with the files that are there. */
  async startProcess(): Promise<void> {
    const { mark } = this.log
    this.#born = mark
    const watch = this.#isWatched ? [] : ['--admin-socket', 'off']
    const args = [TSHA_COMMAND, 'run', '--role', this.#role, ...this.#flags, ...watch]
    const tsha = await this.host.spawn(process.execPath, args)
    this.#process = tsha
    tsha.lines.follow((line) => {
      if (line.stream === 'stdout' && line.text.startsWith('{')) this.log.push(readLine(line.text))
    })
    const participates = this.log.waitFor(isStateChange, 'state change', START_TIMEOUT_MS, mark)
    const ended = tsha.closed.then(() => {
      throw new Error(`tsha on ${this.host.name} ended at once:\n${tsha.stdout}\n${tsha.stderr}`)
    })
    ended.catch(() => {
      // Later its end is what a test asked for.
    })
    await Promise.race([participates, ended])
  }

  /** Id of the director process, for the caller; 0 when it was never started. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Everything it wrote to stderr in this life. */
  get stderr(): string {
    return this.#process?.stderr ?? ''
  }

  /** Ids, for the caller, of the proxy workers that live now. */
  get workers(): readonly number[] {
    const node = basename(process.execPath)
    return childrenOf(this.pid).filter((pid) => {
      // A child that is about to become another program still carries the director's title.
      const title = commandLineOf(pid)
      return (
        programOf(pid) === node &&
        title !== '' &&
        !/^tsha: (?:director|admin)|\/admin\/process\.js/.test(title)
      )
    })
  }

  /**
   * Resolves with the workers when at least `count` of them carry their title.
   * @param others ids of workers that do not count; one that was just killed is still to be seen
   */
  async waitForWorkers(count: number, others: readonly number[] = []): Promise<readonly number[]> {
    const deadline = Date.now() + WORKER_TIMEOUT_MS
    for (;;) {
      const ready = this.workers.filter(
        (pid) => !others.includes(pid) && commandLineOf(pid).startsWith('tsha: worker')
      )
      if (ready.length >= count) return ready
      if (Date.now() > deadline) throw new Error(`${ready.length} workers, expected ${count}`)
      await new Promise((resolve) => setTimeout(resolve, KILL_AGAIN_MS))
    }
  }

  /** Resolves when a virtual router comes to a state, such as `master`. */
  async waitForState(to: string, timeoutMs: number, mark = 0): Promise<LogLine> {
    return this.log.waitFor(
      (line) => isStateChange(line) && line['to'] === to,
      `change to ${to}`,
      timeoutMs,
      mark
    )
  }

  /**
   * Kills every worker, and every one that comes after it, until `startProxy`.
   * @param spared ids of workers that may live
   */
  async stopProxy(spared: readonly number[] = []): Promise<number> {
    await this.waitForWorkers(1)
    const at = Date.now()
    this.#killWorkers(spared)
    this.#killing ??= setInterval(() => {
      this.#killWorkers(spared)
    }, KILL_AGAIN_MS)
    this.#killing.unref()
    return at
  }

  async startProxy(): Promise<void> {
    this.#letWorkersLive()
    await this.waitForWorkers(1)
  }

  /** Tells it to read its configuration anew; resolves with the line of the log that tells the outcome. */
  async reload(): Promise<LogLine> {
    const mark = this.log.mark
    signalProcess(this.pid, 'SIGHUP')
    return this.log.waitFor(
      ({ msg }) => msg === 'configuration reloaded' || String(msg).startsWith('reload refused'),
      'end of the reload',
      RELOAD_TIMEOUT_MS,
      mark
    )
  }

  async stop(): Promise<number> {
    const at = Date.now()
    this.#letWorkersLive()
    const exit = await this.#process?.stop('SIGTERM', STOP_TIMEOUT_MS)
    if (exit?.code !== 0) {
      throw new Error(`tsha on ${this.host.name} did not end well: ${JSON.stringify(exit)}`)
    }
    // Its last line may come after its exit.
    await this.#process?.closed
    return at
  }

  async kill(): Promise<number> {
    this.#letWorkersLive()
    const at = Date.now()
    for (const pid of familyOf(this.pid)) signalProcess(pid, 'SIGKILL')
    await this.#process?.exited
    return at
  }

  /** Resolves when it takes orders. */
  async waitForAdmin(): Promise<void> {
    await this.log.waitFor(
      ({ msg }) => msg === 'admin process listens',
      'admin process that listens',
      START_TIMEOUT_MS,
      this.#born
    )
  }

  /** Every process of the director stands still; resolves with the moment just before. */
  freeze(): number {
    const at = Date.now()
    for (const pid of familyOf(this.pid)) signalProcess(pid, 'SIGSTOP')
    return at
  }

  /** Undoes `freeze`: also for `nsenter`, which stands still with the program that it started. */
  thaw(): number {
    const at = Date.now()
    for (const pid of familyOf(this.pid)) signalProcess(pid, 'SIGCONT')
    signalProcess(parentOf(this.pid), 'SIGCONT')
    return at
  }

  #killWorkers(spared: readonly number[]): void {
    for (const pid of this.workers) if (!spared.includes(pid)) signalProcess(pid, 'SIGKILL')
  }

  #letWorkersLive(): void {
    if (this.#killing) clearInterval(this.#killing)
    this.#killing = null
  }
}

/** Whether a line of the log tells that a virtual router changed its state. */
export function isStateChange(line: LogLine): boolean {
  return line['msg'] === 'vrrp state change'
}

function readLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine
  } catch {
    return { msg: text }
  }
}

/**
 * Starts the whole pair, and waits until the master has the address.
 * @param flags of `tsha run`, besides `--role`
 */
export async function startPair(
  lab: Lab,
  flags: readonly string[] = OLD_FILES
): Promise<{ readonly master: TshaDirector; readonly backup: TshaDirector }> {
  const master = new TshaDirector(lab.host('director1'), 'master', flags, WATCHED)
  const backup = new TshaDirector(lab.host('director2'), 'backup', flags, WATCHED)
  await Promise.all([lab.web1.start(), lab.web2.start(), master.start(), backup.start()])
  await lab.watch.waitForOwners(['director1'], START_TIMEOUT_MS)
  return { master, backup }
}
