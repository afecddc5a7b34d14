import type { FaultCause } from '../../vrrp/model.js'

/** Whether a cause is there; `awaited` when nothing failed, but a first result is missing. */
export type FaultStatus = boolean | 'awaited'

/** What keeps one virtual router out of the election at the moment, in the order in which it came. */
export class Faults {
  readonly #causes = new Map<FaultCause, true | 'awaited'>()

  /**
   * Notes for each cause whether it is there.
   *
   * @returns whether anything changed
   */
  set(found: Readonly<Partial<Record<FaultCause, FaultStatus>>>): boolean {
    let hasChanged = false
    for (const cause of Object.keys(found) as FaultCause[]) {
      const status = found[cause] ?? false
      if (status === (this.#causes.get(cause) ?? false)) continue
      hasChanged = true
      if (status === false) this.#causes.delete(cause)
      else this.#causes.set(cause, status)
    }
    return hasChanged
  }

  get first(): FaultCause | null {
    const [first] = this.#causes.keys()
    return first ?? null
  }

  /** There are faults, and only such as nothing has failed for. */
  get areAwaited(): boolean {
    const statuses = [...this.#causes.values()]
    return statuses.length > 0 && statuses.every((status) => status === 'awaited')
  }
}
