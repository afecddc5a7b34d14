import type { Order, Reason, State } from './model.js'

/** One virtual router of a sync group, as the group sees it. */
export interface GroupMember {
  readonly state: State
  /** It has a fault of its own; that of the group does not count. */
  readonly hasFault: boolean
}

/** An event that a member's `step` has to take, because of the others. */
export interface GroupOrder {
  /** Index in the list of members. */
  readonly member: number
  readonly event: Order
}

/**
 * What the members of a sync group owe to each other: all move together (keepalived, vrrp_sync.c).
 *
 * - One with a fault keeps all of them out; when the last fault is over, all come back.
 * - One that is backup takes the masters along; no priority 0 is sent for them.
 * - All become master when every one of them wants to, and no earlier.
 *
 * To be asked after each step of a member, and until there are no more orders: the states that the
 * orders lead to need none. For a grouped router `fault-cleared` comes from here and from nowhere else.
 *
 * @param members all members that are started or being stopped
 */
export function groupOrders(members: readonly GroupMember[]): readonly GroupOrder[] {
  const event = eventForAll(members)
  if (event === null) return []
  return members.flatMap(({ state }, member) => (concerns(event, state) ? [{ member, event }] : []))
}

function eventForAll(members: readonly GroupMember[]): Order | null {
  if (members.some(({ hasFault }) => hasFault)) return { kind: 'fault', cause: 'group' }
  const states = members.map(({ state }) => state)
  if (states.some(({ name }) => name === 'fault')) return { kind: 'fault-cleared' }
  if (states.every(isReady)) return { kind: 'group-master' }
  if (states.some(({ name }) => name === 'backup')) return { kind: 'group-backup' }
  return null
}

/** Master already, or only waiting for the others. */
function isReady(state: State): boolean {
  return state.name === 'master' || (state.name === 'backup' && state.wantsMaster)
}

/** Whether an event for all of them changes this one. */
function concerns(event: Order, state: State): boolean {
  switch (event.kind) {
    case 'fault':
      return state.name === 'backup' || state.name === 'master'
    case 'fault-cleared':
      return state.name === 'fault'
    case 'group-master':
      return state.name === 'backup'
    case 'group-backup':
      return state.name === 'master' && state.handOver?.goal !== 'initialize'
    default:
      return false
  }
}

/**
 * What one step of a member is to the others beyond their states: who hears a weaker master has been
 * cut off, and the other members too, although they will not hear theirs any more (keepalived,
 * vrrp_state_master_rx).
 *
 * @param member index of the one that stepped
 */
export function siblingOrders(
  members: readonly GroupMember[],
  member: number,
  reason: Reason | null
): readonly GroupOrder[] {
  if (reason !== 'lower-priority') return []
  return members.flatMap(({ state }, i) =>
    i !== member && state.name === 'master'
      ? [{ member: i, event: { kind: 'announce-again', announcement: 'lower-priority' } }]
      : []
  )
}
