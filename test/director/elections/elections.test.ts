// lane: quiet - advertises every tenth of a second: one that stands still for three is no longer master
import { readdirSync, readlinkSync } from 'node:fs'
import t from 'tap'
import type { Config, SyncGroup, VirtualRouterConfig } from '../../../src/config/model.js'
import type { RouterConditions } from '../../../src/director/elections/conditions.js'
import { Elections } from '../../../src/director/elections/elections.js'
import type { Log } from '../../../src/director/log.js'
import { RouterOrders } from '../../../src/director/orders/router-orders.js'
import type { Notifier } from '../../../src/director/notify/notifier.js'
import { RouterWishes } from '../../../src/director/orders/router-wishes.js'
import { Arrivals, enterOwnNetwork, ip, layCable } from '../../netns/lab/own-network.js'
import { familyOf } from '../../netns/lab/process-tree.js'
import { cannotRun } from '../../netns/lab/requirements.js'
import { ROUTER } from './router-config.js'

t.setTimeout(60_000)

/** VRRPv3 with short intervals: a lonely director is master after a third of a second. */
const INSIDE: VirtualRouterConfig = {
  ...ROUTER,
  name: 'inside',
  interface: 'in0',
  version: 3,
  advertIntervalMs: 100,
  addresses: [
    {
      address: '10.1.0.200',
      prefixLength: 24,
      interface: null,
      broadcast: null,
      label: null,
      scope: null,
      noPrefixRoute: false,
      noTrack: false,
      peer: null,
      isDeprecated: false
    }
  ]
}
const OUTSIDE: VirtualRouterConfig = {
  ...INSIDE,
  name: 'outside',
  interface: 'out0',
  vrid: 52,
  addresses: INSIDE.addresses.map((each) => ({ ...each, address: '10.2.0.200' }))
}
const GROUP: SyncGroup = {
  name: 'G1',
  members: ['inside', 'outside'],
  tracksWeights: false,
  track: [],
  notify: ROUTER.notify
}
const FINE: RouterConditions = { priority: 100, serviceUp: true, faults: [], effects: [] }
const AWAITED: RouterConditions = {
  ...FINE,
  serviceUp: false,
  faults: [{ cause: 'script', name: 'A', isAwaited: true, what: 'script A has no result yet' }]
}
const FAILED: RouterConditions = {
  ...FINE,
  serviceUp: false,
  faults: [{ cause: 'script', name: 'A', isAwaited: false, what: 'script A fails' }]
}

/** The elections of one director whose partner is never there, in the network of this process. */
class Lonely {
  readonly told = new Arrivals<string>()
  readonly log = new Arrivals<string>()
  readonly conditions = new Map<string, RouterConditions>()
  readonly links = new Map<string, boolean>()
  readonly wishes = new RouterWishes()
  readonly elections: Elections

  constructor(
    virtualRouters: readonly VirtualRouterConfig[],
    syncGroups: readonly SyncGroup[] = []
  ) {
    const notifier = {
      stateChanged: (kind: string, name: string, state: string) => {
        this.told.add(`${kind} ${name} ${state}`)
      },
      masterRxLowerPriority: () => undefined
    } as unknown as Notifier
    this.elections = new Elections({
      config: {
        virtualRouters,
        syncGroups,
        election: { logUnknownVrids: false, linkDelays: [] }
      } as unknown as Config,
      log: this.#logFor(''),
      notifier,
      wishes: this.wishes,
      conditionsOf: ({ name, interface: device }) => {
        const own = this.conditions.get(name) ?? FINE
        if (this.links.get(device) !== false) return own
        const what = `interface ${device} is down`
        const fault = { cause: 'own-interface', name: device, isAwaited: false, what } as const
        return { ...own, faults: [fault, ...own.faults] }
      },
      linkChanged: (name, isUp) => {
        this.links.set(name, isUp)
        this.elections.applyConditions()
      }
    })
  }

  set(name: string, conditions: RouterConditions): void {
    this.conditions.set(name, conditions)
    this.elections.applyConditions()
  }

  async run(): Promise<void> {
    await this.elections.open(['in0', 'out0'])
    this.elections.start()
  }

  /** What was told up to a line; that is forgotten. */
  async until(line: string): Promise<readonly string[]> {
    await this.told.first((each) => each === line, line)
    return this.told.all.splice(0)
  }

  #logFor(router: string): Log {
    const keep = (...args: readonly unknown[]): void => {
      const [first, second] = args
      const fields = typeof first === 'object' ? JSON.stringify(first) : ''
      this.log.add(`${router} ${String(second ?? first)} ${fields}`)
    }
    const child = ({ router: name }: { router: string }): Log => this.#logFor(name)
    return { info: keep, warn: keep, error: keep, child } as unknown as Log
  }
}

/** Sockets of this process, those of the `ip monitor` among them. */
function openSockets(): number {
  const paths = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return '' // that of the listing itself
    }
  })
  return paths.filter((path) => path.startsWith('socket:')).length
}

