import { SHIPPED } from '../simulation/machine.js'
import { explore } from './explore.js'
import { atRest, coldStart, withFaults } from './pairs.js'
import type { Setting } from './choices.js'
import { FAULTS, type Fault } from './world.js'
const setting: Setting = { machine: SHIPPED, latency: 1, delays: [100], pauses: [500, 2000,5000], restarts: [400, 10000], outages: [2000, 6000], leaseLateness: 160, serviceWeight: 20, grid: Number(process.argv[2] ?? Infinity) }
const members = [{ priority: 100 }, { priority: 90 }]
const limits = { double: 3000, unserved: 9000, unsettled: 9000, owed: 12000 }
const rest = [[0, 0],[0,5500]].map((s) => atRest(setting, coldStart(members, 3000, s)))
for (const fault of FAULTS.filter((f) => !process.argv[3] || f === process.argv[3])) for (const n of [1,2,3]) {
  const t = performance.now()
  const budget: Partial<Record<Fault, number>> = {}
  budget[fault] = n
  const e = explore(setting, rest.map((w) => withFaults(w, budget)), limits, 300000)
  console.log(fault, n, e.states, e.transitions, e.isComplete, JSON.stringify(e.longest), (performance.now()-t).toFixed(0))
  if (e.found) console.log(e.found.invariant, e.found.text, '\n', e.found.trace.slice(-Number(process.argv[4] ?? 14)).join('\n '))
}
