import type { Event } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { LINK_DOWN, LINK_UP, advertisement } from '../simulation/events.js'
import { expired, killed, renewed, take, type Host } from '../simulation/host.js'
import type { Machine } from '../simulation/machine.js'
import { checkAnswer, checkStep } from '../simulation/oracle.js'
import {
  direction,
  disturbed,
  nameOf,
  nameOfDirection,
  observed,
  withNode,
  type Fault,
  type Message,
  type World
} from './world.js'

/** What a world may turn into, and by what. */
export interface Choice {
  readonly label: string
  readonly world: World
}

/** What is fixed while one space is explored. */
export interface Setting {
  readonly machine: Machine
  /** How long an advertisement takes that nothing happens to. */
  readonly latency: Milliseconds
  /** How long one takes that is late, and the second copy of one. */
  readonly delays: readonly Milliseconds[]
  readonly pauses: readonly Milliseconds[]
  /** How long a dead director stays so; Infinity is for ever. */
  readonly restarts: readonly Milliseconds[]
  /** How long a link, a service or a part of the network is gone. */
  readonly outages: readonly Milliseconds[]
  /** How much later than it should the kernel may remove an address. */
  readonly leaseLateness: Milliseconds
  /** What a failing service takes from the priority. */
  readonly serviceWeight: number
  /** Faults happen at every event, and at every so many milliseconds between two of them. */
  readonly grid: Milliseconds
}

/** Sums of fractions that differ by less are one time. */
const SAME_TIME: Milliseconds = 1e-6

/** Longer than a hand-over, in milliseconds. */
const LONGEST_STOP = 1500

/** Everything that can happen next. Time goes on only when nothing is due. */
export function choicesOf(setting: Setting, world: World): readonly Choice[] {
  const due = dueNow(setting, world)
  const choices = due.length > 0 ? due : goOn(setting, world)
  return world.faultsLeft > 0 ? [...choices, ...faults(setting, world)] : choices
}

function dueNow(setting: Setting, world: World): Choice[] {
  const { now } = world
  const choices: Choice[] = []
  const firstOf = new Set<number>()
  for (const message of world.messages) {
    if (message.dueAt > now) break
    // What waits in one socket is read in order.
    if (firstOf.has(message.to)) continue
    firstOf.add(message.to)
    if (world.nodes[message.to]?.host.process === 'paused') continue
    choices.push(...deliver(setting, world, message))
  }
  world.nodes.forEach(({ host, wakeAt }, i) => {
    if (host.heldUntil !== null && host.heldUntil <= now) choices.push(expire(world, i))
    if (wakeAt !== null && wakeAt <= now) choices.push(...wake(setting, world, i))
    if (host.process !== 'running') return
    if (host.renewAt !== null && host.renewAt <= now) {
      const next = withNode(world, i, { host: renewed(host, now) })
      choices.push({ label: `${nameOf(i)} renews its lease`, world: observed(world, next) })
    }
    const deadline = setting.machine.nextDeadline(host.state)
    // The speaker reads what waits in its socket before its timer decides.
    if (deadline !== null && deadline <= now && !firstOf.has(i))
      choices.push(...happen(setting, world, i, { kind: 'timer' }, `${nameOf(i)}'s timer`))
  })
  if (world.healAt !== null && world.healAt <= now) {
    const whole = disturbed({ ...world, cut: [], healAt: null })
    choices.push({ label: 'the network is whole again', world: observed(world, whole) })
  }
  return choices
}

function deliver(setting: Setting, world: World, message: Message): readonly Choice[] {
  const rest = { ...world, messages: world.messages.filter((each) => each !== message) }
  const { from, to, priority, source, interval } = message
  const next = message.isOdd ? disturbed(rest) : rest
  const host = next.nodes[to]?.host
  const label = `${nameOf(to)} hears ${priority} from ${nameOf(from)}`
  if (host?.process !== 'running' || !host.isLinkUp)
    return [{ label: `${label}: lost`, world: observed(world, next) }]
  return happen(setting, next, to, advertisement(priority, source, interval), label)
}

function expire(world: World, index: number): Choice {
  const gone = withNode(world, index, { host: expired(hostAt(world, index)) })
  return { label: `${nameOf(index)}'s lease ends`, world: observed(world, gone) }
}

/** A host whose process stops to renew the lease: the kernel removes the address in time, or late. */
function leaseEnds({ leaseLateness }: Setting, host: Host): readonly Host[] {
  const { heldUntil } = host
  if (heldUntil === null || leaseLateness === 0) return [host]
  return [host, { ...host, heldUntil: heldUntil + leaseLateness }]
}

