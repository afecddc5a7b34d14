import { readInterface } from '../linux/interface.js'
import type { NetworkMonitor } from '../linux/network-monitor.js'

/** How often an interface that is not there is looked for. */
const LOOK_INTERVAL_MS = 1000

/** Told whether an interface can carry packets, once and at each change; one that is not there cannot. */
export type LinkListener = (name: string, isUp: boolean) => void

/**
 * Follows interfaces by name, also those that do not exist yet or vanish and come back as others.
 */
export class InterfaceWatch {
  readonly #monitor: NetworkMonitor
  readonly #changed: LinkListener
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #unwatch = new Map<string, () => void>()
  readonly #told = new Map<string, boolean>()
  #isClosed = false

  constructor(monitor: NetworkMonitor, changed: LinkListener) {
    this.#monitor = monitor
    this.#changed = changed
  }

  /** Resolves when the present state of each was told. Never rejects. */
  async open(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#look(name)))
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    for (const unwatch of this.#unwatch.values()) unwatch()
    this.#unwatch.clear()
  }

  async #look(name: string): Promise<void> {
    const found = await readInterface(name).catch(() => null)
    if (this.#isClosed) return
    this.#tell(name, found?.isUp ?? false)
    if (found === null) {
      this.#lookAgain(name)
      return
    }
    const unwatch = this.#monitor.watch(found, {
      linkChanged: (isUp) => {
        this.#tell(name, isUp)
      },
      addressChanged: () => undefined,
      gone: () => {
        this.#tell(name, false)
        this.#lookAgain(name)
      }
    })
    this.#unwatch.set(name, unwatch)
  }

  #tell(name: string, isUp: boolean): void {
    if (this.#told.get(name) === isUp) return
    this.#told.set(name, isUp)
    this.#changed(name, isUp)
  }

  #lookAgain(name: string): void {
    this.#unwatch.delete(name)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void this.#look(name)
    }, LOOK_INTERVAL_MS)
    this.#timers.add(timer)
  }
}
