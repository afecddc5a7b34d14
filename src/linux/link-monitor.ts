import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { isUp, readInterface, type NetworkInterface } from './interface.js'
import { IP_ENVIRONMENT } from './ip-command.js'

const RESTART_DELAY_MS = 1000
/** `ip monitor` does not say when it listens; the state is read once more after it surely does. */
const SETTLE_MS = 200

/**
 * `ip monitor` notices the death of its reader only when it has something to write, which may be
 * never. The shell notices at once, because its standard input ends, and takes it along.
 */
const WATCH = 'ip -oneline monitor link dev "$1" & exec >&-; read -r _; kill $!'

/** What a link monitor tells; the state only when it differs from the last known one. */
export interface LinkObserver {
  changed(isUp: boolean): void
  /** The interface was deleted, or another one has its name: sockets bound to it are dead. */
  gone(): void
  failed(message: string): void
}

/**
 * Watches the carrier of one interface through `ip monitor link`, which reports each change as it
 * happens. If that command ends, it is started again and the state is read anew.
 */
export class LinkMonitor {
  readonly #interface: string
  readonly #index: number
  readonly #observer: LinkObserver
  #isUp: boolean
  #child: ChildProcess | null = null
  #timer: NodeJS.Timeout | null = null
  #isClosed = false
  /** Lines so far: a state that was read while one came is out of date. */
  #lines = 0

  /** @param found the interface as it was read last */
  constructor(found: NetworkInterface, observer: LinkObserver) {
    this.#interface = found.name
    this.#index = found.index
    this.#isUp = found.isUp
    this.#observer = observer
    this.#watch()
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#end()
  }

  #watch(): void {
    const child = spawn('sh', ['-c', WATCH, 'sh', this.#interface], {
      env: IP_ENVIRONMENT,
      stdio: ['pipe', 'pipe', 'ignore']
    })
    this.#child = child
    child.on('error', (error) => {
      if (this.#child === child) this.#restart(error.message)
    })
    child.stdin.on('error', () => undefined) // the shell was killed, which `close` tells
    child.stdout.on('close', () => {
      if (this.#child === child) this.#restart('ip monitor ended')
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines += 1
      if (line.startsWith('Deleted')) void this.#read()
      const state = parseLinkLine(line)
      if (state !== null) this.#set(state)
    })
    this.#timer = setTimeout(() => void this.#read(), SETTLE_MS)
  }

  async #read(): Promise<void> {
    const lines = this.#lines
    const found = await readInterface(this.#interface).catch(() => null)
    if (this.#isClosed) return
    if (found?.index !== this.#index) {
      this.#set(false)
      this.close()
      this.#observer.gone()
    } else if (lines === this.#lines) {
      this.#set(found.isUp)
    }
  }

  #set(isLinkUp: boolean): void {
    if (this.#isClosed || isLinkUp === this.#isUp) return
    this.#isUp = isLinkUp
    this.#observer.changed(isLinkUp)
  }

  #restart(why: string): void {
    if (this.#isClosed) return
    this.#end()
    if (this.#timer) clearTimeout(this.#timer)
    this.#observer.failed(`${why}; watching ${this.#interface} again in ${RESTART_DELAY_MS} ms`)
    this.#timer = setTimeout(() => {
      this.#watch()
    }, RESTART_DELAY_MS)
  }

  #end(): void {
    const child = this.#child
    this.#child = null
    child?.stdin?.destroy()
    child?.stdout?.destroy()
  }
}

/**
 * The state in one line of `ip -oneline monitor link`, such as
 * `2: ens160@if3: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 …`; null for a line without flags.
 */
export function parseLinkLine(line: string): boolean | null {
  if (line.startsWith('Deleted')) return false
  const flags = /<([^>]*)>/.exec(line)?.[1]
  return flags === undefined ? null : isUp(flags.split(','))
}
