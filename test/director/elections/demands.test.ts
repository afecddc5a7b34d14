import t from 'tap'
import type { Fault, RouterConditions } from '../../../src/director/elections/conditions.js'
import { demandsOf, type Demands, type Standing } from '../../../src/director/elections/demands.js'
import { ROUTER } from './router-config.js'

const FINE: RouterConditions = { priority: 100, serviceUp: true, faults: [], effects: [] }
const WELL: Standing = {
  canHold: true,
  isYielding: false,
  isGone: false,
  isHandingOver: false,
  isLeaving: false
}
const NO_FAULTS = { link: false, tracker: false, addresses: false }
const OWN: Fault = {
  cause: 'own-interface',
  name: 'ens160',
  isAwaited: false,
  what: 'interface ens160 is down'
}
const SCRIPT: Fault = { cause: 'script', name: 'A', isAwaited: false, what: 'script A fails' }
const AWAITED: Fault = { ...SCRIPT, isAwaited: true, what: 'script A has no result yet' }

function demands(faults: readonly Fault[], standing: Partial<Standing> = {}): Demands {
  const conditions = { ...FINE, serviceUp: faults.length === 0, faults }
  return demandsOf(ROUTER, conditions, { ...WELL, ...standing })
}

function asKeepalived(faults: readonly Fault[], standing: Partial<Standing> = {}): Demands {
  const config = { ...ROUTER, handOver: 'keepalived' as const }
  return demandsOf(config, { ...FINE, faults }, { ...WELL, ...standing })
}

t.test('nothing is demanded of who is well', (t) => {
  t.strictSame(demands([]), { serves: true, faults: NO_FAULTS })
  t.end()
})

t.test('a tracked fault waits for the end of a hand-over', (t) => {
  t.strictSame(demands([SCRIPT], { isHandingOver: true }), { serves: false, faults: NO_FAULTS })
  t.strictSame(demands([SCRIPT]).faults, { ...NO_FAULTS, tracker: true })
  t.strictSame(asKeepalived([SCRIPT], { isHandingOver: true }), {
    serves: true,
    faults: { ...NO_FAULTS, tracker: true }
  })
  t.end()
})

t.test('without a link nothing is waited for', (t) => {
  t.strictSame(demands([OWN, SCRIPT], { isHandingOver: true }).faults, {
    link: true,
    tracker: true,
    addresses: false
  })
  t.strictSame(demands([], { isGone: true }).faults, { ...NO_FAULTS, link: true })
  t.end()
})

t.test('who is asked to leave hands over, where that is configured', (t) => {
  t.strictSame(demands([], { isLeaving: true }), { serves: false, faults: NO_FAULTS })
  t.strictSame(asKeepalived([], { isLeaving: true }), { serves: true, faults: NO_FAULTS })
  t.end()
})

t.test('a fault is awaited only while nothing tracked has failed', (t) => {
  t.equal(demands([AWAITED]).faults.tracker, 'awaited')
  t.equal(demands([AWAITED, SCRIPT]).faults.tracker, true)
  t.end()
})

t.test('addresses that are taken away are handed over, or dropped as keepalived does', (t) => {
  t.strictSame(demands([], { isYielding: true }), { serves: false, faults: NO_FAULTS })
  t.strictSame(asKeepalived([], { isYielding: true }), {
    serves: true,
    faults: { ...NO_FAULTS, addresses: true }
  })
  t.end()
})

t.test('addresses that cannot be held are a fault at once', (t) => {
  t.equal(demands([], { canHold: false, isHandingOver: true }).faults.addresses, true)
  t.end()
})
