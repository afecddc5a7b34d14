// lane: patient - walks through every state
import { readFileSync } from 'node:fs'
import t from 'tap'
import { CLASSES, CUT_PAIR } from './classes.js'
import { withTable } from './document.js'
import { exploreClass, tellViolation } from './run.js'
import { rowOf } from './table.js'

/** A shared machine may take several times the usual ten seconds. */
t.setTimeout(870_000)

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

void t.test(
  'without garp_master_refresh a last word that is lost leaves the clients astray',
  (t) => {
    const cutTwice = CLASSES.find(({ name }) => name === 'network cut twice')
    if (!cutTwice) throw new Error('no such class')
    const { found } = exploreClass({ ...cutTwice, group: CUT_PAIR }, MAX_STATES)
    t.equal(found?.invariant, 'settles in time')
    t.match(found?.trace.at(-1), /A master .*; B backup .* in the ARP cache/)
    t.end()
  }
)

void t.test('of a pair with the default lease, killed or frozen, no two hold the address', (t) => {
  const longest = (group: string, fault: 'kill' | 'pause'): number => {
    const one = CLASSES.find((each) => each.group.name === group && each.budget[fault] === 1)
    if (!one) throw new Error('no such class')
    return Math.ceil(exploreClass(one, MAX_STATES).longest.double)
  }
  // A packet: the loser of a preemption has not heard of it yet.
  t.equal(longest('the pair', 'kill'), 1)
  t.equal(longest('the pair', 'pause'), 1)
  t.equal(longest('address_lease 3s', 'kill'), 511, 'a longer lease outlives the takeover')
  t.equal(longest('address_lease 3s', 'pause'), 511)
  t.end()
})
