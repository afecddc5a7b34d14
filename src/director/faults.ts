import type { FaultCause } from '../vrrp/model.js'

/** What keeps one virtual router out of the election at the moment, in the order in which it came. */
export class Faults {
  readonly #causes = new Set<FaultCause>()

  /**
   * Notes for each cause whether it is there.
   *
   * @returns whether the first one changed, so that the state machine has to hear of it
   */
  set(found: Readonly<Partial<Record<FaultCause, boolean>>>): boolean {
    const before = this.first
    for (const cause of Object.keys(found) as FaultCause[]) {
      if (found[cause] === true) this.#causes.add(cause)
      else this.#causes.delete(cause)
    }
    return this.first !== before
  }

  get first(): FaultCause | null {
    const [first] = this.#causes
    return first ?? null
  }
}
