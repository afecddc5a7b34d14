import type { Event } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { holds, type Host, type Taken } from './host.js'
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
  | 'settles in time'
  | 'the survivor announces'

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
  if (advertises && !wasMaster && !isMaster)
    return violated('no advertisement in backup', `advertises as ${state.name}`)
  if (isMaster && !wasMaster) {
    const order = actions.map(({ kind }) => kind).join(', ')
    if (order !== 'advertise, add-addresses, announce')
      return violated('first advertise, then add, then announce', order)
    const early = earliestTakeover(before) - now
    if (early > 1e-6)
      return violated('no takeover before Skew_Time or Master_Down_Interval', `${early} ms too early`)
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

/**
 * RFC 3768 §6.1 and §6.4.2 in its own words: a backup waits for three intervals and Skew_Time since
 * it heard a master that it respects, or for Skew_Time since one resigned.
 */
function earliestTakeover({ router, state, quietSince, resignedAt }: Host): Milliseconds {
  if (router.isOwner || router.isGrouped) return -Infinity
  const unit = router.version === 2 ? 1000 : router.adverInterval
  const skew = ((256 - state.priority) / 256) * unit
  const silence = quietSince + router.downTimerAdverts * router.adverInterval + skew
  return resignedAt === null ? silence : Math.min(silence, resignedAt + skew)
}

/** Which director should be master of a network that is whole: the best of those that run. */
export function isRightHolder(hosts: readonly Host[], holder: Host): boolean {
  if (holder.state.name !== 'master' || holder.state.handOver !== null) return false
  const canServe = (host: Host): boolean => host.state.serviceUp || !host.router.makesBeforeBreak
  return hosts.every((other) => {
    if (other === holder || other.process !== 'running' || !other.isLinkUp) return true
    if (other.state.name !== 'backup') return other.state.name === 'initialize'
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
  const candidates = hosts.filter(
    (host) => host.process === 'running' && host.isLinkUp && host.state.name !== 'initialize'
  )
  if (candidates.length === 0) return holders.every(({ process }) => process !== 'running')
  if (holder === undefined || holders.length > 1 || holder.process !== 'running') return false
  return isRightHolder(hosts, holder) && client === hosts.indexOf(holder)
}
