import { EventLog } from '../../netns/lab/event-log.js'
import type { Host } from '../../netns/lab/host.js'
import type { LabProcess } from '../../netns/lab/lab-process.js'
import { ON_DIRECTOR, TSHA_COMMAND } from '../../netns/lab/pair-files.js'
import { familyOf, signalProcess } from '../../netns/lab/process-tree.js'
import type { DirectorName, Feature } from './features.js'
import { KEEPALIVED } from './keepalived.js'

const START_TIMEOUT_MS = 15_000
const STOP_TIMEOUT_MS = 10_000
const ENTRY_LIMIT = 1000

/** One that is not Debian's may have its files where all machines of the lab see them. */
const PID_FILES = ['-p', '/run/keepalived.pid', '-r', '/run/vrrp.pid']
const KEEPALIVED_FLAGS = ['--dont-fork', '--log-console', '--log-detail', ...PID_FILES]

export type Product = 'keepalived' | 'tsha'

/** VRRP alone on a director, by one of the two programs. */
export class Speaker {
  readonly product: Product
  readonly host: Host
  /** The moments at which a virtual router of it became backup or master, by its own account. */
  readonly entered = new EventLog<number>('times at which it became either', ENTRY_LIMIT)
  readonly #command: readonly string[]
  readonly #files: readonly (readonly [string, string])[]
  #process: LabProcess | null = null

  constructor(product: Product, host: Host, director: DirectorName, feature: Feature) {
    this.product = product
    this.host = host
    const yaml = product === 'tsha' ? feature.tshaYaml?.[director] : undefined
    this.#files = [
      yaml === undefined
        ? [ON_DIRECTOR.keepalived, feature.keepalivedConf[director]]
        : [ON_DIRECTOR.tsha, yaml]
    ]
    const role = director === 'director1' ? 'master' : 'backup'
    const conf =
      yaml === undefined ? ['--keepalived-conf', ON_DIRECTOR.keepalived] : ['--role', role]
    this.#command =
      product === 'tsha'
        ? [process.execPath, TSHA_COMMAND, 'run', ...conf, '--admin-socket', 'off']
        : [KEEPALIVED, ...KEEPALIVED_FLAGS, '-f', ON_DIRECTOR.keepalived]
  }

  /** Resolves with the moment at which it takes part in the election. */
  async start(): Promise<number> {
    for (const [path, text] of this.#files) await this.host.writeFile(path, text)
    const mark = this.entered.mark
    const [program = '', ...args] = this.#command
    const started = await this.host.spawn(program, args)
    this.#process = started
    started.lines.follow(({ at, text }) => {
      const moment = this.product === 'tsha' ? tshaEntry(text) : keepalivedEntry(text, at)
      if (moment !== null) this.entered.push(moment)
    })
    const ended = started.closed.then(() => {
      throw new Error(`${started.name} ended:\n${started.stdout}\n${started.stderr}`)
    })
    ended.catch(() => {
      // Later its end is what the story asks for.
    })
    return Promise.race([this.waitUntilEntry(mark), ended])
  }

  /** When it took part after a mark: it became backup, or master as the owner of the addresses. */
  async waitUntilEntry(mark: number): Promise<number> {
    const name = `entry of ${this.product} on ${this.host.name}`
    return this.entered.waitFor(() => true, name, START_TIMEOUT_MS, mark)
  }

  /** In good order; resolves with the moment just before. */
  async stop(): Promise<number> {
    const at = Date.now()
    await this.#process?.stop('SIGTERM', STOP_TIMEOUT_MS)
    return at
  }

  /** All its processes at once; resolves with the moment just before. */
  async kill(): Promise<number> {
    const at = Date.now()
    const family = familyOf(this.#process?.pid ?? 0)
    // keepalived's child says goodbye when its parent dies, unless it stands still until it is killed.
    for (const pid of family.slice(1)) signalProcess(pid, 'SIGSTOP')
    for (const pid of family) signalProcess(pid, 'SIGKILL')
    await this.#process?.exited
    return at
  }

  /** What it said in this life. */
  get said(): string {
    return `${this.#process?.stdout ?? ''}${this.#process?.stderr ?? ''}`
  }
}

function keepalivedEntry(text: string, at: number): number | null {
  return /Entering (BACKUP|MASTER) STATE/.test(text) ? at : null
}

function tshaEntry(text: string): number | null {
  if (!text.includes('"vrrp state change"')) return null
  const line = JSON.parse(text) as { readonly time: string; readonly to: string }
  return line.to === 'backup' || line.to === 'master' ? Date.parse(line.time) : null
}
