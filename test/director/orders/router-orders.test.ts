import t from 'tap'
import type { VirtualRouterConfig } from '../../../src/config/model.js'
import type { LastHeard } from '../../../src/director/orders/leaving-router.js'
import { RouterOrders } from '../../../src/director/orders/router-orders.js'
import {
  RouterWishes,
  withStepDown,
  withWishedPriority
} from '../../../src/director/orders/router-wishes.js'
import { Waiters } from '../../../src/director/waiters.js'
import type { State } from '../../../src/vrrp/model.js'
import { ROUTER } from '../elections/router-config.js'

const FINE = { serviceUp: true, faults: [], effects: [] }

const PARTNER: LastHeard = { source: '192.0.2.2', priority: 100, at: 4000 }
const NOW = 16_000
const UNTIL = 'stepped down until resume or a restart of tsha; master only while nobody else is'

type Name = State['name']

/** A virtual router whose partner answers as the test says. */
class Actor {
  readonly config: VirtualRouterConfig
  readonly name: string
  lastHeard: LastHeard | null = null
  isHandingOver = false
  #name: Name
  #priority: number
  serviceUp = true

  constructor(name: string, state: Name, config: Partial<VirtualRouterConfig> = {}) {
    this.config = { ...ROUTER, priority: 150, ...config, name }
    this.name = name
    this.#name = state
    this.#priority = this.config.priority
  }

