import t from 'tap'
import { Faults } from '../../../src/director/elections/faults.js'

t.test('the fault that came first is told until it is over', (t) => {
  const faults = new Faults()
  t.equal(faults.first, null)
  t.equal(faults.set({ tracker: true }), true)
  t.equal(faults.set({ link: true, tracker: true }), true)
  t.equal(faults.first, 'tracker')
  faults.set({ tracker: false })
  t.equal(faults.first, 'link')
  faults.set({ link: false })
  t.equal(faults.first, null)
  t.end()
})

t.test('what is known already is no change', (t) => {
  const faults = new Faults()
  t.equal(faults.set({ link: false }), false)
  faults.set({ link: true })
  t.equal(faults.set({ link: true, addresses: false }), false)
  t.equal(faults.first, 'link')
  t.end()
})

t.test('causes that are not named stay as they are', (t) => {
  const faults = new Faults()
  faults.set({ 'source-address': true })
  faults.set({ link: true })
  faults.set({ link: false })
  t.equal(faults.first, 'source-address')
  t.end()
})

t.test('faults are awaited as long as nothing has failed', (t) => {
  const faults = new Faults()
  t.equal(faults.areAwaited, false, 'none is no awaited one')
  faults.set({ tracker: 'awaited' })
  t.equal(faults.areAwaited, true)
  t.equal(faults.first, 'tracker', 'which keeps out of the election all the same')
  t.equal(faults.set({ tracker: true }), true, 'a failure after it is a change')
  t.equal(faults.areAwaited, false)
  faults.set({ tracker: 'awaited', link: true })
  t.equal(faults.areAwaited, false, 'not beside one that is there')
  t.end()
})