/** A director is continued, started, or gets back what it had lost. */
function wake(setting: Setting, world: World, index: number): readonly Choice[] {
  const host = hostAt(world, index)
  const name = nameOf(index)
  const awake = disturbed(withNode(world, index, { wakeAt: null }))
  if (host.process === 'paused') {
    const next = withNode(awake, index, { host: { ...host, process: 'running' } })
    return [{ label: `${name} is continued`, world: observed(world, next) }]
  }
  if (host.process === 'dead') {
    const next = withNode(awake, index, { host: { ...host, process: 'running' } })
    return happen(setting, next, index, { kind: 'startup' }, `${name} starts`)
  }
  if (!host.isLinkUp) {
    const next = withNode(awake, index, { host: { ...host, isLinkUp: true } })
    return happen(setting, next, index, LINK_UP, `${name}'s link is up`)
  }
  if (!host.state.serviceUp) return serviceChange(setting, awake, index, true)
  return happen(setting, awake, index, { kind: 'startup' }, `${name} starts again`)
}

function serviceChange(
  setting: Setting,
  world: World,
  index: number,
  serviceUp: boolean
): readonly Choice[] {
  const { state } = hostAt(world, index)
  const priority = state.priority + (serviceUp ? 1 : -1) * setting.serviceWeight
  const label = `${nameOf(index)}'s service ${serviceUp ? 'is well' : 'fails'}`
  const conditions = { priority, serviceUp }
  return happen(setting, world, index, { kind: 'conditions', conditions }, label)
}

/** A director takes an event, and what it sends goes every way that it can. */
function happen(
  setting: Setting,
  world: World,
  index: number,
  event: Event,
  label: string
): readonly Choice[] {
  const { now } = world
  const before = hostAt(world, index)
  const taken = take(setting.machine, before, event, now)
  const { host, step } = taken
  const answer = checkAnswer(world.nodes[index]?.answeredAt ?? null, before, event, taken, now)
  const violation =
    world.violation ?? checkStep(setting.machine, before, event, taken, now) ?? answer.violation
  const { answeredAt } = answer
  let { client, spans } = world
  for (const action of step.actions) {
    if (action.kind === 'announce' && host.isLinkUp) {
      client = index
      spans = { ...spans, owed: null }
    }
  }
  const next = withNode({ ...world, client, violation, spans }, index, { host, answeredAt })
  const told = step.actions.map((action) =>
    action.kind === 'advertise' ? `advertise ${action.priority}` : action.kind
  )
  const outcome = `${label} -> ${host.state.name}${told.length > 0 ? `: ${told.join(', ')}` : ''}`
  let choices: readonly Choice[] = [{ label: outcome, world: next }]
  for (const action of step.actions) {
    if (action.kind !== 'advertise' || !host.isLinkUp) continue
    for (let to = 0; to < world.nodes.length; to++) {
      if (to === index || world.cut.includes(direction(index, to))) continue
      choices = choices.flatMap((choice) => send(setting, choice, index, to, action.priority))
    }
  }
  return choices.map((choice) => ({ ...choice, world: observed(world, choice.world) }))
}

/** The ways of one advertisement to one receiver. */
function send(
  setting: Setting,
  { label, world }: Choice,
  from: number,
  to: number,
  priority: number
): readonly Choice[] {
  const { router } = hostAt(world, from)
  const message = (delay: Milliseconds, isOdd: boolean): Message => ({
    from,
    to,
    priority,
    interval: router.adverInterval,
    source: router.primaryAddress,
    dueAt: world.now + delay,
    isOdd
  })
  const usual = message(setting.latency, false)
  const choices: Choice[] = [{ label, world: withMessages(world, [usual]) }]
  const lossy = spend(world, 'loss')
  if (lossy) choices.push({ label: `${label} (lost to ${nameOf(to)})`, world: lossy })
  for (const delay of setting.delays) {
    const slow = spend(world, 'delay')
    if (slow) {
      const late = withMessages(slow, [message(delay, true)])
      choices.push({ label: `${label} (${delay} ms to ${nameOf(to)})`, world: late })
    }
    const twice = spend(world, 'duplicate')
    if (twice) {
      const both = withMessages(twice, [usual, message(delay, true)])
      choices.push({ label: `${label} (twice to ${nameOf(to)})`, world: both })
    }
  }
  return choices
}

function withMessages(world: World, added: readonly Message[]): World {
  const messages = [...world.messages, ...added].sort((a, b) => a.dueAt - b.dueAt)
  return { ...world, messages }
}

/** The world after one fault of this kind was used up; null if there is none left. */
function spend(world: World, fault: Fault): World | null {
  const left = world.budget[fault] ?? 0
  if (left === 0 || world.faultsLeft === 0) return null
  const budget = { ...world.budget, [fault]: left - 1 }
  return disturbed({ ...world, budget, faultsLeft: world.faultsLeft - 1 })
}

