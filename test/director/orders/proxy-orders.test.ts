import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import type { ProxyState } from '../../../src/admin/model.js'
import type { DepartingRouter } from '../../../src/director/orders/departure.js'
import { ProxyOrders } from '../../../src/director/orders/proxy-orders.js'
import { Waiters } from '../../../src/director/waiters.js'
import { ROUTER } from '../elections/router-config.js'

const STAYS =
  'nobody took over: the addresses stay here, and clients are refused; no partner was heard since the start'
const STOPPED = 'the proxy is stopped until start or a restart of tsha: connections are refused'

/** What a master does when the proxy is about to stop. */
type Reaction = 'answered' | 'unanswered' | 'lowered' | 'nothing'

/** A director of which nothing runs but an order for its proxy; what happens is kept in order. */
function stage(reactions: Readonly<Record<string, Reaction>>) {
  const happened: string[] = []
  const waiters = new Waiters()
  let [state, now]: [ProxyState, number] = ['running', 0]
  const routers = Object.keys(reactions).map((name) => ({
    name,
    config: { ...ROUTER, name },
    state: { name: 'master', priority: 100 },
    isHandingOver: false,
    lastHeard: null,
    settled: async () => {
      await setImmediate()
      happened.push(`${name} has no addresses`)
    }
  })) as { -readonly [K in keyof DepartingRouter]: DepartingRouter[K] }[]
  const become = (router: (typeof routers)[number], name: string, priority: number): void => {
    router.state = { name, priority } as DepartingRouter['state']
  }
  const settle = (): void => {
    for (const router of routers) {
      if (reactions[router.name] === 'answered') become(router, 'backup', 80)
      router.isHandingOver = false
    }
    happened.push('settled')
    waiters.notify()
  }
  const orders = new ProxyOrders({
    supervisor: {
      get state() {
        return state
      },
      start: () => {
        state = 'running'
        happened.push('start')
        return Promise.resolve()
      },
      stop: (graceMs) => {
        state = 'stopped'
        happened.push(`stop ${graceMs}`)
        now += graceMs
        return Promise.resolve()
      },
      closeKept: (isOn) => happened.push(`close kept ${String(isOn)}`)
    },
    workers: 1,
    elections: {
      routers,
      until: (isTrue, timeoutMs) => {
        if (isTrue()) return Promise.resolve(true)
        happened.push(`wait ${timeoutMs}`)
        setTimeout(settle, 0)
        return waiters.until(isTrue, 100)
      }
    },
    prepareLogs: () => Promise.resolve(),
    setServiceStopped: (isStopped) => {
      happened.push(`service stopped ${String(isStopped)}`)
      for (const router of routers) {
        const reaction = reactions[router.name]
        router.isHandingOver = reaction === 'answered' || reaction === 'unanswered'
        if (reaction !== 'nothing') become(router, 'master', 80)
      }
    },
    checkServiceNow: () => happened.push('check'),
    tellStatus: (status) => happened.push(status),
    now: () => now
  })
  return { orders, happened }
}

t.test('the partner has the addresses before the listeners are closed', async (t) => {
  const { orders, happened } = stage({ VI_1: 'answered' })
  const { lines } = await orders.proxy({ action: 'proxy', state: 'stop' })
  t.same(happened, [
    'close kept true',
    'service stopped true',
    'wait 1750',
    'settled',
    'VI_1 has no addresses',
    'stop 10000',
    'running; an administrator has stopped the proxy',
    'check'
  ])
  t.same(lines, [
    'VI_1: nobody was heard to have the addresses now',
    `${STOPPED}; what ran longer than 10 s was cut`
  ])
})

t.test('each master is told of by what came of it, and all are waited for', async (t) => {
  const { orders, happened } = stage({ a: 'unanswered', b: 'nothing', c: 'lowered' })
  const { lines } = await orders.proxy({ action: 'proxy', state: 'stop' })
  t.ok(happened.includes('wait 4500'), 'the longest Master_Down_Interval of a partner')
  t.same(lines.slice(0, 3), [
    `a: ${STAYS}`,
    'b: the state of the proxy changes nothing here: its addresses stay',
    `c: ${STAYS}`
  ])
})

t.test('a stop goes on from the hand-over to its end, a start until all listen', async (t) => {
  const { orders } = stage({ VI_1: 'answered' })
  t.equal(orders.isChanging, false)
  for (const state of ['stop', 'start'] as const) {
    const outcome = orders.proxy({ action: 'proxy', state })
    t.equal(orders.isChanging, true, state)
    await outcome
    t.equal(orders.isChanging, false, state)
  }
})

t.test('where nobody follows the service nothing is waited for', async (t) => {
  const { orders, happened } = stage({ VI_1: 'nothing' })
  await orders.proxy({ action: 'proxy', state: 'stop' })
  t.notOk(happened.some((what) => what.startsWith('wait')))
})

t.test('the start comes before the service counts again', async (t) => {
  const { orders, happened } = stage({})
  await orders.proxy({ action: 'proxy', state: 'stop' })
  happened.splice(0)
  t.same((await orders.proxy({ action: 'proxy', state: 'start' })).lines, [
    'the proxy runs: 1 worker listens',
    'addresses come back as priorities and preemption have it'
  ])
  t.same(happened, ['start', 'running', 'service stopped false', 'check'])
})
