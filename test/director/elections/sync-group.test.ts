import t from 'tap'
import type { SyncGroup } from '../../../src/config/model.js'
import { RunningGroup, type DrivenMember } from '../../../src/director/elections/sync-group.js'
import type { Order, State } from '../../../src/vrrp/model.js'
import { ROUTER } from './router-config.js'

const CONFIG: SyncGroup = {
  name: 'G1',
  members: ['inside', 'outside'],
  tracksWeights: false,
  track: [],
  notify: ROUTER.notify
}
const CONDITIONS = { priority: 100, serviceUp: true }
const BACKUP: State = {
  ...CONDITIONS,
  name: 'backup',
  masterDownAt: 3609.375,
  masterResigned: false,
  masterAdverInterval: 1000,
  preemptAt: null,
  wantsMaster: false
}
const WANTS_MASTER: State = { ...BACKUP, wantsMaster: true }
const MASTER: State = {
  ...CONDITIONS,
  name: 'master',
  adverAt: 1000,
  answerAt: 0,
  secondBurst: null,
  refreshAt: null,
  handOver: null,
  rival: null
}
const FAULT: State = { ...CONDITIONS, name: 'fault', cause: 'group' }
const AFTER: Partial<Record<Order['kind'], State>> = {
  'group-master': MASTER,
  'group-backup': BACKUP,
  fault: FAULT,
  'fault-cleared': BACKUP
}

/** A member that obeys, and says so. */
class Member implements DrivenMember {
  readonly name: string
  state: State = BACKUP
  hasFault = false
  isAwaiting = false
  serves = true
  readonly #said: string[]
  readonly #stepped: () => void

  constructor(name: string, said: string[], stepped: (name: string) => void) {
    this.name = name
    this.#said = said
    this.#stepped = () => {
      stepped(name)
    }
  }

  order(order: Order): void {
    this.#said.push(`${this.name} ${order.kind}`)
    this.state = AFTER[order.kind] ?? this.state
    this.#stepped()
  }

  setGroupServes(isServing: boolean): void {
    this.#said.push(`${this.name} ${isServing ? 'goes on' : 'hands over'}`)
  }
}

function start() {
  const said: string[] = []
  const told: string[] = []
  const members: Member[] = []
  const group = new RunningGroup(
    CONFIG,
    () => members,
    (state) => void told.push(state)
  )
  const stepped = (name: string): void => {
    group.stepped(name, null)
  }
  const inside = new Member('inside', said, stepped)
  const outside = new Member('outside', said, stepped)
  members.push(inside, outside)
  return { group, inside, outside, said, told }
}

t.test('nobody is made master before all want to be', (t) => {
  const { group, inside, outside, said } = start()
  inside.state = WANTS_MASTER
  group.stepped('inside', null)
  t.strictSame(said, [])
  outside.state = WANTS_MASTER
  group.stepped('outside', null)
  t.strictSame(said, ['inside group-master', 'outside group-master'], 'each is asked once')
  t.end()
})

t.test('a fault of one is a fault of all, and its end is the end for all', (t) => {
  const { group, inside, outside, said } = start()
  inside.state = outside.state = MASTER
  inside.hasFault = true
  group.stepped('inside', null)
  t.strictSame(said.splice(0), ['inside fault', 'outside fault'])
  inside.hasFault = false
  group.stepped('inside', null)
  t.strictSame(said, ['inside fault-cleared', 'outside fault-cleared'])
  t.end()
})

t.test('the others announce again when one hears a weaker master', (t) => {
  const { group, inside, outside, said } = start()
  inside.state = outside.state = MASTER
  group.stepped('inside', 'lower-priority')
  t.strictSame(said, ['outside announce-again'])
  t.end()
})

t.test('one that has to hand over takes all along, and all go on together', (t) => {
  const { group, inside, outside, said } = start()
  outside.serves = false
  group.servesChanged()
  t.strictSame(said.splice(0), ['inside hands over', 'outside hands over'])
  inside.serves = false
  outside.serves = true
  group.servesChanged()
  t.strictSame(said.splice(0), ['inside hands over', 'outside hands over'])
  inside.serves = true
  group.servesChanged()
  t.strictSame(said, ['inside goes on', 'outside goes on'])
  t.end()
})

t.test('the group is told of once, when all have come to a state', (t) => {
  const { group, inside, outside, told } = start()
  group.tell()
  t.strictSame(told.splice(0), ['BACKUP'])
  inside.state = MASTER
  group.tell()
  t.strictSame(told, [], 'not on the way')
  outside.state = MASTER
  group.tell()
  group.tell()
  t.strictSame(told.splice(0), ['MASTER'])
  inside.state = FAULT
  group.tell()
  t.strictSame(told.splice(0), ['FAULT'], 'one is enough for a fault')
  group.stopped()
  group.stopped()
  t.strictSame(told, ['STOP'])
  t.end()
})

t.test('a fault that only awaits first results is silent until something fails', (t) => {
  const { group, inside, outside, told } = start()
  inside.state = outside.state = FAULT
  inside.hasFault = inside.isAwaiting = true
  group.tell()
  t.equal(group.isAwaiting, true)
  t.strictSame(told, [])
  outside.hasFault = true
  group.tell()
  t.equal(group.isAwaiting, false)
  t.strictSame(told, ['FAULT'])
  t.end()
})
