import type { LinkDelay } from '../../config/model.js'
import type { systemClock } from '../../linux/clock.js'

/** Told whether an interface can carry packets, once and at each change; one that is not there cannot. */
export type LinkListener = (name: string, isUp: boolean) => void

/**
 * Holds changes of links back until they have lasted (keepalived's interface_up_down_delays): one that is
 * taken back within its delay was none. The first state of a link, and its first coming up, count at once.
 */
export class LinkDelays {
  #delays: ReadonlyMap<string, LinkDelay>
  readonly #clock: Pick<typeof systemClock, 'after'>
  readonly #listener: LinkListener
  /** What was told last. */
  readonly #told = new Map<string, boolean>()
  readonly #wasUp = new Set<string>()
  /** What cancels the change that has not lasted yet. */
  readonly #pending = new Map<string, () => void>()

  constructor(
    delays: readonly LinkDelay[],
    clock: Pick<typeof systemClock, 'after'>,
    listener: LinkListener
  ) {
    this.#delays = new Map(delays.map((delay) => [delay.interface, delay]))
    this.#clock = clock
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
    } else if (!this.#pending.has(name)) {
      const cancel = this.#clock.after(delayMs, () => {
        this.#tell(name, isUp)
      })
      this.#pending.set(name, cancel)
    }
  }

  /** Counts for what changes from now on. */
  setDelays(delays: readonly LinkDelay[]): void {
    this.#delays = new Map(delays.map((delay) => [delay.interface, delay]))
  }

  /** As if it had never been heard of. */
  forget(name: string): void {
    this.#cancel(name)
    this.#told.delete(name)
    this.#wasUp.delete(name)
  }

  close(): void {
    for (const cancel of this.#pending.values()) cancel()
    this.#pending.clear()
  }

  #tell(name: string, isUp: boolean): void {
    this.#cancel(name)
    this.#told.set(name, isUp)
    if (isUp) this.#wasUp.add(name)
    this.#listener(name, isUp)
  }

  #cancel(name: string): void {
    this.#pending.get(name)?.()
    this.#pending.delete(name)
  }
}
