import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { messageOf } from '../errors.js'
import { monotonicNow } from './clock.js'
import { readInterfaces, type NetworkInterface } from './interface.js'
import { IP_ENVIRONMENT } from './ip-command.js'
import { parseMonitorLine } from './monitor-line.js'

const RESTART_DELAY_MS = 1000
/**
 * `ip monitor` does not say when it listens; the state is read once more after it surely does. Also
 * how long a reading is put off that something came in between of.
 */
const SETTLE_MS = 200

/**
 * `ip monitor` notices the death of its reader only when it has something to write, which may be
 * never. The shell notices at once, because its standard input ends, and takes it along.
 */
const WATCH = 'ip -oneline monitor link address & exec >&-; read -r _; kill $!'

/** An address that came or went, whoever did it. */
export interface AddressChange {
  readonly kind: 'added' | 'removed'
  readonly address: string
  readonly prefixLength: number
  /** Name of the interface. */
  readonly interface: string
  /** CLOCK_MONOTONIC in milliseconds when it was heard of. */
  readonly at: number
}

/** What is told of one interface; only what differs from the last known state. */
export interface InterfaceObserver {
  /** @param isUp switched on, with carrier */
  linkChanged(isUp: boolean): void
  addressChanged(change: AddressChange): void
  /** The interface was deleted, or another one has its name: sockets bound to it are dead. The last word. */
  gone(): void
}

interface Cidr {
  readonly address: string
  readonly prefixLength: number
}

interface Watched {
  readonly name: string
  readonly index: number
  readonly observer: InterfaceObserver
  isUp: boolean
  /** By `address/prefix length`: an address may be there with two of them. */
  readonly addresses: Map<string, Cidr>
}

/**
 * Watches links and addresses of any number of interfaces through one `ip monitor`, which reports each
 * change as it happens. If that command ends, or loses something, the state is read anew.
 */
export class NetworkMonitor {
  readonly #onFailure: (message: string) => void
  readonly #watched = new Set<Watched>()
  #child: ChildProcess | null = null
  #restartTimer: NodeJS.Timeout | null = null
  #readTimer: NodeJS.Timeout | null = null
  #isClosed = false
  /** The last failure that was told; the same one again is not. */
  #failure = ''
  /** Lines so far: a state that was read while one came may be out of date. */
  #lines = 0
  #isReading = false

  /** @param onFailure told when watching fails, once for each reason; it goes on by itself */
  constructor(onFailure: (message: string) => void) {
    this.#onFailure = onFailure
    this.#start()
  }

