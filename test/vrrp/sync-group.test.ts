import t from 'tap'
import { nextDeadline, step } from '../../src/vrrp/machine.js'
import type { Event, Reason, State, VirtualRouter } from '../../src/vrrp/model.js'
import { groupOrders, siblingOrders } from '../../src/vrrp/sync-group.js'
import { PAIR_MASTER } from './router.js'

const router: VirtualRouter = { ...PAIR_MASTER, isGrouped: true, startsAsMaster: false }
const PARTNER = '192.168.64.134'

/** The members of a group on one director, with a clock that the test moves. */
class Group {
  states: State[]
  readonly faults: boolean[]
  #now = 0

  constructor(count: number) {
    this.states = Array.from({ length: count }, () => ({
      name: 'initialize',
      priority: 100,
      serviceUp: true
    }))
    this.faults = this.states.map(() => false)
    for (let member = 0; member < count; member++) this.happens(member, { kind: 'startup' })
  }

  get names(): readonly string[] {
    return this.states.map(({ name }) => name)
  }

  get members(): { state: State; hasFault: boolean }[] {
    return this.states.map((state, i) => ({ state, hasFault: this.faults[i] ?? false }))
  }

  /** One event for one member, and all the orders that follow. Returns what was told. */
  happens(member: number, event: Event): readonly string[] {
    const told: string[] = []
    const take = (i: number, event: Event): Reason | null => {
      const from = this.states[i] ?? { name: 'initialize', priority: 100, serviceUp: true }
      const { state, actions, reason } = step(router, from, event, this.#now)
      this.states[i] = state
      const done = actions.map((a) => (a.kind === 'advertise' ? `advertise ${a.priority}` : a.kind))
      told.push([`${i}:`, state.name, reason ?? '', ...done].join(' '))
      return reason
    }
    const reason = take(member, event)
    for (const order of siblingOrders(this.members, member, reason)) take(order.member, order.event)
    for (const order of groupOrders(this.members)) take(order.member, order.event)
    t.same(groupOrders(this.members), [], 'the orders lead to a state that needs none')
    return told
  }

  setFault(member: number, hasFault: boolean): readonly string[] {
    this.faults[member] = hasFault
    // The end of a fault is told by the group alone.
    return this.happens(member, hasFault ? { kind: 'fault', cause: 'link' } : { kind: 'timer' })
  }

  advert(member: number, priority: number): readonly string[] {
    return this.happens(member, {
      kind: 'advertisement',
      priority,
      source: PARTNER,
      adverInterval: 1000
    })
  }

  /** Timers fire on time, of all members. */
  advanceTo(time: number, skip: readonly number[] = []): void {
    for (;;) {
      const due = this.states
        .map((state, member) => ({ at: nextDeadline(state) ?? Infinity, member }))
        .filter(({ at, member }) => at <= time && !skip.includes(member))
        .sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#now = Math.max(this.#now, due.at)
      this.happens(due.member, { kind: 'timer' })
    }
    this.#now = time
  }
}

t.test('all become master together, when the last one wants to', (t) => {
  const group = new Group(2)
  group.advanceTo(3000)
  group.advert(1, 100)
  group.advanceTo(6000)
  t.same(group.names, ['backup', 'backup'], 'the first one waits for the second')
  group.advanceTo(6700)
  t.same(group.names, ['master', 'master'])
  t.end()
})

t.test(
  'an advertisement that is accepted ends the wish to be master; one that loses does not',
  (t) => {
    const group = new Group(2)
    group.advanceTo(3000)
    group.advert(1, 100)
    group.advanceTo(4000)
    group.advert(0, 90)
    t.match(group.states[0], { wantsMaster: true })
    group.advert(0, 110)
    t.match(group.states[0], { wantsMaster: false })
    group.advanceTo(7500)
    t.same(group.names, ['backup', 'backup'])
    t.end()
  }
)

t.test('one that goes backup takes all, and no priority 0 is sent for them', (t) => {
  const group = new Group(3)
  group.advanceTo(3700)
  t.same(group.names, ['master', 'master', 'master'])
  t.same(group.advert(1, 110), [
    '1: backup higher-priority advertise 100 remove-addresses',
    '0: backup group remove-addresses',
    '2: backup group remove-addresses'
  ])
  t.end()
})

t.test('a fault of one keeps all out, until the last fault is over', (t) => {
  const group = new Group(2)
  group.advanceTo(3700)
  t.same(group.setFault(0, true), [
    '0: fault fault advertise 0 remove-addresses',
    '1: fault fault advertise 0 remove-addresses'
  ])
  group.setFault(1, true)
  group.setFault(0, false)
  t.same(group.names, ['fault', 'fault'], 'the other one still has its own')
  t.same(group.setFault(1, false), [
    '1: fault ',
    '0: backup fault-cleared',
    '1: backup fault-cleared'
  ])
  t.end()
})

t.test('a weaker master that one member hears has all of them announce', (t) => {
  const group = new Group(2)
  group.advanceTo(3700)
  t.same(group.advert(0, 90), [
    '0: master lower-priority advertise 100 announce',
    '1: master  announce'
  ])
  t.same(group.advert(0, 0).length, 1, 'priority 0 within the same half interval is not answered')
  t.end()
})

t.test('members that are being stopped finish that by themselves', (t) => {
  const group = new Group(2)
  group.advanceTo(3700)
  group.happens(0, { kind: 'shutdown' })
  group.happens(1, { kind: 'shutdown' })
  group.advert(0, 90)
  t.same(group.names, ['initialize', 'master'])
  group.advert(1, 90)
  t.same(group.names, ['initialize', 'initialize'])
  t.end()
})

t.test('a member that is being stopped is not kept from it by one that is backup', (t) => {
  const group = new Group(3)
  group.advanceTo(3700)
  group.happens(0, { kind: 'shutdown' })
  t.same(group.advert(1, 110), [
    '1: backup higher-priority advertise 100 remove-addresses',
    '2: backup group remove-addresses'
  ])
  group.advert(0, 110)
  t.same(group.names, ['initialize', 'backup', 'backup'])
  t.end()
})

t.test('a hand-over that one partner answers is over for all', (t) => {
  const group = new Group(2)
  group.advanceTo(3700)
  const conditions = { priority: 80, serviceUp: false }
  group.happens(0, { kind: 'conditions', conditions })
  group.happens(1, { kind: 'conditions', conditions })
  t.same(group.advert(0, 90), [
    '0: backup hand-over-answered remove-addresses',
    '1: backup group remove-addresses'
  ])
  t.end()
})
