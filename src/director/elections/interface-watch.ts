import type { LinkDelay } from '../../config/model.js'
import { systemClock } from '../../linux/clock.js'
import { readInterface } from '../../linux/interface.js'
import type { NetworkMonitor } from '../../linux/network-monitor.js'
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
  readonly #names = new Set<string>()
  #isClosed = false

  constructor(monitor: NetworkMonitor, delays: readonly LinkDelay[], changed: LinkListener) {
    this.#monitor = monitor
    this.#links = new LinkDelays(delays, systemClock, changed)
  }

  /**
   * Begins to follow those that are not followed yet. Resolves when the present state of each was told.
   * Never rejects.
   */
  async open(names: readonly string[]): Promise<void> {
    const added = names.filter((name) => !this.#names.has(name))
    for (const name of added) this.#names.add(name)
    await Promise.all(added.map((name) => this.#look(name)))
  }

  /** Follows no others from now on, and holds back what has not lasted for these times. */
  keep(names: readonly string[], delays: readonly LinkDelay[]): void {
    this.#links.setDelays(delays)
    for (const name of [...this.#names].filter((name) => !names.includes(name))) {
      this.#names.delete(name)
      this.#unwatch.get(name)?.()
      this.#unwatch.delete(name)
      this.#links.forget(name)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    for (const unwatch of this.#unwatch.values()) unwatch()
    this.#unwatch.clear()
    this.#links.close()
  }

  async #look(name: string): Promise<void> {
    const found = await readInterface(name).catch(() => null)
    if (this.#isClosed || !this.#names.has(name) || this.#unwatch.has(name)) return
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
