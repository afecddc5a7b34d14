import { SHIPPED, type Machine } from '../simulation/machine.js'
import { firstWorlds, limitsOf, settingOf, type FaultClass } from './classes.js'
import { explore, type Exploration } from './explore.js'

/** Explores one class. */
export function exploreClass(
  faults: FaultClass,
  maxStates: number,
  machine: Machine = SHIPPED
): Exploration {
  const setting = settingOf(faults, machine)
  return explore(setting, firstWorlds(faults, setting), limitsOf(faults), maxStates)
}

/** What was found, as text: the invariant, and every event on the shortest way to its violation. */
export function tellViolation({ found }: Exploration): string {
  if (found === null) return 'none'
  return [`${found.invariant}: ${found.text}`, ...found.trace].join('\n')
}
