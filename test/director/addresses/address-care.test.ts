import t from 'tap'
import { AddressCare } from '../../../src/director/addresses/address-care.js'
import { FakeClock } from '../fake-clock.js'
import { LogRecord } from '../log-record.js'

const VIP = { address: '192.168.64.200', prefixLength: 24, interface: 'ens160' }
const VIP6 = { address: '2001:DB8::C8', prefixLength: 64, interface: 'ens160' }

/** The care for two addresses, with a record of what it asks for. */
class Stage {
  readonly clock = new FakeClock()
  readonly record: string[] = []
  readonly journal = new LogRecord()
  heldUntil = Infinity
  manager: Promise<string | null> = Promise.resolve(null)
  /** Set by a test to hold up what puts addresses back. */
  adding: Promise<void> = Promise.resolve()

  readonly care = new AddressCare(
    [VIP, VIP6],
    { answerWithin: 1500, masterDownInterval: 3600 },
    {
      clock: this.clock,
      heldUntil: () => this.heldUntil,
      putBack: async () => {
        this.record.push('put back')
        await this.adding
      },
      announce: () => void this.record.push('announce'),
      yields: (isYielding) => void this.record.push(isYielding ? 'yield' : 'return'),
      findManager: () => this.manager
    },
    this.journal.log
  )

  becomeMaster(): void {
    this.care.mastery(true)
    this.care.added(VIP)
    this.care.added({ ...VIP6, address: '2001:db8::c8' })
  }
}

/** Lets the promises that are ready run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

t.test('an address that somebody removed is put back at once, then announced', async (t) => {
  const stage = new Stage()
  stage.becomeMaster()
  let added = (): void => undefined
  stage.adding = new Promise((resolve) => (added = resolve))
  stage.manager = Promise.resolve('NetworkManager')
  stage.care.removed(VIP)
  t.strictSame(stage.record, ['put back'])
  await settle()
  t.strictSame(stage.record, ['put back'], 'not announced before it is there')
  stage.clock.advanceTo(40)
  added()
  await settle()
  t.strictSame(stage.record, ['put back', 'announce'])
  t.strictSame(stage.journal.lines, [
    'error somebody removed virtual addresses: put back ' +
      '{"addresses":["192.168.64.200 on ens160"],"times":1,"tookMs":40,"interfaceManagedBy":"NetworkManager"}'
  ])
})

t.test('addresses that are removed together are put back in two goes at most', async (t) => {
  const stage = new Stage()
  stage.becomeMaster()
  stage.care.removed(VIP)
  stage.care.removed(VIP6)
  await settle()
  t.strictSame(stage.record, ['put back', 'put back', 'announce'])
  t.match(stage.journal.lines, [
    /"addresses":\["192.168.64.200 on ens160","2001:db8::c8 on ens160"\]/
  ])
})

t.test('an opponent that never tires fills no log where nobody else can take over', async (t) => {
  const stage = new Stage()
  stage.becomeMaster()
  stage.care.removed(VIP)
  stage.care.added(VIP)
  await settle()
  stage.care.removed(VIP)
  stage.clock.advanceTo(1500)
  stage.care.added(VIP)
  await settle()
  t.ok(stage.record.includes('return'))
  for (let now = 2000; now < 20_000; now += 100) {
    stage.clock.advanceTo(now)
    stage.care.removed(VIP)
    stage.care.added(VIP)
    await settle()
  }
  const told = stage.journal.lines.filter((line) =>
    line.includes('somebody removed virtual addresses')
  )
  t.match(told, [/"times":1,/, /"times":82,/])
})

t.test('who removes an address again makes us leave, and the log names it all', async (t) => {
  const stage = new Stage()
  stage.becomeMaster()
  stage.care.removed(VIP)
  stage.care.added(VIP)
  await settle()
  stage.clock.advanceTo(4000)
  stage.care.removed(VIP)
  await settle()
  t.strictSame(stage.record, ['put back', 'announce', 'yield', 'put back'])
  t.equal(
    stage.journal.lines[1],
    'error somebody removed a virtual address again: leaving the election, until the hold-off ends or no ' +
      'other master is heard {"address":"192.168.64.200","prefixLength":24,"interface":"ens160","removals":2,' +
      '"withinMs":4000,"holdOffMs":60000}'
  )
  stage.care.mastery(false)
  stage.clock.advanceTo(5499)
  t.equal(stage.record.at(-1), 'put back')
  stage.clock.advanceTo(5500)
  t.equal(stage.record.at(-1), 'return', 'nobody took over')
  t.equal(stage.clock.timers, 0)
})

t.test('the end of a lease is not somebody', (t) => {
  const stage = new Stage()
  stage.heldUntil = 3000
  stage.becomeMaster()
  stage.clock.advanceTo(10_000)
  stage.care.removed(VIP)
  t.strictSame(stage.record, [])
  t.match(stage.journal.lines, [/^warn the lease of a virtual address ran out/])
  t.end()
})

t.test('other addresses, and our own on other interfaces, are none of our business', (t) => {
  const stage = new Stage()
  stage.becomeMaster()
  const other = { ...VIP, address: '192.168.64.130' }
  const elsewhere = { ...VIP, interface: 'ens192' }
  const narrower = { ...VIP, prefixLength: 32 }
  for (const place of [other, elsewhere, narrower]) {
    stage.care.added(place)
    stage.care.removed(place)
  }
  t.strictSame(stage.record, [])
  t.end()
})

t.test('addresses that go with the link of their interface were removed by nobody', async (t) => {
  const stage = new Stage()
  stage.becomeMaster()
  stage.care.linkChanged('ens160', false)
  stage.care.removed(VIP6)
  t.strictSame(stage.record, [])
  stage.care.linkChanged('ens160', true)
  stage.care.added(VIP6)
  stage.care.removed(VIP6)
  await settle()
  t.strictSame(stage.record, ['put back', 'announce'])
})

t.test('an address that comes to a backup is told loudly, and left where it is', async (t) => {
  const stage = new Stage()
  stage.clock.advanceTo(5000)
  stage.care.added(VIP)
  await settle()
  t.strictSame(stage.record, [])
  t.match(stage.journal.lines, [/^error somebody gave this machine a virtual address/])
})

t.test('a manager that cannot be found out does not keep the line from the log', async (t) => {
  const stage = new Stage()
  stage.manager = Promise.reject(new Error('no'))
  stage.becomeMaster()
  stage.care.removed(VIP)
  await settle()
  await settle()
  t.equal(stage.journal.lines.length, 1)
})

t.test('after close nothing happens any more', (t) => {
  const stage = new Stage()
  stage.becomeMaster()
  stage.care.close()
  stage.care.removed(VIP)
  t.strictSame(stage.record, [])
  t.end()
})
