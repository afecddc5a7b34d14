// lane: patient - explores many machines
import t from 'tap'
import { CLASSES } from '../exploration/classes.js'
import { exploreClass } from '../exploration/run.js'
import type { Machine } from '../simulation/machine.js'
import type { Invariant } from '../simulation/oracle.js'
import { simulateGroups } from '../simulation/groups.js'
import { simulate } from '../simulation/simulate.js'
import { GROUP_MUTANTS, MUTANTS } from './mutants.js'

/** A shared machine may take several times the usual ten seconds. */
t.setTimeout(870_000)

/** Enough for a fault to be met, and few enough for many mutants. */
const MAX_STATES = 10_000
const RUNS = 1000

/** What the exploration of the small classes finds first. */
function explored(machine: Machine): Invariant | null {
  for (const faults of CLASSES) {
    const { found } = exploreClass(faults, MAX_STATES, machine)
    if (found) return found.invariant
  }
  return null
}

function simulated(machine: Machine): Invariant | null {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { violation } = simulate(seed, machine)
    if (violation) return violation.invariant
  }
  return null
}

for (const mutant of MUTANTS) {
  void t.test(`a machine that ${mutant.name} is found`, (t) => {
    if (mutant.explored !== null)
      t.equal(explored(mutant.machine), mutant.explored, 'by the exploration')
    t.equal(simulated(mutant.machine), mutant.simulated, 'by the simulation')
    t.ok(mutant.explored ?? mutant.simulated, 'by one of them')
    t.end()
  })
}

for (const { name, machine, simulated } of GROUP_MUTANTS) {
  void t.test(`in a sync group, a machine that ${name} is found`, (t) => {
    let found: Invariant | null = null
    for (let seed = 1; seed <= RUNS && found === null; seed++)
      found = simulateGroups(seed, machine).violation?.invariant ?? null
    t.equal(found, simulated)
    t.end()
  })
}
