import type { FaultCause } from '../vrrp/model.js'

/** What keeps one virtual router out of the election at the moment, in the order in which it came. */
export class Faults {
  readonly #causes = new Set<FaultCause>()

  /** @returns whether the first one changed, so that the state machine has to hear of it */
  set(cause: FaultCause, isThere: boolean): boolean {
    const before = this.first
    if (isThere) this.#causes.add(cause)
    else this.#causes.delete(cause)
    return this.first !== before
  }

  get first(): FaultCause | null {
    const [first] = this.#causes
    return first ?? null
  }
}
