import t from 'tap'
import type { RouterConditions } from '../../../src/director/elections/conditions.js'
import {
  RouterWishes,
  withGroups,
  withStepDown,
  withWishedPriority
} from '../../../src/director/orders/router-wishes.js'
import { ROUTER } from '../elections/router-config.js'

const FINE: RouterConditions = { priority: 150, serviceUp: true, faults: [], effects: [] }

t.test('without a wish everything is as configured', (t) => {
  const wish = new RouterWishes().of('VI_1')
  t.same(wish, { isSteppedDown: false, priority: null })
  t.equal(withWishedPriority(ROUTER, wish), ROUTER)
  t.equal(withStepDown(FINE, wish), FINE)
  t.end()
})

t.test('a wish changes what is said of it and nothing else', (t) => {
  const wishes = new RouterWishes()
  wishes.set('VI_1', { priority: 70 })
  wishes.set('VI_1', { isSteppedDown: true })
  wishes.set('VI_2', { isSteppedDown: true })
  wishes.set('VI_2', { isSteppedDown: false })
  t.same(wishes.of('VI_1'), { isSteppedDown: true, priority: 70 })
  t.same(wishes.of('VI_2'), { isSteppedDown: false, priority: null })
  t.end()
})

t.test(
  'stepped down: the lowest priority, and able to take over at once where nobody else is',
  (t) => {
    const wish = { isSteppedDown: true, priority: null }
    t.match(withStepDown(FINE, wish), {
      priority: 1,
      serviceUp: true,
      faults: [],
      effects: [{ what: 'an administrator', added: -149 }]
    })
    t.same(withStepDown({ ...FINE, serviceUp: false }, wish).serviceUp, false)
    t.match(withStepDown({ ...FINE, priority: 255 }, wish), {
      priority: 255,
      serviceUp: false,
      faults: []
    })
    t.end()
  }
)

t.test('the priority of an owner is never another one', (t) => {
  const owner = { ...ROUTER, priority: 255 }
  t.equal(withWishedPriority(ROUTER, { isSteppedDown: false, priority: 70 }).priority, 70)
  t.equal(withWishedPriority(owner, { isSteppedDown: false, priority: 70 }), owner)
  t.end()
})

t.test('a member of a sync group takes its group along, and that the next one', (t) => {
  const all = ['a', 'b', 'c', 'd']
  const groups = [{ members: ['c', 'b'] }, { members: ['a', 'b'] }]
  t.same(withGroups(['c'], groups, all), ['a', 'b', 'c'])
  t.same(withGroups(['d'], groups, all), ['d'])
  t.same(withGroups([], groups, all), [])
  t.end()
})
