import type { Event } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { holds, isInElection, type Host, type Taken } from './host.js'
import type { Machine } from './machine.js'

/** The names of everything that is required; a violation begins with one of them. */
export type Invariant =
  | 'one holder'
  | 'add and remove alternate'
  | 'no address without mastership'
  | 'no advertisement in backup'
  | 'first advertise, then add, then announce'
  | 'no flood of advertisements'
  | 'a timer does not spin'
  | 'an early timer changes nothing'
  | 'no takeover before Skew_Time or Master_Down_Interval'
  | 'who cannot serve does not preempt'
  | 'after a pause first listen'
  | 'takes over in time'
  | 'settles in time'
  | 'the survivor announces'
  | 'a group is whole'

export interface Violation {
  readonly invariant: Invariant
  readonly text: string
}

/** What one step of one director must never do, whatever it has gone through. */
export function checkStep(
  machine: Machine,
  before: Host,
  event: Event,
  { host, step }: Taken,
  now: Milliseconds
): Violation | null {
  const { actions, state } = step
  const violated = (invariant: Invariant, text: string): Violation => ({ invariant, text })
  let wants = before.wants
  for (const { kind } of actions) {
    if (kind === 'add-addresses' && wants)
      return violated('add and remove alternate', 'adds addresses that it has added')
    if (kind === 'add-addresses') wants = true
    if (kind === 'remove-addresses') wants = false
  }
  if (wants !== (state.name === 'master'))
    return violated(
      'no address without mastership',
      `${state.name} ${wants ? 'with' : 'without'} addresses`
    )
  const wasMaster = before.state.name === 'master'
  const isMaster = state.name === 'master'
  const advertises = actions.some((each) => each.kind === 'advertise' && each.priority > 0)
  if (advertises && wasMaster && stoodStill(machine, before, now))
    return violated('after a pause first listen', 'goes on as if no time had passed')
  if (advertises && !wasMaster && !isMaster)
    return violated('no advertisement in backup', `advertises as ${state.name}`)
  if (isMaster && !wasMaster) {
    const order = actions.map(({ kind }) => kind).join(', ')
    if (order !== 'advertise, add-addresses, announce')
      return violated('first advertise, then add, then announce', order)
    const { router, masterInterval } = before
    const mayPreempt = state.serviceUp || !router.makesBeforeBreak || router.isOwner
    const sinceHeard = now - before.heardAt
    if (!mayPreempt && sinceHeard < masterInterval)
      return violated('who cannot serve does not preempt', `heard a master ${sinceHeard} ms ago`)
    const early = earliestTakeover(before) - now
    // The machine counts in whole microseconds.
    if (early > 0.001 + 1e-6)
      return violated(
        'no takeover before Skew_Time or Master_Down_Interval',
        `${early} ms too early`
      )
  }
  const deadline = machine.nextDeadline(host.state)
  if (deadline !== null && deadline > now) {
    const early = machine.step(host.router, host.state, { kind: 'timer' }, now)
    if (early.actions.length > 0 || early.state.name !== state.name)
      return violated('an early timer changes nothing', `${deadline - now} ms before the deadline`)
  }
  if (event.kind === 'timer' && deadline !== null && deadline <= now)
    return violated('a timer does not spin', `after the timer the deadline is ${deadline - now} ms`)
  return null
}

/** So long that a partner has become master, and the lease has ended. */
function stoodStill(machine: Machine, { router, state }: Host, now: Milliseconds): boolean {
  const deadline = machine.nextDeadline(state)
  return deadline !== null && now - deadline > (router.downTimerAdverts + 1) * router.adverInterval
}

/**
 * RFC 3768 §6.1 and §6.4.2 in its own words: a backup waits for three intervals and Skew_Time since
 * it heard a master that it respects, or for Skew_Time since one resigned.
 */
function earliestTakeover(host: Host): Milliseconds {
  const { router, state, quietSince, resignedAt, masterInterval } = host
  if (router.isOwner || router.isGrouped) return -Infinity
  const skew = ((256 - state.priority) / 256) * (router.version === 2 ? 1000 : masterInterval)
  const silence = quietSince + router.downTimerAdverts * masterInterval + skew
  return resignedAt === null ? silence : Math.min(silence, resignedAt + skew)
}

/**
 * When a master last let a packet make it advertise, in this term of mastership. Between two of those
 * there is half an interval: a flood must not make us flood.
 */
export function checkAnswer(
  answeredAt: Milliseconds | null,
  before: Host,
  event: Event,
  { step }: Taken,
  now: Milliseconds
): { readonly answeredAt: Milliseconds | null; readonly violation: Violation | null } {
  if (step.state.name !== 'master') return { answeredAt: null, violation: null }
  const isAnswer =
    event.kind === 'advertisement' &&
    before.state.name === 'master' &&
    step.actions.some((each) => each.kind === 'advertise' && each.priority > 0)
  if (!isAnswer) return { answeredAt, violation: null }
  const since = answeredAt === null ? Infinity : now - answeredAt
  if (since > before.router.adverInterval / 2 - 1e-6) return { answeredAt: now, violation: null }
  const text = `answers ${since} ms after the last answer`
  return { answeredAt: now, violation: { invariant: 'no flood of advertisements', text } }
}

/** Which director should be master of a network that is whole: the best of those that run. */
export function isRightHolder(hosts: readonly Host[], holder: Host): boolean {
  if (holder.state.name !== 'master' || holder.state.handOver !== null) return false
  const canServe = (host: Host): boolean => host.state.serviceUp || !host.router.makesBeforeBreak
  return hosts.every((other) => {
    if (other === holder || !isInElection(other)) return true
    if (other.state.name !== 'backup') return false
    // Who may not preempt, or would serve no better, leaves the holder where it is.
    if (!other.router.preempts || !canServe(other)) return true
    return other.state.priority <= holder.state.priority
  })
}

/**
 * Where the segment stands: at rest there is one holder, it is the right one, and the clients'
 * entries point to it. Without a director that could be master there is nothing to hold.
 */
export function isSettled(hosts: readonly Host[], client: number | null): boolean {
  const holders = hosts.filter(holds)
  const [holder] = holders
  if (!hosts.some(isInElection)) return holders.every(({ process }) => process !== 'running')
  if (holder === undefined || holders.length > 1 || holder.process !== 'running') return false
  return isRightHolder(hosts, holder) && client === hosts.indexOf(holder)
}