  /**
   * Begins to watch an interface.
   *
   * @param found the interface as it was read last; what has changed since then is told, too
   * @returns a function that ends it
   */
  watch(found: NetworkInterface, observer: InterfaceObserver): () => void {
    const watched: Watched = {
      name: found.name,
      index: found.index,
      observer,
      isUp: found.isUp,
      addresses: addressesOf(found)
    }
    this.#watched.add(watched)
    this.#readIn(SETTLE_MS)
    return () => {
      this.#watched.delete(watched)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#watched.clear()
    if (this.#restartTimer) clearTimeout(this.#restartTimer)
    if (this.#readTimer) clearTimeout(this.#readTimer)
    this.#end()
  }

  #start(): void {
    const child = spawn('sh', ['-c', WATCH], {
      env: IP_ENVIRONMENT,
      stdio: ['pipe', 'pipe', 'pipe']
    })
    this.#child = child
    child.on('error', (error) => {
      if (this.#child === child) this.#restart(error.message)
    })
    child.stdin.on('error', () => undefined) // the shell was killed, which `close` tells
    child.stdout.on('close', () => {
      if (this.#child === child) this.#restart('ip monitor ended')
    })
    // It has lost messages of the kernel, or is about to end.
    child.stderr.on('data', () => {
      this.#readIn(0)
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (this.#child === child) this.#hear(line)
    })
    this.#readIn(SETTLE_MS)
  }

  #hear(line: string): void {
    this.#lines += 1
    this.#failure = ''
    const told = parseMonitorLine(line)
    for (const watched of this.#watched) {
      if (told?.index !== watched.index) continue
      if (told.kind === 'address') {
        if (told.isPresent) add(watched, told)
        else remove(watched, keyOf(told))
      } else if (told.isUp === null || told.name !== watched.name) {
        this.#readIn(0)
      } else {
        setLink(watched, told.isUp)
      }
    }
  }

  #readIn(delayMs: number): void {
    if (this.#isClosed) return
    if (this.#readTimer) clearTimeout(this.#readTimer)
    this.#readTimer = setTimeout(() => void this.#read(), delayMs)
  }

  async #read(): Promise<void> {
    this.#readTimer = null
    if (this.#watched.size === 0) return
    if (this.#isReading) {
      this.#readIn(SETTLE_MS)
      return
    }
    this.#isReading = true
    const lines = this.#lines
    const asked = [...this.#watched]
    const found = await readInterfaces().catch((error: unknown) => {
      this.#fail(messageOf(error))
      return null
    })
    this.#isReading = false
    if (this.#isClosed) return
    if (found === null) {
      this.#readIn(RESTART_DELAY_MS)
      return
    }
    const isCurrent = lines === this.#lines
    for (const watched of asked)
      if (this.#watched.has(watched)) this.#compare(watched, found, isCurrent)
    if (!isCurrent) this.#readIn(SETTLE_MS)
  }

  /** @param isCurrent false when something has changed meanwhile; what is gone is gone nevertheless */
  #compare(watched: Watched, found: readonly NetworkInterface[], isCurrent: boolean): void {
    const now = found.find(({ name }) => name === watched.name)
    if (now?.index !== watched.index) {
      this.#watched.delete(watched)
      setLink(watched, false)
      watched.observer.gone()
      return
    }
    if (!isCurrent) return
    const addresses = addressesOf(now)
    for (const key of [...watched.addresses.keys()]) if (!addresses.has(key)) remove(watched, key)
    for (const each of addresses.values()) add(watched, each)
    setLink(watched, now.isUp)
  }

  #restart(why: string): void {
    if (this.#isClosed) return
    this.#end()
    this.#fail(`${why}; watching the network again every ${RESTART_DELAY_MS} ms`)
    if (this.#restartTimer) clearTimeout(this.#restartTimer)
    this.#restartTimer = setTimeout(() => {
      this.#start()
    }, RESTART_DELAY_MS)
  }

  #fail(message: string): void {
    if (message !== this.#failure) this.#onFailure(message)
    this.#failure = message
  }

  #end(): void {
    const child = this.#child
    this.#child = null
    child?.stdin?.destroy()
    child?.stdout?.destroy()
    child?.stderr?.destroy()
  }
}

function setLink(watched: Watched, isLinkUp: boolean): void {
  if (watched.isUp === isLinkUp) return
  watched.isUp = isLinkUp
  watched.observer.linkChanged(isLinkUp)
}

function add(watched: Watched, { address, prefixLength }: Cidr): void {
  const key = keyOf({ address, prefixLength })
  if (watched.addresses.has(key)) return // a lease that was renewed
  watched.addresses.set(key, { address, prefixLength })
  tell(watched, 'added', { address, prefixLength })
}

function remove(watched: Watched, key: string): void {
  const known = watched.addresses.get(key)
  if (!known) return
  watched.addresses.delete(key)
  tell(watched, 'removed', known)
}

function tell({ name, observer }: Watched, kind: 'added' | 'removed', cidr: Cidr): void {
  observer.addressChanged({ kind, ...cidr, interface: name, at: monotonicNow() })
}

function addressesOf({ addresses }: NetworkInterface): Map<string, Cidr> {
  return new Map(
    addresses.map(({ address, prefixLength }) => [
      keyOf({ address, prefixLength }),
      { address, prefixLength }
    ])
  )
}

function keyOf({ address, prefixLength }: Cidr): string {
  return `${address}/${prefixLength}`
}