await t.test('the elections of one director', { skip: cannotRun() }, async (t) => {
  enterOwnNetwork()
  layCable('in0', 'in1')
  const layOut = (): void => {
    layCable('out0', 'out1')
    ip('addr add 10.2.0.1/24 dev out0')
  }
  layOut()
  ip('addr add 10.1.0.1/24 dev in0', 'link set lo up')
  const idle = openSockets()

  await t.test('sync group: members are told of first, all move together', async (t) => {
    const one = new Lonely([INSIDE, OUTSIDE], [GROUP])
    t.teardown(() => one.elections.stop())
    const lines = (state: string): readonly string[] =>
      ['INSTANCE inside', 'INSTANCE outside', 'GROUP G1'].map((who) => `${who} ${state}`)
    const settled = async (state: string): Promise<readonly string[]> => {
      const [first = '', second = '', ...group] = await one.until(`GROUP G1 ${state}`)
      return [...[first, second].sort(), ...group]
    }
    await one.run()
    t.strictSame(await settled('BACKUP'), lines('BACKUP'))
    t.strictSame(await settled('MASTER'), lines('MASTER'))
    one.set('inside', FAILED)
    t.strictSame(await settled('FAULT'), lines('FAULT'), 'and not BACKUP in between')
    const begun = one.log.all.filter((line) => line.includes('hand-over-begun'))
    t.strictSame(
      begun.map((line) => line.split(' ')[0]).sort(),
      ['inside', 'outside'],
      'both asked the partner before'
    )
    t.match(begun.join(''), /"to":"master".*"to":"master"/)
    one.set('inside', FINE)
    t.strictSame(await settled('BACKUP'), lines('BACKUP'))
    t.strictSame(await settled('MASTER'), lines('MASTER'))
    await one.elections.stop()
    t.strictSame(await settled('STOP'), lines('STOP'))
  })

  await t.test('a fault whose first result is awaited is silent (keepalived)', async (t) => {
    const one = new Lonely([INSIDE, OUTSIDE], [GROUP])
    t.teardown(() => one.elections.stop())
    one.set('inside', AWAITED)
    await one.run()
    // Whatever is told is told in a microtask.
    await new Promise((resolve) => setImmediate(resolve))
    t.strictSame(one.told.all, [])
    one.set('inside', FAILED)
    t.strictSame(await one.until('GROUP G1 FAULT'), [
      'INSTANCE inside FAULT',
      'INSTANCE outside FAULT',
      'GROUP G1 FAULT'
    ])
  })

  await t.test('a first result that is good leads to BACKUP and nothing before', async (t) => {
    const one = new Lonely([INSIDE])
    t.teardown(() => one.elections.stop())
    one.set('inside', AWAITED)
    await one.run()
    await new Promise((resolve) => setImmediate(resolve))
    one.set('inside', FINE)
    t.strictSame(await one.until('INSTANCE inside MASTER'), [
      'INSTANCE inside BACKUP',
      'INSTANCE inside MASTER'
    ])
  })

  await t.test('faults during the stop neither hold it up nor are told', async (t) => {
    for (const happens of [
      (one: Lonely): void => {
        one.set('inside', FAILED)
      },
      (): void => void ip('addr del 10.1.0.1/24 dev in0')
    ]) {
      const one = new Lonely([INSIDE])
      await one.run()
      await one.until('INSTANCE inside MASTER')
      const stopped = one.elections.stop()
      happens(one)
      await stopped
      t.strictSame(one.told.all, ['INSTANCE inside STOP'])
    }
    ip('addr add 10.1.0.1/24 dev in0')
  })

  await t.test('a fault that waits for a hand-over is forgotten by the stop', async (t) => {
    const one = new Lonely([INSIDE])
    await one.run()
    await one.until('INSTANCE inside MASTER')
    one.set('inside', FAILED)
    await one.elections.stop()
    t.strictSame(one.told.all, ['INSTANCE inside STOP'])
  })

  await t.test('an interface that goes is a fault, and the group is back with it', async (t) => {
    const one = new Lonely([INSIDE, OUTSIDE], [GROUP])
    t.teardown(() => one.elections.stop())
    await one.run()
    await one.until('GROUP G1 MASTER')
    ip('link del out0')
    t.strictSame(
      [...(await one.until('GROUP G1 FAULT'))].sort(),
      ['GROUP G1 FAULT', 'INSTANCE inside FAULT', 'INSTANCE outside FAULT'],
      'and no STOP'
    )
    layOut()
    t.match((await one.until('GROUP G1 MASTER')).slice(-3).sort(), [
      'GROUP G1 MASTER',
      'INSTANCE inside MASTER',
      'INSTANCE outside MASTER'
    ])
  })

  await t.test('a virtual router that loses two interfaces is opened again once', async (t) => {
    const [address] = OUTSIDE.addresses
    const elsewhere = address ? [{ ...address, address: '10.3.0.200', interface: 'more0' }] : []
    layCable('more0', 'more1')
    const one = new Lonely([{ ...OUTSIDE, excludedAddresses: elsewhere }])
    t.teardown(() => one.elections.stop())
    await one.run()
    await one.until('INSTANCE outside MASTER')
    one.log.all.splice(0)
    ip('link del out0', 'link del more0')
    await one.until('INSTANCE outside FAULT')
    layOut()
    layCable('more0', 'more1')
    await one.until('INSTANCE outside MASTER')
    t.equal(one.log.all.filter((line) => line.includes('the interface is gone')).length, 1)
    t.equal(one.log.all.filter((line) => line.includes('virtual router starts')).length, 1)
    ip('link del more0')
  })

  await t.test('an interface that is gone before the start is waited for', async (t) => {
    const one = new Lonely([OUTSIDE])
    t.teardown(() => one.elections.stop())
    await one.elections.open(['out0'])
    ip('link del out0')
    await one.log.first((line) => line.includes('the interface is gone'), 'line')
    one.elections.start()
    t.strictSame(await one.until('INSTANCE outside FAULT'), ['INSTANCE outside FAULT'])
    t.match(
      await one.log.first((line) => line.includes('tried again every 1000 ms'), 'reason'),
      /out0/
    )
    layOut()
    t.match(await one.until('INSTANCE outside MASTER'), ['INSTANCE outside BACKUP'])
    const told = one.log.all.filter((line) => line.includes('tried again every 1000 ms'))
    t.equal(told.length, 1, 'the reason is told once')
    const starts = one.log.all.filter((line) => line.includes('virtual router starts'))
    t.equal(starts.length, 1, 'what was gone was never started')
  })

  await t.test(
    'a sync group that steps down alone offers once, together, and serves on',
    async (t) => {
      const one = new Lonely([INSIDE, OUTSIDE], [GROUP])
      t.teardown(() => one.elections.stop())
      await one.run()
      await one.until('GROUP G1 MASTER')
      const orders = new RouterOrders({
        configs: [INSIDE, OUTSIDE],
        groups: [GROUP],
        wishes: one.wishes,
        elections: one.elections,
        closeKept: () => undefined,
        now: () => performance.now()
      })
      for (const time of ['first', 'again']) {
        one.log.all.splice(0)
        const { lines } = await orders.stepDown({ action: 'step-down', router: 'inside' })
        for (const name of ['inside', 'outside']) {
          const alone = 'this director goes on serving, with priority 1; no partner was heard'
          t.ok(
            lines.some((line) => line.startsWith(`${name}: nobody took over: ${alone}`)),
            lines.join('; ')
          )
        }
        const offers = one.log.all.filter((line) => line.includes('hand-over-begun'))
        t.same(offers.map((line) => line.split(' ')[0]).sort(), ['inside', 'outside'])
        t.notOk(
          one.log.all.some((line) => line.includes('"to":"backup"')),
          `${time}: the addresses stay`
        )
      }
      t.strictSame(one.told.all, [], 'nobody is told of a change that was none')
      ip('link del out0')
      await one.until('GROUP G1 FAULT')
      layOut()
      await one.until('GROUP G1 MASTER')
      t.same(
        one.elections.routers.map(({ state }) => state.priority),
        [1, 1],
        'still stepped down when the interface is back'
      )
      const warned = one.log.all.filter((line) => line.includes('nobody else serves'))
      t.equal(warned.length, 2)
      orders.resume({ action: 'resume', router: 'outside' })
      t.same(
        one.elections.routers.map(({ state }) => [state.name, state.priority]),
        [
          ['master', 100],
          ['master', 100]
        ]
      )
    }
  )

  await t.test(
    'one whose service fails and that nobody relieved offers again when it steps down',
    async (t) => {
      const one = new Lonely([INSIDE])
      t.teardown(() => one.elections.stop())
      await one.run()
      await one.until('INSTANCE inside MASTER')
      one.set('inside', { priority: 80, serviceUp: false, faults: [], effects: [] })
      await one.log.first((line) => line.includes('hand-over-unanswered'), 'end of the first offer')
      one.log.all.splice(0)
      one.elections.routers[0]?.handOver()
      t.ok(one.log.all.some((line) => line.includes('hand-over-begun')))
      await one.log.first((line) => line.includes('hand-over-unanswered'), 'end of the second')
      t.match(one.elections.routers[0]?.state, { name: 'master', priority: 80, serviceUp: false })
    }
  )

  await t.test('the stop closes what was opened before something failed', async (t) => {
    const one = new Lonely([INSIDE, { ...OUTSIDE, interface: 'nope0' }])
    await t.rejects(one.elections.open(['in0']), { code: 'TSHA_E_INTERFACE' })
    await one.elections.stop()
    t.strictSame(one.told.all, [], 'nothing has begun')
  })

  await t.test('a stop while sockets are being opened leaves none behind', async () => {
    const one = new Lonely([INSIDE, OUTSIDE])
    const opening = one.elections.open(['in0', 'out0'])
    await one.elections.stop()
    await opening
  })

  await t.test('nothing of all this is left', async (t) => {
    // A shell notices that its input has ended; then its outputs end here.
    const deadline = Date.now() + 5000
    while (familyOf(process.pid).length > 1 && Date.now() < deadline) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.equal(openSockets(), idle)
    t.strictSame(familyOf(process.pid), [process.pid])
  })
})
