import type { Effect } from '../../../src/director/elections/conditions.js'
import { RouterStory, type Instant } from '../../../src/director/status/router-story.js'
import { becauseOf, type Sibling } from '../../../src/director/status/why.js'
import { nextDeadline, step } from '../../../src/vrrp/machine.js'
import type { Event, State, VirtualRouter } from '../../../src/vrrp/model.js'
import { PAIR_MASTER } from '../../vrrp/router.js'

/** The wall clock when a play begins. */
const NOON = Date.parse('2026-03-01T12:00:00Z')

/** A followed thing with the values that matter to a test. */
export function effect(values: Partial<Effect>): Effect {
  return {
    what: 'the service check',
    verb: 'fails',
    detail: null,
    since: null,
    added: 0,
    isFault: false,
    isAwaited: false,
    ...values
  }
}

export function clock(time: string): number {
  return Date.parse(`2026-03-01T${time}Z`)
}

/** A virtual router whose state machine is the real one, told its events by hand from 12:00:00 on. */
export class StoryPlay {
  readonly router: VirtualRouter
  readonly story = new RouterStory()
  state: State
  effects: readonly Effect[] = []
  siblings: readonly Sibling[] = []
  #base: number
  #now = 0

  constructor(priority: number, router: Partial<VirtualRouter> = {}) {
    this.router = { ...PAIR_MASTER, isOwner: priority === 255, ...router }
    this.state = { name: 'initialize', priority, serviceUp: true }
    this.#base = priority
  }

  /** It happens now. */
  feed(event: Event): this {
    const from = this.state
    const heard = event.kind === 'advertisement' ? event : null
    if (heard) this.story.heard(heard, this.#instant)
    const { state, reason } = step(this.router, from, event, this.#now)
    this.state = state
    if (reason !== null) {
      this.story.stepped(from, state, reason, heard, this.effects, this.#instant)
    }
    return this
  }

  start(): this {
    return this.feed({ kind: 'startup' })
  }

  hear(source: string, priority: number, adverInterval = this.router.adverInterval): this {
    return this.feed({ kind: 'advertisement', source, priority, adverInterval })
  }

  /** What is followed is another; a service that is down has a sum of its own. */
  follow(effects: readonly Effect[], serviceUp = effects.length === 0): this {
    this.effects = effects
    const priority = effects.reduce((sum, { added }) => sum + added, this.#base)
    return this.feed({ kind: 'conditions', conditions: { priority, serviceUp } })
  }

  /** Time goes by, with every timer in its time. */
  wait(duration: number): this {
    const end = this.#now + duration
    for (;;) {
      const deadline = nextDeadline(this.state)
      if (deadline === null || deadline > end) break
      this.#now = Math.max(this.#now, deadline)
      this.feed({ kind: 'timer' })
    }
    this.#now = end
    return this
  }

  /** The process stands still. */
  pause(duration: number): this {
    this.#now += duration
    return this.feed({ kind: 'timer' })
  }

  /** Another priority is configured, or wanted, from now on. */
  rebase(priority: number): this {
    this.#base = priority
    return this
  }

  because(): readonly string[] {
    return becauseOf({
      rules: this.router,
      story: this.story.story,
      now: this.#instant,
      state: this.state,
      basePriority: this.#base,
      effects: this.effects,
      siblings: this.siblings
    })
  }

  get #instant(): Instant {
    return { wall: NOON + this.#now, monotonic: this.#now }
  }
}
