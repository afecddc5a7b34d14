import { stepBackup } from './machine-backup.js'
import { stepFault, stepInitialize } from './machine-idle.js'
import { stepMaster } from './machine-master.js'
import { afterPause } from './machine-pause.js'
import type { ElectionSettings, Event, State, Step } from './model.js'
import type { Milliseconds } from './timing.js'

/**
 * The VRRP state machine: RFC 3768 §6.4 and RFC 9568 §6.4, with keepalived's rules where they differ,
 * and hand over, make before break. It has no clock, no socket and no timer: deadlines live in the
 * state, and what has to be done comes back as ordered values. `machine-idle.ts`, `machine-backup.ts`
 * and `machine-master.ts` have what happens in each state, `machine-moves.ts` how a state is entered;
 * `docs/vrrp-state-machine.md` draws it.
 */
export function step(
  router: ElectionSettings,
  state: State,
  event: Event,
  now: Milliseconds
): Step {
  const resumed = afterPause(router, state, now)
  if (resumed === null) return stepState(router, state, event, now)
  // Who was being stopped has ended with that.
  if (resumed.state.name === 'initialize') return resumed
  const next = stepState(router, resumed.state, event, now)
  const goesOn = next.state.name !== resumed.state.name
  return {
    state: next.state,
    actions: [...resumed.actions, ...next.actions],
    reason: goesOn ? (next.reason ?? resumed.reason) : resumed.reason
  }
}

function stepState(router: ElectionSettings, state: State, event: Event, now: Milliseconds): Step {
  switch (state.name) {
    case 'initialize':
      return stepInitialize(router, state, event, now)
    case 'fault':
      return stepFault(router, state, event, now)
    case 'backup':
      return stepBackup(router, state, event, now)
    case 'master':
      return stepMaster(router, state, event, now)
  }
}

/** When a `timer` event will next change something; null while nothing is awaited. */
export function nextDeadline(state: State): Milliseconds | null {
  return nextTimer(state)?.at ?? null
}

/** What a state waits for, and until when; null while nothing is awaited. */
export function nextTimer(state: State): NextTimer | null {
  switch (state.name) {
    case 'initialize':
    case 'fault':
      return null
    case 'backup':
      return { what: 'master-down', at: state.masterDownAt }
    case 'master': {
      const { handOver, adverAt, secondBurst, refreshAt } = state
      const first: NextTimer = handOver
        ? { what: 'hand-over', at: handOver.until }
        : { what: 'advertisement', at: adverAt }
      const announceAt = Math.min(secondBurst?.at ?? Infinity, refreshAt ?? Infinity)
      return announceAt < first.at ? { what: 'announcement', at: announceAt } : first
    }
  }
}

/** One of the timers of the state machine. */
export interface NextTimer {
  readonly what: 'master-down' | 'advertisement' | 'hand-over' | 'announcement'
  readonly at: Milliseconds
}
