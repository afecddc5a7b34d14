import t from 'tap'
import { effectivePriority } from '../../src/director/effective-priority.js'

t.test('keepalived: a negative weight counts while the check fails', (t) => {
  t.equal(effectivePriority(100, [{ weight: -20, isUp: true }]), 100)
  t.equal(effectivePriority(100, [{ weight: -20, isUp: false }]), 80)
  t.end()
})

t.test('keepalived: a positive weight counts while the check passes', (t) => {
  t.equal(effectivePriority(100, [{ weight: 20, isUp: true }]), 120)
  t.equal(effectivePriority(100, [{ weight: 20, isUp: false }]), 100)
  t.end()
})

t.test('keepalived: a check without a result changes nothing', (t) => {
  t.equal(effectivePriority(100, [{ weight: -20, isUp: null }]), 100)
  t.equal(effectivePriority(100, [{ weight: 20, isUp: null }]), 100)
  t.end()
})

t.test('keepalived: weights add up, and the sum stays within 1 and 254', (t) => {
  const failing = { weight: -60, isUp: false }
  t.equal(effectivePriority(100, [failing, { weight: 5, isUp: true }]), 45)
  t.equal(effectivePriority(100, [failing, failing]), 1)
  t.equal(effectivePriority(250, [{ weight: 253, isUp: true }]), 254)
  t.end()
})
