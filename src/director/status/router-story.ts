import type { Reason, State } from '../../vrrp/model.js'
import type { Milliseconds } from '../../vrrp/timing.js'
import type { Effect } from '../elections/conditions.js'

/** An instant on both clocks. */
export interface Instant {
  /** Milliseconds since 1970: what people are told. */
  readonly wall: number
  /** Monotonic: what durations are counted with. */
  readonly monotonic: Milliseconds
}

/** An advertisement that passed the receive checks. */
export interface Heard {
  readonly source: string
  readonly priority: number
}

/** Somebody who was heard, and when. */
export interface HeardMaster {
  readonly address: string
  readonly priority: number
  readonly at: Instant
}

/** A step of the state machine that has a reason, with all that was known in that instant. */
export interface Moment {
  readonly at: Instant
  readonly from: State
  readonly to: State
  readonly reason: Reason
  /** The advertisement that led to it; null for everything else. */
  readonly heard: HeardMaster | null
  /** Who had advertised last that it is master; null for nobody. */
  readonly master: HeardMaster | null
  /** Who had advertised priority 0 last. */
  readonly resigned: HeardMaster | null
  /** What changed our priority, or kept us out. */
  readonly effects: readonly Effect[]
}

/** What led a virtual router to its present state, as far as anybody may ask for it. */
export interface Story {
  /** The last step to another state; null before the first one. */
  readonly change: Moment | null
  /** The one before it. */
  readonly previous: Moment | null
  /** Since `change`, of each reason the last step that stayed in the state; the latest first. */
  readonly within: readonly Moment[]
  /** The same of the state before, as it was when `change` came. */
  readonly before: readonly Moment[]
  /** Who advertised last that it is master. */
  readonly master: HeardMaster | null
}

/** Keeps what led a virtual router to its state. It holds a few steps, whatever happens. */
export class RouterStory {
  #change: Moment | null = null
  #previous: Moment | null = null
  #within = new Map<Reason, Moment>()
  #before: readonly Moment[] = []
  #master: HeardMaster | null = null
  #resigned: HeardMaster | null = null
  #heardAt: Instant | null = null

  /** An advertisement that passed the receive checks; to be told before what it leads to. */
  heard({ source, priority }: Heard, at: Instant): void {
    const heard = { address: source, priority, at }
    this.#heardAt = at
    if (priority > 0) this.#master = heard
    else this.#resigned = heard
  }

  /** The state machine took a step that has a reason. */
  stepped(
    from: State,
    to: State,
    reason: Reason,
    heard: Heard | null,
    effects: readonly Effect[],
    at: Instant
  ): void {
    // It led to the step, and has no other time than this.
    const when = heard && this.#heardAt ? this.#heardAt : at
    const moment: Moment = {
      at: when,
      from,
      to,
      reason,
      heard: heard && { address: heard.source, priority: heard.priority, at: when },
      master: this.#master,
      resigned: this.#resigned,
      effects
    }
    if (from.name === to.name) {
      this.#within.delete(reason)
      this.#within.set(reason, moment)
      return
    }
    this.#previous = this.#change
    this.#change = moment
    this.#before = this.#latestFirst()
    this.#within.clear()
  }

  get story(): Story {
    return {
      change: this.#change,
      previous: this.#previous,
      within: this.#latestFirst(),
      before: this.#before,
      master: this.#master
    }
  }

  #latestFirst(): readonly Moment[] {
    return [...this.#within.values()].reverse()
  }
}
