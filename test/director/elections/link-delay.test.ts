import t from 'tap'
import { LinkDelays } from '../../../src/director/elections/link-delay.js'
import { FakeClock } from '../fake-clock.js'

/** The delays of eth0, and what was told so far: `eth0 up`. */
function setup(): { clock: FakeClock; links: LinkDelays; told: string[] } {
  const clock = new FakeClock()
  const told: string[] = []
  const delays = [{ interface: 'eth0', downMs: 500, upMs: 2000 }]
  const links = new LinkDelays(delays, clock, (name, isUp) => {
    told.push(`${name} ${isUp ? 'up' : 'down'}`)
  })
  return { clock, links, told }
}

t.test('the first state and the first coming up of a link count at once', (t) => {
  const { links, told } = setup()
  links.changed('eth0', false)
  links.changed('eth0', true)
  t.strictSame(told, ['eth0 down', 'eth0 up'])
  t.end()
})

t.test('a change counts after its delay, each direction after its own', (t) => {
  const { clock, links, told } = setup()
  links.changed('eth0', true)
  links.changed('eth0', false)
  clock.advanceTo(499)
  t.strictSame(told, ['eth0 up'])
  clock.advanceTo(500)
  t.strictSame(told, ['eth0 up', 'eth0 down'])
  links.changed('eth0', true)
  clock.advanceTo(2499)
  t.equal(told.length, 2)
  clock.advanceTo(2500)
  t.strictSame(told, ['eth0 up', 'eth0 down', 'eth0 up'])
  t.end()
})

t.test(
  'what is taken back within the delay was nothing, and the next change has all of it',
  (t) => {
    const { clock, links, told } = setup()
    links.changed('eth0', true)
    links.changed('eth0', false)
    clock.advanceTo(400)
    links.changed('eth0', true)
    t.equal(clock.timers, 0)
    links.changed('eth0', false)
    clock.advanceTo(800)
    t.strictSame(told, ['eth0 up'])
    clock.advanceTo(900)
    t.strictSame(told, ['eth0 up', 'eth0 down'])
    t.end()
  }
)

t.test('the kernel saying the same again does not begin the delay anew', (t) => {
  const { clock, links, told } = setup()
  links.changed('eth0', true)
  links.changed('eth0', false)
  clock.advanceTo(400)
  links.changed('eth0', false)
  clock.advanceTo(500)
  t.strictSame(told, ['eth0 up', 'eth0 down'])
  t.end()
})

t.test('an interface that is gone is down at once, and others have no delay', (t) => {
  const { clock, links, told } = setup()
  links.changed('eth0', true)
  links.changed('eth1', true)
  links.changed('eth0', false)
  links.changed('eth0', false, true)
  links.changed('eth1', false)
  t.strictSame(told, ['eth0 up', 'eth1 up', 'eth0 down', 'eth1 down'])
  t.equal(clock.timers, 0)
  t.end()
})

t.test('nothing is left to wait for when it is closed', (t) => {
  const { clock, links } = setup()
  links.changed('eth0', true)
  links.changed('eth0', false)
  links.close()
  t.equal(clock.timers, 0)
  t.end()
})
