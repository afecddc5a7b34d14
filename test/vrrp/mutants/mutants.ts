import { masterDownInterval, skewTime } from '../../../src/vrrp/timing.js'
import type { Action, BackupState, ElectionSettings, State, Step } from '../../../src/vrrp/model.js'
import { SHIPPED, type Machine } from '../simulation/machine.js'
import type { Invariant } from '../simulation/oracle.js'

/** A machine that is broken in one way, and who has to notice by which invariant. */
export interface Mutant {
  readonly name: string
  readonly machine: Machine
  /** What the exploration names; null where it is not asked, because no class of it has the setting. */
  readonly explored: Invariant | null
  /** What the simulation names. */
  readonly simulated: Invariant | null
}

type StepFunction = Machine['step']

const { step, nextDeadline } = SHIPPED

/** The shipped machine with another `step`. */
function withStep(broken: StepFunction): Machine {
  return { step: broken, nextDeadline }
}

function stay(state: State): Step {
  return { state, actions: [], reason: null }
}

function without(outcome: Step, kind: Action['kind']): Step {
  return { ...outcome, actions: outcome.actions.filter((action) => action.kind !== kind) }
}

/** A backup whose timer is over this much before its time. */
function hasty(by: (router: ElectionSettings, state: BackupState) => number): Machine {
  return withStep((router, state, event, now) => {
    const outcome = step(router, state, event, now)
    const next = outcome.state
    if (next.name !== 'backup') return outcome
    const isSetAnew = state.name !== 'backup' || next.masterDownAt !== state.masterDownAt
    if (!isSetAnew || event.kind === 'conditions') return outcome
    return { ...outcome, state: { ...next, masterDownAt: next.masterDownAt - by(router, next) } }
  })
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'never removes addresses',
    machine: withStep((router, state, event, now) =>
      without(step(router, state, event, now), 'remove-addresses')
    ),
    explored: 'no address without mastership',
    simulated: 'no address without mastership'
  },
  {
    name: 'adds addresses that it has',
    machine: withStep((router, state, event, now) => {
      const outcome = step(router, state, event, now)
      const isTick = state.name === 'master' && outcome.actions.length > 0
      if (!isTick || event.kind !== 'timer' || outcome.state.name !== 'master') return outcome
      return { ...outcome, actions: [...outcome.actions, { kind: 'add-addresses' }] }
    }),
    explored: 'add and remove alternate',
    simulated: 'add and remove alternate'
  },
  {
    name: 'takes over after two intervals',
    machine: hasty((router) => router.adverInterval),
    explored: 'no takeover before Skew_Time or Master_Down_Interval',
    simulated: 'no takeover before Skew_Time or Master_Down_Interval'
  },
  {
    name: 'forgets Skew_Time',
    machine: hasty((router, { priority, masterAdverInterval }) =>
      skewTime(router, priority, masterAdverInterval)
    ),
    explored: 'no takeover before Skew_Time or Master_Down_Interval',
    simulated: 'no takeover before Skew_Time or Master_Down_Interval'
  },
  {
    name: 'never takes over',
    machine: withStep((router, state, event, now) => {
      if (state.name !== 'backup' || event.kind !== 'timer' || now < state.masterDownAt)
        return step(router, state, event, now)
      const wait = masterDownInterval(router, state.priority, state.masterAdverInterval)
      return stay({ ...state, masterDownAt: now + wait })
    }),
    explored: 'takes over in time',
    simulated: 'one holder'
  },
  {
    name: 'waits for silence although the master has resigned',
    machine: withStep((router, state, event, now) =>
      state.name === 'backup' && event.kind === 'advertisement' && event.priority === 0
        ? stay(state)
        : step(router, state, event, now)
    ),
    explored: 'takes over in time',
    simulated: null
  },
  {
    name: 'ignores a higher priority as master',
    machine: withStep((router, state, event, now) =>
      state.name === 'master' && event.kind === 'advertisement' && event.priority > state.priority
        ? stay(state)
        : step(router, state, event, now)
    ),
    explored: 'one holder',
    simulated: 'one holder'
  },
  {
    name: 'has no tie break between equal priorities',
    machine: withStep((router, state, event, now) =>
      state.name === 'master' &&
      event.kind === 'advertisement' &&
      event.priority === state.priority &&
      state.handOver === null
        ? stay(state)
        : step(router, state, event, now)
    ),
    explored: 'one holder',
    simulated: 'one holder'
  },
  {
    name: 'is silent after double mastership',
    machine: withStep((router, state, event, now) => {
      const outcome = step(router, state, event, now)
      return state.name === 'master' ? without(outcome, 'announce') : outcome
    }),
    explored: 'the survivor announces',
    simulated: 'the survivor announces'
  },
  {
    name: 'gives way without a word',
    machine: withStep((router, state, event, now) => {
      const outcome = step(router, state, event, now)
      const yields = state.name === 'master' && outcome.reason === 'higher-priority'
      return yields ? without(outcome, 'advertise') : outcome
    }),
    explored: 'settles in time',
    simulated: 'the survivor announces'
  },
  {
    name: 'goes on as master after a pause',
    machine: withStep((router, state, event, now) => {
      if (state.name !== 'master') return step(router, state, event, now)
      const late = Math.max(0, now - state.adverAt)
      const secondBurst = state.secondBurst && { ...state.secondBurst, at: now }
      return late === 0
        ? step(router, state, event, now)
        : step(router, { ...state, adverAt: now, secondBurst }, event, now)
    }),
    explored: 'after a pause first listen',
    simulated: 'after a pause first listen'
  },
  {
    name: 'preempts although it cannot serve',
    machine: withStep((router, state, event, now) => {
      if (state.name !== 'backup') return step(router, state, event, now)
      const blind = event.kind === 'conditions' ? { ...event.conditions, serviceUp: true } : null
      const told = blind ? { kind: 'conditions' as const, conditions: blind } : event
      const outcome = step(router, { ...state, serviceUp: true }, told, now)
      const { serviceUp } = event.kind === 'conditions' ? event.conditions : state
      return { ...outcome, state: { ...outcome.state, serviceUp } }
    }),
    explored: 'who cannot serve does not preempt',
    simulated: 'who cannot serve does not preempt'
  },
  {
    name: 'preempts with nopreempt',
    machine: withStep((router, state, event, now) =>
      step({ ...router, preempts: true }, state, event, now)
    ),
    explored: 'no takeover before Skew_Time or Master_Down_Interval',
    simulated: 'no takeover before Skew_Time or Master_Down_Interval'
  },
  {
    name: 'never preempts',
    machine: withStep((router, state, event, now) =>
      step({ ...router, preempts: false }, state, event, now)
    ),
    explored: 'settles in time',
    simulated: 'settles in time'
  },
  {
    name: 'answers every packet',
    machine: withStep((router, state, event, now) =>
      step(router, state.name === 'master' ? { ...state, answerAt: 0 } : state, event, now)
    ),
    explored: 'no flood of advertisements',
    simulated: 'no flood of advertisements'
  },
  {
    name: 'advertises in backup',
    machine: withStep((router, state, event, now) => {
      const outcome = step(router, state, event, now)
      if (state.name !== 'backup' || event.kind !== 'advertisement') return outcome
      const advertise: Action = { kind: 'advertise', priority: state.priority }
      return { ...outcome, actions: [...outcome.actions, advertise] }
    }),
    explored: 'no advertisement in backup',
    simulated: 'no advertisement in backup'
  },
  {
    name: 'announces before it has the addresses',
    machine: withStep((router, state, event, now) => {
      const outcome = step(router, state, event, now)
      const isTakeover = state.name === 'backup' && outcome.state.name === 'master'
      return isTakeover ? { ...outcome, actions: [...outcome.actions].reverse() } : outcome
    }),
    explored: 'first advertise, then add, then announce',
    simulated: 'first advertise, then add, then announce'
  },
  {
    name: 'forgets to set its timer again',
    machine: withStep((router, state, event, now) => {
      const outcome = step(router, state, event, now)
      if (state.name !== 'master' || event.kind !== 'timer' || outcome.state.name !== 'master')
        return outcome
      return { ...outcome, state: { ...outcome.state, adverAt: state.adverAt } }
    }),
    explored: 'a timer does not spin',
    simulated: 'a timer does not spin'
  },
  {
    name: 'takes an early timer for its own',
    machine: withStep((router, state, event, now) =>
      step(router, state, event, event.kind === 'timer' ? now + 2 : now)
    ),
    explored: 'the survivor announces',
    simulated: 'no takeover before Skew_Time or Master_Down_Interval'
  },
  {
    name: 'drops the addresses when it hands over',
    machine: withStep((router, state, event, now) => {
      const { makesBeforeBreak } = router
      if (state.name !== 'master' || event.kind !== 'shutdown' || !makesBeforeBreak)
        return step(router, state, event, now)
      return step({ ...router, makesBeforeBreak: false }, state, event, now)
    }),
    explored: 'takes over in time',
    simulated: null
  },
  {
    name: 'forgets preempt_delay',
    machine: withStep((router, state, event, now) =>
      step({ ...router, preemptDelay: 0 }, state, event, now)
    ),
    explored: null,
    simulated: 'no takeover before Skew_Time or Master_Down_Interval'
  }
]

/** A machine that does not do what its sync group orders, and what the simulation of groups names. */
export const GROUP_MUTANTS: readonly {
  readonly name: string
  readonly machine: Machine
  readonly simulated: Invariant
}[] = [
  {
    name: 'becomes master alone',
    machine: withStep((router, state, event, now) =>
      step({ ...router, isGrouped: false }, state, event, now)
    ),
    simulated: 'a group is whole'
  },
  {
    name: 'stays master although another member is backup',
    machine: withStep((router, state, event, now) =>
      event.kind === 'group-backup' ? stay(state) : step(router, state, event, now)
    ),
    simulated: 'one holder'
  },
  {
    name: 'stays in Fault although the last fault of the group is over',
    machine: withStep((router, state, event, now) =>
      event.kind === 'fault-cleared' ? stay(state) : step(router, state, event, now)
    ),
    simulated: 'a group is whole'
  },
  {
    name: 'forgets that it waits for the others',
    machine: withStep((router, state, event, now) => {
      const outcome = step(router, state, event, now)
      if (outcome.state.name !== 'backup' || event.kind !== 'timer') return outcome
      return { ...outcome, state: { ...outcome.state, wantsMaster: false } }
    }),
    simulated: 'a group is whole'
  }
]