/** Time passes until something is due, and everything that is due at the same time. */
function goOn(setting: Setting, world: World): readonly Choice[] {
  const dues = [world.healAt, dueOf(world)]
  for (const { host, wakeAt } of world.nodes) {
    dues.push(wakeAt, host.heldUntil)
    if (host.process === 'running')
      dues.push(host.renewAt, setting.machine.nextDeadline(host.state))
  }
  if (world.faultsLeft > 0) dues.push(world.now + setting.grid)
  const first = Math.min(...dues.map((due) => due ?? Infinity))
  if (first === Infinity) return []
  const now = Math.max(
    ...dues.map((due) => ((due ?? Infinity) < first + SAME_TIME ? (due ?? 0) : 0))
  )
  return [{ label: '', world: { ...world, now } }]
}

/** When the next message arrives at somebody who may read it. */
function dueOf({ messages, nodes }: World): Milliseconds {
  return messages.find(({ to }) => nodes[to]?.host.process !== 'paused')?.dueAt ?? Infinity
}

/** The faults that directors and network may have at this moment. */
function faults(setting: Setting, world: World): readonly Choice[] {
  const { now } = world
  const choices: Choice[] = []
  const each = (fault: Fault, make: (spent: World, index: number, host: Host) => void): void => {
    const spent = spend(world, fault)
    if (!spent) return
    world.nodes.forEach(({ host, wakeAt }, i) => {
      if (host.process === 'running' && wakeAt === null) make(spent, i, host)
    })
  }
  for (const fault of ['kill', 'power loss'] as const) {
    each(fault, (spent, i, host) => {
      for (const after of setting.restarts) {
        for (const dead of leaseEnds(setting, killed(host, fault === 'power loss'))) {
          const next = withNode(spent, i, { host: dead, wakeAt: now + after, answeredAt: null })
          const label = `${fault} of ${nameOf(i)} for ${after} ms`
          choices.push({ label, world: observed(world, next) })
        }
      }
    })
  }
  each('pause', (spent, i, host) => {
    for (const time of setting.pauses) {
      for (const paused of leaseEnds(setting, { ...host, process: 'paused' })) {
        const next = withNode(spent, i, { host: paused, wakeAt: now + time })
        const label = `${nameOf(i)} stands still for ${time} ms`
        choices.push({ label, world: observed(world, next) })
      }
    }
  })
  each('service', (spent, i, host) => {
    if (!host.state.serviceUp) return
    for (const time of setting.outages)
      choices.push(...serviceChange(setting, withNode(spent, i, { wakeAt: now + time }), i, false))
  })
  each('stop', (spent, i) => {
    for (const time of setting.restarts) {
      // It can be started again when it has ended, and that is after a hand-over at the latest.
      const next = withNode(spent, i, { wakeAt: now + Math.max(time, LONGEST_STOP) })
      choices.push(...happen(setting, next, i, { kind: 'shutdown' }, `${nameOf(i)} is stopped`))
    }
  })
  each('link', (spent, i, host) => {
    for (const time of setting.outages) {
      const host2 = { ...host, isLinkUp: false }
      const next = withNode(spent, i, { host: host2, wakeAt: now + time })
      choices.push(...happen(setting, next, i, LINK_DOWN, `${nameOf(i)} loses its link`))
    }
  })
  const cuts = (fault: Fault, directions: readonly (readonly number[])[]): void => {
    const spent = spend(world, fault)
    if (!spent || world.cut.length > 0) return
    for (const cut of directions) {
      for (const time of setting.outages) {
        const next = { ...spent, cut, healAt: now + time }
        const label = `${fault} ${cut.map(nameOfDirection).join(' ')} for ${time} ms`
        choices.push({ label, world: observed(world, next) })
      }
    }
  }
  const indexes = world.nodes.map((_, i) => i)
  // To cut one of a pair off is to cut off the other.
  const cutOff = indexes.length === 2 ? [0] : indexes
  const others = (i: number): readonly number[] => indexes.filter((j) => j !== i)
  const out = cutOff.map((i) => others(i).map((j) => direction(i, j)))
  const into = cutOff.map((i) => others(i).map((j) => direction(j, i)))
  cuts(
    'cut',
    cutOff.map((i) => [...(out[i] ?? []), ...(into[i] ?? [])])
  )
  cuts('one-way cut', [...out, ...into])
  return choices
}

function hostAt(world: World, index: number): Host {
  const node = world.nodes[index]
  if (!node) throw new Error(`no director ${index}`)
  return node.host
}
