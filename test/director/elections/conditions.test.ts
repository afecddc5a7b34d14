import t from 'tap'
import type { SyncGroup, Track, VirtualRouterConfig } from '../../../src/config/model.js'
import {
  conditionsOf,
  handsOverBeforeFault,
  type Readings,
  type RouterConditions
} from '../../../src/director/elections/conditions.js'
import { ROUTER } from './router-config.js'

const NOTHING: Readings = {
  service: null,
  scripts: new Map(),
  processes: new Map(),
  files: new Map(),
  links: new Map(),
  results: new Map()
}
const PASSES: Readings = {
  service: true,
  scripts: new Map([['A', true]]),
  processes: new Map([['P', true]]),
  files: new Map([['F', 5]]),
  links: new Map([['eth2', true]]),
  results: new Map()
}
const FAILS: Readings = {
  service: false,
  scripts: new Map([['A', false]]),
  processes: new Map([['P', false]]),
  files: new Map([['F', -100]]),
  links: new Map([['eth2', false]]),
  results: new Map()
}
const CHECKS = { service: 'service', script: 'A', process: 'P', file: 'F', interface: 'eth2' }

function track(kind: Track['kind'], weight: number, reverse = false): Track {
  return { kind, check: CHECKS[kind], weight, reverse }
}

function follow(tracks: readonly Track[], readings: Readings, priority = 100): RouterConditions {
  return conditionsOf({ ...ROUTER, priority, track: tracks }, null, readings)
}

/** The priority, or FAULT, of a router that follows one thing. */
function verdict(one: Track, readings: Readings): number | string {
  const { priority, faults } = follow([one], readings)
  return faults.length > 0 ? 'FAULT' : priority
}

function withFile(value: number): Readings {
  return { ...PASSES, files: new Map([['F', value]]) }
}

function groupOf(tracks: readonly Track[], tracksWeights = false): SyncGroup {
  const { notify } = ROUTER
  return { name: 'G', members: ['VI_1', 'VI_2'], tracksWeights, track: tracks, notify }
}

function member(own: readonly Track[], group: SyncGroup, readings: Readings): RouterConditions {
  return conditionsOf({ ...ROUTER, priority: 100, track: own }, group, readings)
}

for (const kind of ['service', 'script', 'process', 'interface'] as const) {
  t.test(`keepalived 2.2.7: what the weight of a ${kind} does while it passes and fails`, (t) => {
    const row = (weight: number, reverse: boolean): readonly (number | string)[] =>
      [PASSES, FAILS, NOTHING].map((readings) => verdict(track(kind, weight, reverse), readings))
    t.same(row(20, false), [120, 100, 100])
    t.same(row(20, true), [80, 100, 100])
    t.same(row(-20, false), [100, 80, 100])
    t.same(row(-20, true), [100, 120, 100])
    t.same(row(0, false), [100, 'FAULT', 'FAULT'])
    t.same(row(0, true), ['FAULT', 100, 'FAULT'])
    t.end()
  })
}

t.test('keepalived 2.2.7: what the number in a file does', (t) => {
  const row = (weight: number, reverse = false): readonly (number | string)[] =>
    [5, -100, 0, 300, 7].map((value) => verdict(track('file', weight, reverse), withFile(value)))
  t.same(row(20), [200, 'FAULT', 100, 254, 240])
  t.same(row(20, true), [1, 254, 100, 'FAULT', 1])
  t.same(row(-20), [1, 254, 100, 'FAULT', 1])
  t.same(row(0), ['FAULT', 'FAULT', 100, 'FAULT', 'FAULT'])
  t.same(row(0, true), [100, 100, 'FAULT', 100, 100])
  t.end()
})

t.test('keepalived: a file is a fault from -254 on, and adds 253 at most', (t) => {
  t.equal(verdict(track('file', 1), withFile(-253)), 1)
  t.equal(verdict(track('file', 1), withFile(-254)), 'FAULT')
  t.equal(follow([track('file', 254), track('script', -253)], FAILS).priority, 1)
  const two = [track('file', 1), track('script', -253)]
  const huge: Readings = { ...FAILS, files: new Map([['F', 100_000]]) }
  t.equal(follow(two, huge).priority, 100)
  t.end()
})

t.test(
  'a file without a number yet changes nothing by its weight, and is awaited without one',
  (t) => {
    t.equal(verdict(track('file', 2), NOTHING), 100)
    t.match(follow([track('file', 0)], NOTHING).faults, [{ cause: 'file', isAwaited: true }])
    t.end()
  }
)

t.test('keepalived: weights add up, and the sum stays within 1 and 254', (t) => {
  t.equal(follow([track('script', -60), track('process', -5)], FAILS).priority, 35)
  t.equal(follow([track('script', -60), track('process', -60)], FAILS).priority, 1)
  t.equal(follow([track('script', 253)], PASSES, 250).priority, 254)
  t.end()
})

t.test('keepalived 2.2.7: weights mean nothing to an address owner, faults do', (t) => {
  const weighted = [track('script', -20), track('file', 2), track('interface', -20)]
  t.match(follow(weighted, FAILS, 255), { priority: 255, serviceUp: true, faults: [] })
  t.match(follow([track('script', 0)], FAILS, 255), {
    priority: 255,
    faults: [{ cause: 'script', name: 'A', isAwaited: false, what: 'script A fails' }]
  })
  t.end()
})

