import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { isUp, readInterface } from './interface.js'
import { IP_ENVIRONMENT } from './ip-command.js'

const RESTART_DELAY_MS = 1000
/** `ip monitor` does not say when it listens; the state is read once more after it surely does. */
const SETTLE_MS = 200

/**
 * Watches the carrier of one interface through `ip monitor link`, which reports each change as it
 * happens. If that command ends, it is started again and the state is read anew.
 */
export class LinkMonitor {
  readonly #interface: string
  readonly #onChange: (isUp: boolean) => void
  readonly #onFailure: (message: string) => void
  #isUp: boolean
  #child: ChildProcess | null = null
  #timer: NodeJS.Timeout | null = null
  #isClosed = false

  /** @param onChange called only when the state differs from the last known one */
  constructor(
    interfaceName: string,
    isLinkUp: boolean,
    onChange: (isUp: boolean) => void,
    onFailure: (message: string) => void
  ) {
    this.#interface = interfaceName
    this.#isUp = isLinkUp
    this.#onChange = onChange
    this.#onFailure = onFailure
    this.#watch()
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#child?.kill('SIGKILL')
  }

  #watch(): void {
    const child = spawn('ip', ['-oneline', 'monitor', 'link', 'dev', this.#interface], {
      env: IP_ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'ignore']
    })
    this.#child = child
    child.on('error', (error) => {
      this.#restart(error.message)
    })
    child.on('exit', () => {
      this.#restart('ip monitor ended')
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      const state = parseLinkLine(line)
      if (state !== null) this.#set(state)
    })
    this.#timer = setTimeout(() => {
      this.#read().catch((error: unknown) => {
        this.#onFailure(String(error))
      })
    }, SETTLE_MS)
  }

  async #read(): Promise<void> {
    const state = await readInterface(this.#interface).then(
      (found) => found.isUp,
      () => false
    )
    this.#set(state)
  }

  #set(isLinkUp: boolean): void {
    if (this.#isClosed || isLinkUp === this.#isUp) return
    this.#isUp = isLinkUp
    this.#onChange(isLinkUp)
  }

  #restart(why: string): void {
    if (this.#isClosed) return
    // Both `error` and `exit` may be told of one child.
    if (this.#timer) clearTimeout(this.#timer)
    this.#onFailure(`${why}; watching ${this.#interface} again in ${RESTART_DELAY_MS} ms`)
    this.#timer = setTimeout(() => {
      this.#watch()
    }, RESTART_DELAY_MS)
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
