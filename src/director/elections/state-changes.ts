import type { VirtualRouterConfig } from '../../config/model.js'
import type { NotifyState } from '../notify/messages.js'
import type { Notifier } from '../notify/notifier.js'

/** Whose state is told. */
export interface ToldRouter {
  readonly config: Pick<VirtualRouterConfig, 'name' | 'notify'>
  readonly state: { readonly priority: number }
}

/**
 * The changes of virtual routers that are still to be told: when a step and all that follows from it
 * are over, so that nobody hears of a state that lasted for no time.
 */
export class StateChanges {
  readonly #notifier: Pick<Notifier, 'stateChanged'>
  readonly #settled: () => void
  /** Names, in the order in which they changed. */
  readonly #changed = new Set<string>()
  readonly #told = new Map<string, NotifyState>()

  /** @param settled called when what has changed is to be told */
  constructor(notifier: Pick<Notifier, 'stateChanged'>, settled: () => void) {
    this.#notifier = notifier
    this.#settled = settled
  }

  /** Something about a virtual router changed. */
  soon(name: string): void {
    if (this.#changed.size === 0) queueMicrotask(this.#settled)
    this.#changed.add(name)
  }

  /** Names of those that changed since the last call, in the order in which they did. */
  take(): readonly string[] {
    const names = [...this.#changed]
    this.#changed.clear()
    return names
  }

  /** Tells a state of a virtual router, unless it is the one that was told last. */
  tell({ config, state: { priority } }: ToldRouter, state: NotifyState): void {
    if (this.#told.get(config.name) === state) return
    this.#told.set(config.name, state)
    this.#notifier.stateChanged('INSTANCE', config.name, state, priority, config.notify)
  }

  /** A virtual router is no more: the next one of its name begins anew. */
  forget(name: string): void {
    this.#changed.delete(name)
    this.#told.delete(name)
  }
}
