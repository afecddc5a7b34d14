import type { LinkDelay } from '../config/model.js'
import { systemClock } from '../linux/clock.js'
import { readInterface } from '../linux/interface.js'
import type { NetworkMonitor } from '../linux/network-monitor.js'
import { LinkDelays, type LinkListener } from './link-delay.js'

/** How often an interface that is not there is looked for. */
const LOOK_INTERVAL_MS = 1000

/**
 * Follows interfaces by name, also those that do not exist yet or vanish and come back as others.
 */
export class InterfaceWatch {
  readonly #monitor: NetworkMonitor
  readonly #links: LinkDelays
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #unwatch = new Map<string, () => void>()
  #isClosed = false

  constructor(monitor: NetworkMonitor, delays: readonly LinkDelay[], changed: LinkListener) {
    this.#monitor = monitor
    this.#links = new LinkDelays(delays, systemClock, changed)
  }

  /** Resolves when the present state of each was told. Never rejects. */
  async open(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#look(name)))
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const unwatch of this.#unwatch.values()) unwatch()
    this.#links.close()
  }

  async #look(name: string): Promise<void> {
    const found = await readInterface(name).catch(() => null)
    if (this.#isClosed) return
    this.#links.changed(name, found?.isUp ?? false, found === null)
    if (found === null) {
      this.#lookAgain(name)
      return
    }
    const unwatch = this.#monitor.watch(found, {
      linkChanged: (isUp) => {
        this.#links.changed(name, isUp)
      },
      addressChanged: () => undefined,
      gone: () => {
        this.#links.changed(name, false, true)
        this.#lookAgain(name)
      }
    })
    this.#unwatch.set(name, unwatch)
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
