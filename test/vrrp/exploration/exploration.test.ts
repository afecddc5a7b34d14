import { readFileSync } from 'node:fs'
import t from 'tap'
import { CLASSES } from './classes.js'
import { withTable } from './document.js'
import { exploreClass, tellViolation } from './run.js'
import { rowOf } from './table.js'

const MAX_STATES = 1_000_000
const document = readFileSync(new URL('../../../../docs/proof.md', import.meta.url), 'utf8')

void t.test('no world that can be reached violates an invariant', (t) => {
  const rows: string[] = []
  let states = 0
  let transitions = 0
  for (const faults of CLASSES) {
    const exploration = exploreClass(faults, MAX_STATES)
    const name = `${faults.group.name}: ${faults.name}`
    t.equal(tellViolation(exploration), 'none', name)
    t.ok(exploration.isComplete, `${name}: every state is reached`)
    rows.push(rowOf(faults, exploration))
    states += exploration.states
    transitions += exploration.transitions
  }
  t.comment(`${states} distinct states, ${transitions} transitions`)
  t.equal(document, withTable(document, rows), 'docs/proof.md states what was found')
  t.end()
})
