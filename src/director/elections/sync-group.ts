import type { SyncGroup } from '../../config/model.js'
import type { GroupDecision } from '../recording/recording.js'
import type { Order, Reason, State } from '../../vrrp/model.js'
import {
  groupOrders,
  siblingOrders,
  type GroupMember,
  type GroupOrder
} from '../../vrrp/sync-group.js'

/** Orders lead to states that need no more orders; more rounds than this are a bug of ours. */
const MOST_ROUNDS = 8

/** A virtual router of a sync group, as the group drives it. */
export interface DrivenMember extends GroupMember {
  readonly name: string
  /** It has faults, and only such as await a first result: nothing has failed. */
  readonly isAwaiting: boolean
  /** Nothing of its own demands that the addresses are handed over. */
  readonly serves: boolean
  /** Whether all members serve: they hand their addresses over together. */
  setGroupServes(isServing: boolean): void
  order(order: Order): void
}

/** The state of a sync group, in keepalived's words. */
export type GroupState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP'

/** A sync group that runs: after each step of a member it moves the others along. */
export class RunningGroup {
  readonly config: SyncGroup
  readonly #members: () => readonly DrivenMember[]
  readonly #changed: (state: GroupState, from: GroupState | null) => void
  readonly #decided: (decision: GroupDecision) => void
  #state: GroupState | null = null
  #isOrdering = false

  /**
   * @param members in the order of the configuration
   * @param changed told of each state that the whole group has come to, and of the one before
   * @param decided told of each decision, before it is carried out
   */
  constructor(
    config: SyncGroup,
    members: () => readonly DrivenMember[],
    changed: (state: GroupState, from: GroupState | null) => void,
    decided: (decision: GroupDecision) => void = () => undefined
  ) {
    this.config = config
    this.#members = members
    this.#changed = changed
    this.#decided = decided
  }

  /** What was told of the same group before its configuration changed is not told again. */
  takeOver(old: RunningGroup): void {
    this.#state = old.#state
  }

  /**
   * A member took a step, or its faults changed.
   *
   * @param name of the member; null when it was none of them in particular
   */
  stepped(name: string | null, reason: Reason | null): void {
    // The steps that an order leads to are looked at when all orders of a round are given.
    if (this.#isOrdering) return
    this.#isOrdering = true
    try {
      const members = this.#members()
      const stepped = members.findIndex((member) => member.name === name)
      const siblings = siblingOrders(members, stepped, reason)
      if (siblings.length > 0) this.#decide(members, stepped, reason, siblings)
      give(members, siblings)
      for (let round = 0; round < MOST_ROUNDS; round += 1) {
        const current = this.#members()
        const orders = groupOrders(current)
        this.#decide(current, null, null, orders)
        if (orders.length === 0) break
        give(current, orders)
      }
    } finally {
      this.#isOrdering = false
    }
  }

  #decide(
    members: readonly DrivenMember[],
    stepped: number | null,
    reason: Reason | null,
    orders: readonly GroupOrder[]
  ): void {
    const seen = members.map(({ name, state, hasFault }) => ({ name, state, hasFault }))
    this.#decided({ group: this.config.name, stepped, reason, members: seen, orders })
  }

  /** What a member of its own demands has changed: one that hands over takes all of them along. */
  servesChanged(): void {
    const members = this.#members()
    const isServing = members.every(({ serves }) => serves)
    for (const member of members) member.setGroupServes(isServing)
  }

  /** What was told last; null before the first state. */
  get state(): GroupState | null {
    return this.#state
  }

  /** Whether the fault that keeps all members out is none yet: a first result is awaited. */
  get isAwaiting(): boolean {
    const faulty = this.#members().filter(({ hasFault }) => hasFault)
    return faulty.length > 0 && faulty.every(({ isAwaiting }) => isAwaiting)
  }

  /** Tells what the group has come to; a fault that is awaited is silent (keepalived). */
  tell(): void {
    const state = stateOf(this.#members().map((member) => member.state.name))
    if (state !== 'FAULT' || !this.isAwaiting) this.#tell(state)
  }

  /** Every member was stopped. */
  stopped(): void {
    this.#tell('STOP')
  }

  #tell(state: GroupState | null): void {
    if (state === null || state === this.#state) return
    const from = this.#state
    this.#state = state
    this.#changed(state, from)
  }
}

function give(members: readonly DrivenMember[], orders: readonly GroupOrder[]): void {
  for (const { member, event } of orders) members[member]?.order(event)
}

/** Null while the members are on their way. */
function stateOf(names: readonly State['name'][]): GroupState | null {
  if (names.includes('fault')) return 'FAULT'
  if (names.every((name) => name === 'master')) return 'MASTER'
  return names.every((name) => name === 'backup') ? 'BACKUP' : null
}
