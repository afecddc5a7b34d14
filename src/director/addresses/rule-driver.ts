/** The clock of a driver: monotonic milliseconds, and a callback that can be cancelled. */
export interface RuleClock {
  readonly now: () => number
  readonly after: (delayMs: number, callback: () => void) => () => void
}

/** Pure rules whose deadlines live in their state. */
export interface Rules<State, Event, Action> {
  readonly fresh: State
  /** The event that says that a deadline may have passed. */
  readonly timer: Event
  step(
    state: State,
    event: Event,
    now: number
  ): { readonly state: State; readonly actions: readonly Action[] }
  /** Null while nothing is awaited. */
  nextDeadline(state: State): number | null
}

/** Feeds events and time to pure rules and has their actions carried out. It has one timer. */
export class RuleDriver<State, Event, Action> {
  readonly #rules: Rules<State, Event, Action>
  readonly #clock: RuleClock
  readonly #perform: (action: Action) => void
  #state: State
  #cancelTimer: (() => void) | null = null
  #isClosed = false

  constructor(
    rules: Rules<State, Event, Action>,
    clock: RuleClock,
    perform: (action: Action) => void
  ) {
    this.#rules = rules
    this.#clock = clock
    this.#perform = perform
    this.#state = rules.fresh
  }

  get state(): State {
    return this.#state
  }

  feed(event: Event): void {
    if (this.#isClosed) return
    const { state, actions } = this.#rules.step(this.#state, event, this.#clock.now())
    this.#state = state
    for (const action of actions) this.#perform(action)
    this.#armTimer()
  }

  /** Goes on from the state of another driver of such rules, which is closed. */
  takeOver(state: State): void {
    this.#state = state
    this.#armTimer()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
    this.#cancelTimer = null
  }

  #armTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    const deadline = this.#rules.nextDeadline(this.#state)
    if (deadline === null || this.#isClosed) return
    this.#cancelTimer = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
      this.#cancelTimer = null
      this.feed(this.#rules.timer)
    })
  }
}
