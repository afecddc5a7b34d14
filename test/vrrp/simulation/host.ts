import type { Action, Event, State, Step, VirtualRouter } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import type { Machine } from './machine.js'

/** One director with its kernel: the process may be gone while the kernel still has the address. */
export interface Host {
  readonly router: VirtualRouter
  /** Lifetime of the address in the kernel; Infinity without a lease. */
  readonly lease: Milliseconds
  readonly process: 'running' | 'paused' | 'dead'
  readonly isLinkUp: boolean
  readonly state: State
  /** The process added the addresses and did not remove them: it renews the lease. */
  readonly wants: boolean
  /** When the kernel removes the address by itself; null when it is not there. */
  readonly heldUntil: Milliseconds | null
  readonly renewAt: Milliseconds | null
  /** The lease had run out when it was to be renewed: first the state machine decides. */
  readonly isRenewalPutOff: boolean
  /** What the oracle remembers of the same packets: since when no better master was heard. */
  readonly quietSince: Milliseconds
  /** When the master that was heard last resigned; null when it did not. */
  readonly resignedAt: Milliseconds | null
  /** The interval of the master that is respected. */
  readonly masterInterval: Milliseconds
  /** Until when a weaker master is left alone (preempt_delay); null when none was heard. */
  readonly leftAloneUntil: Milliseconds | null
  /** When any master was heard last. */
  readonly heardAt: Milliseconds
}

/** Renewals in the length of a lease (the address manager's). */
const RENEWALS_PER_LEASE = 3
/** How long it puts the renewal of a lease off that has run out (`AFTER_PAUSE_MS`). */
const AFTER_PAUSE: Milliseconds = 50

/** A host on which nothing runs yet. */
export function newHost(router: VirtualRouter, priority: number, lease: Milliseconds): Host {
  return {
    router,
    lease,
    process: 'dead',
    isLinkUp: true,
    state: { name: 'initialize', priority, serviceUp: true },
    wants: false,
    heldUntil: null,
    renewAt: null,
    isRenewalPutOff: false,
    quietSince: 0,
    resignedAt: null,
    masterInterval: router.adverInterval,
    leftAloneUntil: null,
    heardAt: -Infinity
  }
}

/** Takes part in the election. */
export function isInElection({ process, isLinkUp, state }: Host): boolean {
  return process === 'running' && isLinkUp && (state.name === 'backup' || state.name === 'master')
}

/** The kernel has the address, and the segment can reach it. */
export function holds(host: Host): boolean {
  return host.heldUntil !== null && host.isLinkUp
}

/** Holds the address, is alive and can do its work. */
export function serves(host: Host): boolean {
  return holds(host) && host.process === 'running' && host.state.serviceUp
}

export interface Taken {
  readonly host: Host
  readonly step: Step
}

/** The process takes one event; what it does to its own kernel is done. */
export function take(machine: Machine, host: Host, event: Event, now: Milliseconds): Taken {
  const step = machine.step(host.router, host.state, event, now)
  let next: Host = { ...remembering(host, event, now), state: step.state }
  if (host.state.name !== 'backup' && step.state.name === 'backup') {
    const deadline = machine.nextDeadline(host.state)
    const { adverInterval } = host.router
    // A master that stood still has to listen for one interval, not for three.
    const wasPaused = deadline !== null && now - deadline >= adverInterval
    // Unless the first thing that it hears is a master that it respects.
    const listens = wasPaused && next.quietSince !== now
    const quietSince = listens ? now - (host.router.downTimerAdverts - 1) * adverInterval : now
    const isHeard = event.kind === 'advertisement' && !listens
    const masterInterval = isHeard ? event.adverInterval : adverInterval
    const isResignation = event.kind === 'advertisement' && event.priority === 0
    const resignedAt = isResignation ? now : null
    // Who wakes up has heard this one as a backup.
    const leftAloneUntil = wasPaused ? next.leftAloneUntil : null
    next = { ...next, quietSince, resignedAt, masterInterval, leftAloneUntil }
  }
  for (const action of step.actions) next = perform(next, action, now)
  return { host: next, step }
}

/** The last sign of a master that keeps this director from taking over (RFC 3768 §6.4.2). */
function remembering(host: Host, event: Event, now: Milliseconds): Host {
  if (event.kind !== 'advertisement') return host
  if (event.priority === 0) return { ...host, resignedAt: now }
  const { router, state } = host
  const mayPreempt = router.preempts && (state.serviceUp || !router.makesBeforeBreak)
  const isWeaker = event.priority < state.priority && mayPreempt
  const known = state.name === 'backup' ? host.leftAloneUntil : null
  const leftAloneUntil = isWeaker ? (known ?? now + router.preemptDelay) : null
  if (leftAloneUntil !== null && now >= leftAloneUntil)
    return { ...host, heardAt: now, leftAloneUntil }
  const masterInterval = event.adverInterval
  return {
    ...host,
    heardAt: now,
    quietSince: now,
    resignedAt: null,
    masterInterval,
    leftAloneUntil
  }
}

function perform(host: Host, action: Action, now: Milliseconds): Host {
  switch (action.kind) {
    case 'add-addresses':
      return claimed({ ...host, wants: true }, now)
    case 'remove-addresses':
      return { ...host, wants: false, heldUntil: null, renewAt: null, isRenewalPutOff: false }
    default:
      return host
  }
}

/** What the adapter's renewal does. A lease that has run out tells of a pause: it waits once. */
export function renewed(host: Host, now: Milliseconds): Host {
  const { lease, renewAt, isRenewalPutOff } = host
  const untilEnd = lease - lease / RENEWALS_PER_LEASE
  const hasRunOut = renewAt !== null && now >= renewAt + untilEnd
  if (!hasRunOut || isRenewalPutOff) return claimed(host, now)
  return { ...host, renewAt: now + AFTER_PAUSE, isRenewalPutOff: true }
}

function claimed(host: Host, now: Milliseconds): Host {
  const { lease } = host
  const renewAt = now + lease / RENEWALS_PER_LEASE
  return { ...host, heldUntil: now + lease, renewAt, isRenewalPutOff: false }
}

/** The kernel's end of a lease. */
export function expired(host: Host): Host {
  return { ...host, heldUntil: null }
}

/** The process is killed; with `powerLoss` the machine is. */
export function killed(host: Host, powerLoss: boolean): Host {
  const state: State = {
    name: 'initialize',
    priority: host.state.priority,
    serviceUp: host.state.serviceUp
  }
  const heldUntil = powerLoss ? null : host.heldUntil
  const gone = { wants: false, renewAt: null, isRenewalPutOff: false }
  return { ...host, process: 'dead', state, heldUntil, ...gone }
}
