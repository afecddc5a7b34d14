import t, { type Test } from 'tap'
import {
  NO_CONFLICT,
  stepConflict,
  type ConflictEvent,
  type ConflictState
} from '../../../src/director/addresses/conflict-rules.js'

const timer: ConflictEvent = { kind: 'timer' }
const alone: ConflictEvent = { kind: 'mastery', isMaster: true, hasPredecessor: false }
const after: ConflictEvent = { kind: 'mastery', isMaster: true, hasPredecessor: true }
const rival: ConflictEvent = { kind: 'rival' }
const backup: ConflictEvent = { kind: 'mastery', isMaster: false, hasPredecessor: false }
const claim = (mac = 'm1', address = 'v1'): ConflictEvent => ({ kind: 'claim', address, mac })

type Story = readonly (readonly [now: number, event: ConflictEvent, expected?: string])[]

function play(t: Test, story: Story): ConflictState {
  let state = NO_CONFLICT
  for (const [now, event, expected = ''] of story) {
    const step = stepConflict(state, event, now)
    state = step.state
    const said = step.actions.map((action) => Object.values(action).join(' ')).join(', ')
    t.equal(said, expected, `at ${now}: ${JSON.stringify(event)}`)
  }
  return state
}

const stories: Readonly<Record<string, Story>> = {
  'the addresses are asked for at once and after 350 ms, and the result is told after a second': [
    [0, alone, 'probe'],
    [349, timer],
    [350, timer, 'probe'],
    [999, timer],
    [1000, timer, 'unclaimed']
  ],
  'where nobody was heard before, an answer to the first probe is a conflict': [
    [0, alone, 'probe'],
    [3, claim(), 'tell v1 m1 1, defend'],
    [350, timer, 'probe'],
    [1000, timer]
  ],
  'the director that was master before has 300 ms to let go': [
    [0, after, 'probe'],
    [3, claim()],
    [299, claim()],
    [300, timer, 'defend'],
    [350, timer, 'probe'],
    [1000, timer, 'unclaimed']
  ],
  'where it let go without a word nothing has to be said again': [
    [0, after, 'probe'],
    [300, timer],
    [350, timer, 'probe']
  ],
  'one that thought it was master too has 300 ms to let go, and never the last word': [
    [0, alone, 'probe'],
    [350, timer, 'probe'],
    [1000, timer, 'unclaimed'],
    [5000, claim(), 'tell v1 m1 1, defend'],
    [8000, rival],
    [8005, claim()],
    [8010, claim()],
    [8299, timer],
    [8300, timer, 'defend'],
    [8301, timer],
    [8400, claim()]
  ],
  'one that goes on to advertise gets no more time for what it claimed': [
    [0, alone, 'probe'],
    [5000, rival],
    [5001, claim()],
    [5299, rival],
    [5300, timer, 'defend, probe']
  ],
  'what a director said that is backup now is not answered by a backup': [
    [0, alone, 'probe'],
    [100, rival],
    [101, claim()],
    [102, backup],
    [400, timer],
    [401, rival],
    [402, claim()]
  ],
  'a director that was master before and does not let go is a conflict': [
    [0, after, 'probe'],
    [3, claim()],
    [300, claim(), 'tell v1 m1 1, defend'],
    [350, timer, 'defend, probe'],
    [353, claim()],
    [1000, timer]
  ],
  'RFC 5227 §2.4: defended at most once in 10 s': [
    [0, alone, 'probe'],
    [5000, claim(), 'tell v1 m1 1, defend'],
    [5001, claim()],
    [14_999, claim()],
    [15_000, claim(), 'defend']
  ],
  'a machine is told once for each address in ten minutes, with how often it was seen': [
    [0, alone, 'probe'],
    [5000, claim('m1', 'v1'), 'tell v1 m1 1, defend'],
    [5001, claim('m1', 'v2'), 'tell v2 m1 1'],
    [5002, claim('m2', 'v1'), 'tell v1 m2 1'],
    [6000, claim('m1', 'v1')],
    [7000, claim('m1', 'v1')],
    [605_000, claim('m1', 'v1'), 'tell v1 m1 3, defend']
  ],
  'a backup leaves it to the master, and asks nothing': [
    [0, alone, 'probe'],
    [100, backup],
    [350, timer],
    [1000, timer],
    [2000, claim()]
  ],
  'every mastery asks anew': [
    [0, alone, 'probe'],
    [100, backup],
    [5000, alone, 'probe'],
    [5350, timer, 'probe'],
    [6000, timer, 'unclaimed']
  ]
}

for (const [title, story] of Object.entries(stories))
  t.test(title, (t) => {
    play(t, story)
    t.end()
  })

t.test('thousands of machines fill neither the log nor the memory', (t) => {
  let state = stepConflict(NO_CONFLICT, alone, 0).state
  let told = 0
  for (let i = 0; i < 10_000; i++) {
    const step = stepConflict(state, claim(`m${i}`), 1000 + i)
    state = step.state
    told += step.actions.filter(({ kind }) => kind === 'tell').length
  }
  t.equal(told, 64)
  t.equal(state.told.size, 64)
  t.equal(state.claims, 10_000)
  const later = stepConflict(state, claim('m9999'), 611_001)
  t.same(later.actions[0], { kind: 'tell', address: 'v1', mac: 'm9999', count: 1 }, 'room again')
  t.equal(later.state.told.size, 1)
  t.end()
})