t.test('keepalived 2.2.7: the weights of a member mean nothing unless its group says so', (t) => {
  const own = [track('script', -20)]
  t.match(member(own, groupOf([]), FAILS), { priority: 100, serviceUp: true, faults: [] })
  t.equal(member(own, groupOf([], true), FAILS).priority, 80)
  t.equal(member([track('script', 0)], groupOf([]), FAILS).faults.length, 1)
  t.end()
})

t.test('keepalived 2.2.7: what a group follows counts for each member', (t) => {
  t.equal(member([], groupOf([track('script', -20)]), FAILS).priority, 80)
  t.match(member([], groupOf([track('script', 0)]), FAILS).faults, [{ what: 'script A fails' }])
  t.end()
})

t.test('what member and group both follow counts once', (t) => {
  const group = groupOf([track('script', -20)], true)
  t.equal(member([track('script', -50)], group, FAILS).priority, 80, 'by the weight of the group')
  const faulty = member([track('script', 0)], group, FAILS)
  t.equal(faulty.priority, 100, 'as a fault if the member says so')
  t.equal(faulty.faults.length, 1)
  t.end()
})

t.test('what lowers the priority tells of a failure; a file, and what raises it, do not', (t) => {
  const serviceUp = (one: Track, readings: Readings): boolean => follow([one], readings).serviceUp
  t.equal(serviceUp(track('script', -20), FAILS), false)
  t.equal(serviceUp(track('interface', -20), FAILS), false)
  t.equal(serviceUp(track('script', 20, true), PASSES), false)
  t.equal(serviceUp(track('script', 20), FAILS), true)
  t.equal(serviceUp(track('script', -20, true), FAILS), true)
  t.equal(serviceUp(track('file', 2), withFile(-10)), true)
  t.end()
})

t.test('the own interface is a fault at once, unless it is not to be followed', (t) => {
  const down: Readings = { ...NOTHING, links: new Map([['ens160', false]]) }
  const router = (tracksInterface: boolean): VirtualRouterConfig => ({ ...ROUTER, tracksInterface })
  t.same(conditionsOf(router(true), null, down).faults, [
    { cause: 'own-interface', name: 'ens160', isAwaited: false, what: 'interface ens160 is down' }
  ])
  t.same(conditionsOf(router(false), null, down).faults, [])
  t.same(conditionsOf(router(true), null, NOTHING).faults, [], 'nothing is known of it')
  t.end()
})

t.test('a fault is told in words', (t) => {
  const what = (one: Track, readings: Readings): string | undefined =>
    follow([one], readings).faults[0]?.what
  t.equal(what(track('service', 0), FAILS), 'the service check fails')
  t.equal(what(track('process', 0), NOTHING), 'process P has no result yet')
  t.equal(what(track('script', 0, true), PASSES), 'script A passes, which is a fault here')
  t.equal(what(track('interface', 0), FAILS), 'interface eth2 is down')
  t.equal(what(track('interface', 0, true), PASSES), 'interface eth2 is up, a fault here')
  t.equal(what(track('file', 0), FAILS), 'file F says -100')
  t.equal(what(track('file', 20), FAILS), 'file F says -100, times its weight -2000')
  t.end()
})

t.test('a fault hands over first where make-before-break is chosen and the network works', (t) => {
  const router = { ...ROUTER, handOver: 'make-before-break' } as const
  const own: Readings = { ...FAILS, links: new Map([['ens160', false]]) }
  const script = follow([track('script', 0)], FAILS).faults
  t.equal(handsOverBeforeFault(router, script), true)
  t.equal(handsOverBeforeFault({ ...router, handOver: 'keepalived' }, script), false)
  t.equal(handsOverBeforeFault(router, conditionsOf(router, null, own).faults), false)
  t.equal(handsOverBeforeFault(router, []), false)
  const serviceUp = (handOver: 'keepalived' | 'make-before-break'): boolean =>
    conditionsOf({ ...ROUTER, handOver, track: [track('script', 0)] }, null, FAILS).serviceUp
  t.equal(serviceUp('make-before-break'), false)
  t.equal(serviceUp('keepalived'), true)
  t.end()
})

t.test('what changes the priority, or is a fault, is told with what the check said', (t) => {
  const results = new Map([
    ['service service', { detail: 'connect ECONNREFUSED', since: 1000 }],
    ['interface ens160', { detail: null, since: 2000 }]
  ])
  const links = new Map([
    ['eth2', false],
    ['ens160', false]
  ])
  const tracks = [
    track('service', -20),
    track('script', 5),
    track('process', 0),
    track('interface', -1),
    track('file', 1)
  ]
  const { effects } = follow(tracks, { ...FAILS, processes: new Map(), links, results })
  t.same(effects, [
    {
      what: 'interface ens160',
      verb: 'is down',
      detail: null,
      since: 2000,
      added: 0,
      isFault: true,
      isAwaited: false
    },
    {
      what: 'the service check',
      verb: 'fails',
      detail: 'connect ECONNREFUSED',
      since: 1000,
      added: -20,
      isFault: false,
      isAwaited: false
    },
    {
      what: 'process P',
      verb: 'has no result yet',
      detail: null,
      since: null,
      added: 0,
      isFault: true,
      isAwaited: true
    },
    {
      what: 'interface eth2',
      verb: 'is down',
      detail: null,
      since: null,
      added: -1,
      isFault: false,
      isAwaited: false
    },
    {
      what: 'file F',
      verb: 'says -100',
      detail: null,
      since: null,
      added: -100,
      isFault: false,
      isAwaited: false
    }
  ])
  t.same(
    follow(tracks, PASSES).effects.map(({ what, added }) => `${what} ${added}`),
    ['script A 5', 'file F 5']
  )
  t.end()
})
