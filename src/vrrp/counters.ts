import type { Event, State, Step } from './model.js'
import type { Milliseconds } from './timing.js'

/** What keepalived counts for each virtual router, by its names (struct vrrp_stats). */
export const COUNTERS = [
  'advert_rcvd',
  'advert_sent',
  'become_master',
  'release_master',
  'packet_len_err',
  'advert_interval_err',
  'ip_ttl_err',
  'invalid_type_rcvd',
  'addr_list_err',
  'invalid_authtype',
  'authtype_mismatch',
  'auth_failure',
  'auth_ext_missing',
  'auth_ext_malformed',
  'auth_ext_unknown_key',
  'auth_ext_invalid_hmac',
  'auth_ext_stale',
  'auth_ext_replay',
  'pri_zero_rcvd',
  'pri_zero_sent',
  // These two keepalived only has for SNMP.
  'vers_err',
  'chk_err'
] as const
export type Counter = (typeof COUNTERS)[number]

/** Upper bounds of the classes of `Lateness`, ms; what is later than all of them has its own class. */
export const LATENESS_BOUNDS: readonly Milliseconds[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

/** How late our regular advertisements were. */
export interface Lateness {
  readonly count: number
  readonly max: Milliseconds
  readonly sum: Milliseconds
  /** How many were at most that late, each in one class; one more number than there are bounds. */
  readonly classes: readonly number[]
}

/** What is later than this may soon be missed by a partner. */
const NOTABLY_LATE: Milliseconds = 100

/** The last regular advertisement that was notably late. */
export interface LateAdvertisement {
  readonly late: Milliseconds
  /** When it left. */
  readonly at: Milliseconds
}

/** All that is counted for one virtual router. A copy: it does not change any more. */
export type Statistics = Readonly<Record<Counter, number>> & { readonly lateness: Lateness }

/** Counts for one virtual router. No memory grows here, whatever arrives. */
export class Counters {
  readonly #counts = new Map<Counter, number>()
  readonly #classes: number[] = new Array<number>(LATENESS_BOUNDS.length + 1).fill(0)
  #max: Milliseconds = 0
  #sum: Milliseconds = 0
  #lastLate: LateAdvertisement | null = null

  /** Null counts nothing: keepalived has no counter for it. */
  count(counter: Counter | null): void {
    if (counter === null) return
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + 1)
  }

  /** Counts what a step of the state machine comes to. */
  countStep(from: State, event: Event, { state, actions }: Step): void {
    if (event.kind === 'advertisement') {
      this.count('advert_rcvd')
      if (event.priority === 0) this.count('pri_zero_rcvd')
    }
    for (const action of actions) {
      if (action.kind === 'advertise') {
        this.count('advert_sent')
        if (action.priority === 0) this.count('pri_zero_sent')
      }
    }
    if (from.name !== 'master' && state.name === 'master') this.count('become_master')
    if (from.name === 'master' && state.name !== 'master') this.count('release_master')
  }

  /** A regular advertisement that left at `leftAt`, this long after its time; early ones are not late. */
  countLateness(late: Milliseconds, leftAt: Milliseconds): void {
    const lateness = Math.max(0, late)
    if (lateness > NOTABLY_LATE) this.#lastLate = { late: lateness, at: leftAt }
    const found = LATENESS_BOUNDS.findIndex((bound) => lateness <= bound)
    const at = found < 0 ? LATENESS_BOUNDS.length : found
    this.#classes[at] = (this.#classes[at] ?? 0) + 1
    this.#max = Math.max(this.#max, lateness)
    this.#sum += lateness
  }

  /** Null when none was. */
  get lastLate(): LateAdvertisement | null {
    return this.#lastLate
  }

  get statistics(): Statistics {
    const classes = [...this.#classes]
    return {
      ...zeros(),
      ...Object.fromEntries(this.#counts),
      lateness: {
        count: classes.reduce((sum, value) => sum + value, 0),
        max: this.#max,
        sum: this.#sum,
        classes
      }
    }
  }
}

function zeros(): Record<Counter, number> {
  return Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<Counter, number>
}
