import type { LinkDelay } from '../config/model.js'
import type { LinkListener } from './interface-watch.js'

/**
 * Holds changes of links back until they have lasted (keepalived's interface_up_down_delays): one that is
 * taken back within its delay was none. The first state of a link, and its first coming up, count at once.
 */
export class LinkDelays {
  readonly #delays: ReadonlyMap<string, LinkDelay>
  readonly #listener: LinkListener
  /** What was told last. */
  readonly #told = new Map<string, boolean>()
  readonly #wasUp = new Set<string>()
  readonly #timers = new Map<string, NodeJS.Timeout>()

  constructor(delays: readonly LinkDelay[], listener: LinkListener) {
    this.#delays = new Map(delays.map((delay) => [delay.interface, delay]))
    this.#listener = listener
  }

  /** @param isGone the interface itself is no more, which nothing can take back */
  changed(name: string, isUp: boolean, isGone = false): void {
    const told = this.#told.get(name)
    if (told === isUp) {
      this.#cancel(name)
      return
    }
    const delay = this.#delays.get(name)
    const delayMs = (isUp ? delay?.upMs : delay?.downMs) ?? 0
    if (isGone || told === undefined || !this.#wasUp.has(name) || delayMs === 0) {
      this.#tell(name, isUp)
    } else if (!this.#timers.has(name)) {
      const timer = setTimeout(() => {
        this.#tell(name, isUp)
      }, delayMs)
      this.#timers.set(name, timer)
    }
  }

  close(): void {
    for (const name of this.#timers.keys()) this.#cancel(name)
  }

  #tell(name: string, isUp: boolean): void {
    this.#cancel(name)
    this.#told.set(name, isUp)
    if (isUp) this.#wasUp.add(name)
    this.#listener(name, isUp)
  }

  #cancel(name: string): void {
    clearTimeout(this.#timers.get(name))
    this.#timers.delete(name)
  }
}
