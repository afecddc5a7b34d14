import t from 'tap'
import { reconfigure } from '../../src/vrrp/machine-reconfigure.js'
import { step } from '../../src/vrrp/machine.js'
import type { BackupState, MasterState, VirtualRouter } from '../../src/vrrp/model.js'
import { PAIR_MASTER } from './router.js'

const NOTHING = { advert: false, addresses: false }
const MASTER: MasterState = {
  name: 'master',
  priority: 100,
  serviceUp: true,
  adverAt: 5700,
  answerAt: 0,
  secondBurst: null,
  refreshAt: null,
  handOver: null,
  rival: null
}
const BACKUP: BackupState = {
  name: 'backup',
  priority: 100,
  serviceUp: true,
  masterDownAt: 8000,
  masterResigned: false,
  masterAdverInterval: 1000,
  preemptAt: null,
  wantsMaster: false
}
const other = (change: Partial<VirtualRouter>): VirtualRouter => ({ ...PAIR_MASTER, ...change })

t.test('a master with nothing new to say keeps its schedule', (t) => {
  const to = other({ preempts: false, makesBeforeBreak: false })
  const { state, actions } = reconfigure(PAIR_MASTER, to, MASTER, 100, NOTHING, 5000)
  t.strictSame(state, MASTER)
  t.strictSame(actions, [])
  t.end()
})

t.test('a master says at once what has changed, and announces what is new', (t) => {
  const priority = reconfigure(PAIR_MASTER, PAIR_MASTER, MASTER, 110, NOTHING, 5000)
  t.strictSame(priority.actions, [{ kind: 'advertise', priority: 110 }])
  t.match(priority.state, { name: 'master', priority: 110, adverAt: 6000 })
  const changes = { advert: true, addresses: true }
  const slower = other({ adverInterval: 3000 })
  const addresses = reconfigure(PAIR_MASTER, slower, MASTER, 100, changes, 5000)
  t.strictSame(addresses.actions, [
    { kind: 'advertise', priority: 100 },
    { kind: 'announce', announcement: 'mastery' }
  ])
  t.match(addresses.state, { adverAt: 8000 })
  t.end()
})

t.test('who hands over has said priority 0, and goes on with that', (t) => {
  const handOver = { goal: 'backup', until: 6000, priority: 100, lastWordsUntil: 5000 } as const
  const changes = { advert: true, addresses: false }
  const state = { ...MASTER, handOver }
  const outcome = reconfigure(PAIR_MASTER, PAIR_MASTER, state, 90, changes, 5000)
  t.strictSame(outcome.actions, [])
  t.match(outcome.state, { handOver, priority: 90 })
  t.end()
})

t.test('a backup that is stronger now is sooner by the difference of the Skew_Times', (t) => {
  const { state } = reconfigure(PAIR_MASTER, PAIR_MASTER, BACKUP, 164, NOTHING, 5000)
  t.match(state, { priority: 164, masterDownAt: 7750 })
  t.end()
})

t.test('a backup with another interval awaits the master anew, and is not hurried', (t) => {
  const from = other({ adverInterval: 10_000 })
  const waiting = { ...BACKUP, masterAdverInterval: 10_000, masterDownAt: 5001 }
  const { state } = reconfigure(from, PAIR_MASTER, waiting, 100, NOTHING, 5000)
  // 3 × 1 s and a Skew_Time of (256 - 100) / 256 s
  t.match(state, { masterDownAt: 5000 + 3000 + 609.375, masterAdverInterval: 1000 })
  t.equal(step(PAIR_MASTER, state, { kind: 'timer' }, 6000).state.name, 'backup')
  t.end()
})

t.test('VRRPv3: the interval of the master that is heard stays, ours is for when we are', (t) => {
  const before = other({ version: 3, adverInterval: 100 })
  const after = other({ version: 3, adverInterval: 200 })
  const { state } = reconfigure(before, after, BACKUP, 100, NOTHING, 5000)
  t.match(state, { masterDownAt: 8000, masterAdverInterval: 1000 })
  t.end()
})

t.test('an owner is 255, and who is none any more is what its configuration says', (t) => {
  const owner = other({ isOwner: true })
  const raised = reconfigure(PAIR_MASTER, owner, MASTER, 255, NOTHING, 5000)
  t.match(raised, { state: { priority: 255 }, actions: [{ kind: 'advertise', priority: 255 }] })
  const lowered = reconfigure(owner, PAIR_MASTER, raised.state, 100, NOTHING, 5100)
  t.match(lowered, { state: { priority: 100 }, actions: [{ kind: 'advertise', priority: 100 }] })
  t.end()
})