  get state(): State {
    const { serviceUp } = this
    const cause = 'link' as const
    return { name: this.#name, priority: this.#priority, serviceUp, cause } as unknown as State
  }

  handOver(): void {
    if (this.#name === 'master' && this.config.handOver === 'make-before-break') {
      this.isHandingOver = true
    }
  }

  become(name: Name, heard: LastHeard | null): void {
    this.#name = name
    this.isHandingOver = false
    this.lastHeard = heard
  }

  settled(): Promise<void> {
    return Promise.resolve()
  }

  lower(priority: number): void {
    this.#priority = priority
  }
}

/** Orders for some virtual routers of which nothing else runs. */
function stage(
  actors: readonly Actor[],
  groups: readonly { name: string; members: string[] }[] = []
) {
  const wishes = new RouterWishes()
  const waiters = new Waiters()
  const kept: boolean[] = []
  const orders = new RouterOrders({
    configs: actors.map(({ config }) => config),
    groups,
    wishes,
    elections: {
      routers: actors,
      applyConditions: () => {
        for (const actor of actors) {
          const wish = wishes.of(actor.name)
          const { priority } = withWishedPriority(actor.config, wish)
          actor.lower(withStepDown({ ...FINE, priority }, wish).priority)
        }
      },
      until: (isTrue, timeoutMs) => waiters.until(isTrue, Math.min(timeoutMs, 50))
    },
    closeKept: (isOn) => kept.push(isOn),
    now: () => NOW
  })
  return { orders, wishes, waiters, kept }
}

t.test('step-down of a master waits for the partner and says who has the addresses', async (t) => {
  const one = new Actor('VI_1', 'master')
  const { orders, wishes, waiters, kept } = stage([one])
  const answer = orders.stepDown({ action: 'step-down', router: 'VI_1' })
  t.ok(one.isHandingOver)
  t.same([wishes.of('VI_1').isSteppedDown, one.state.priority, kept], [true, 1, [true]])
  one.become('backup', PARTNER)
  waiters.notify()
  t.same(await answer, {
    ok: true,
    lines: ['VI_1: the addresses are with 192.0.2.2 now', `VI_1: ${UNTIL}`]
  })
  t.same(kept, [true, false], 'connections of clients are kept again')
})

t.test('step-down that nobody answers: it serves on and says so', async (t) => {
  const one = new Actor('VI_1', 'master')
  const { orders, waiters } = stage([one])
  const first = orders.stepDown({ action: 'step-down', router: null })
  one.become('master', null)
  waiters.notify()
  t.same((await first).lines, [
    'VI_1: nobody took over: this director goes on serving, with priority 1; no partner was heard since the start',
    `VI_1: ${UNTIL}`
  ])
  const second = orders.stepDown({ action: 'step-down', router: null })
  t.ok(one.isHandingOver, 'asked again, it offers again')
  one.become('master', PARTNER)
  waiters.notify()
  t.same((await second).lines, [
    'VI_1: was stepped down already',
    'VI_1: nobody took over: this director goes on serving, with priority 1; 192.0.2.2 was heard last, 12 s ago',
    `VI_1: ${UNTIL}`
  ])
})

t.test('where nothing is made before it breaks, the partner has to preempt', async (t) => {
  const one = new Actor('VI_1', 'master', { handOver: 'keepalived' })
  const { orders, waiters } = stage([one])
  const answer = orders.stepDown({ action: 'step-down', router: 'VI_1' })
  t.notOk(one.isHandingOver)
  one.become('backup', PARTNER)
  waiters.notify()
  t.equal((await answer).lines[0], 'VI_1: the addresses are with 192.0.2.2 now')
})

t.test('an answer that takes too long is not waited for', async (t) => {
  const { orders } = stage([new Actor('VI_1', 'master')])
  const { lines } = await orders.stepDown({ action: 'step-down', router: 'VI_1' })
  t.equal(
    lines[0],
    'VI_1: the partner has not answered yet; this director holds the addresses until it does'
  )
})

t.test('step-down of one that is no master marks it, and says what it was', async (t) => {
  const [backup, faulty, early] = [
    new Actor('VI_1', 'backup'),
    new Actor('VI_2', 'fault'),
    new Actor('VI_3', 'initialize')
  ]
  backup.lastHeard = PARTNER
  const { orders, wishes, kept } = stage([backup, faulty, early])
  const { lines } = await orders.stepDown({ action: 'step-down', router: null })
  t.same(lines, [
    'VI_1: was not master: the addresses are with 192.0.2.2',
    'VI_2: was not master: it is in fault (link)',
    'VI_3: takes no part in the election yet',
    `VI_1, VI_2 and VI_3: ${UNTIL}`
  ])
  t.same([wishes.of('VI_1').isSteppedDown, wishes.of('VI_2').isSteppedDown, kept], [true, true, []])
})

t.test('a member of a sync group takes its group along, and the answer says so', async (t) => {
  const [inside, outside, other] = [
    new Actor('in', 'backup'),
    new Actor('out', 'backup'),
    new Actor('other', 'backup')
  ]
  const { orders, wishes } = stage(
    [inside, outside, other],
    [{ name: 'G1', members: ['in', 'out'] }]
  )
  const { lines } = await orders.stepDown({ action: 'step-down', router: 'out' })
  t.equal(lines[0], 'in and out move together: sync group G1')
  t.same(
    ['in', 'out', 'other'].map((name) => wishes.of(name).isSteppedDown),
    [true, true, false]
  )
  orders.priority({ action: 'priority', router: 'in', priority: 90 })
  t.same([wishes.of('out').priority, wishes.of('other').priority], [90, null])
  orders.resume({ action: 'resume', router: 'in' })
  t.notOk(wishes.of('out').isSteppedDown)
})

t.test('resume says what comes of it', (t) => {
  const lineOf = (
    state: Name,
    heard: LastHeard | null,
    config: Partial<VirtualRouterConfig> = {},
    isServing = true
  ): string | undefined => {
    const one = new Actor('VI_1', state, config)
    one.lastHeard = heard
    one.serviceUp = isServing
    const { orders, wishes } = stage([one])
    wishes.set('VI_1', { isSteppedDown: true })
    return orders.resume({ action: 'resume', router: 'VI_1' }).lines[0]
  }
  const again = 'VI_1: takes part as configured again: '
  t.equal(lineOf('master', PARTNER), `${again}it is master, with priority 150`)
  const back = `${again}it takes the addresses back from 192.0.2.2`
  t.equal(lineOf('backup', PARTNER), `${back}: 150 is more than 100`)
  t.equal(
    lineOf('backup', PARTNER, { preemptDelayMs: 5000 }),
    `${back} after 5 s: 150 is more than 100`
  )
  const stays = `${again}it stays backup`
  const there = 'the addresses are with 192.0.2.2'
  t.equal(lineOf('backup', PARTNER, { preempt: false }), `${stays}, as nopreempt has it; ${there}`)
  t.equal(lineOf('backup', PARTNER, {}, false), `${stays}: a check of its own fails; ${there}`)
  t.equal(
    lineOf('backup', { ...PARTNER, priority: 150 }),
    `${stays}: 192.0.2.2 has priority 150, and it 150`
  )
  t.equal(lineOf('backup', null), `${again}it is backup, with priority 150`)
  t.equal(lineOf('fault', null), `${again}it is in fault (link) and takes no part in the election`)
  t.end()
})

t.test('a priority holds until null, and resume says that it does', (t) => {
  const one = new Actor('VI_1', 'master')
  const { orders } = stage([one])
  t.same(orders.priority({ action: 'priority', router: 'VI_1', priority: 90 }), {
    ok: true,
    lines: [
      'VI_1: priority 90 in the place of the configured 150, until another order or a restart of tsha'
    ]
  })
  t.equal(one.state.priority, 90)
  t.same(orders.resume({ action: 'resume', router: 'VI_1' }).lines, [
    'VI_1: was not stepped down: it is master, with priority 90; priority 90 set by an administrator holds'
  ])
  t.same(orders.priority({ action: 'priority', router: 'VI_1', priority: null }).lines, [
    'VI_1: the configured priority 150 holds again'
  ])
  t.equal(one.state.priority, 150)
  t.end()
})

t.test('the priority of an owner is refused, and so is an unknown name', async (t) => {
  const { orders, wishes } = stage([new Actor('VI_1', 'master', { priority: 255 })])
  t.match(orders.priority({ action: 'priority', router: 'VI_1', priority: 90 }), {
    ok: false,
    code: 'TSHA_E_CONFLICT',
    lines: [/^VI_1: the priority of an address owner is 255 and cannot be changed/]
  })
  t.equal(wishes.of('VI_1').priority, null)
  const unknown = {
    ok: false,
    code: 'TSHA_E_UNKNOWN_NAME',
    lines: ['there is no virtual router "VI_2"; did you mean "VI_1"?', 'there is: VI_1']
  }
  t.same(orders.priority({ action: 'priority', router: 'VI_2', priority: 90 }), unknown)
  t.same(await orders.stepDown({ action: 'step-down', router: 'VI_2' }), unknown)
  t.same(orders.resume({ action: 'resume', router: 'VI_2' }), unknown)
})
