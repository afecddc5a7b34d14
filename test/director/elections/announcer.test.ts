import t from 'tap'
import type { Announcements } from '../../../src/config/model.js'
import { AddressAnnouncer } from '../../../src/director/elections/announcer.js'
import { decodeArp } from '../../../src/vrrp/wire/arp.js'
import { decodeNeighbour } from '../../../src/vrrp/wire/ndisc.js'
import { FakeClock } from '../fake-clock.js'

const CONFIG: Announcements = {
  repeat: 2,
  delayMs: 5000,
  refreshMs: 0,
  refreshRepeat: 1,
  lowerPriorityRepeat: 3,
  lowerPriorityDelayMs: 5000,
  garpIntervalMs: 0,
  gnaIntervalMs: 0,
  gateway: null
}

/** An announcer on a clock of the test's, with a record of `time interface address`. */
class Stage {
  readonly clock = new FakeClock()
  readonly record: string[] = []
  readonly failures: string[] = []
  /** What the kernel refuses on ens192. */
  refusal: Error | null = null
  readonly announcer: AddressAnnouncer

  constructor(addresses: readonly string[], config: Partial<Announcements> = {}) {
    const announced = addresses.map((entry) => {
      const [address = '', name = 'ens160'] = entry.split('@')
      return {
        address,
        interface: name,
        mac: name === 'ens160' ? '02:00:00:00:00:01' : '02:00:00:00:00:02',
        isRouter: false,
        socket: {
          send: (frame: Uint8Array): void => {
            if (name === 'ens192' && this.refusal) throw this.refusal
            this.#note(name, frame)
          }
        }
      }
    })
    this.announcer = new AddressAnnouncer(
      announced,
      { ...CONFIG, ...config },
      {
        now: this.clock.now,
        after: this.clock.after,
        failed: (message) => void this.failures.push(message)
      }
    )
  }

  #note(name: string, frame: Uint8Array): void {
    const said =
      decodeArp(frame)?.senderAddress ?? decodeNeighbour(frame)?.target ?? 'something else'
    const mac = decodeArp(frame)?.senderMac ?? decodeNeighbour(frame)?.linkAddress ?? ''
    this.record.push(`${this.clock.now()} ${name} ${mac.slice(-2)} ${said}`)
  }
}

t.test('keepalived 2.2.7: all addresses once, then all of them again, at once', (t) => {
  const stage = new Stage(['fe80::c8', '2001:db8::c8', '192.168.64.200'])
  stage.announcer.announce('mastery')
  const round = ['0 ens160 01 fe80::c8', '0 ens160 01 2001:db8::c8', '0 ens160 01 192.168.64.200']
  t.strictSame(stage.record, [...round, ...round])
  t.equal(stage.clock.timers, 0)
  t.end()
})

t.test('each kind of announcement has its own number of frames', (t) => {
  const stage = new Stage(['192.168.64.200'])
  stage.announcer.announce('refresh')
  t.equal(stage.record.length, 1)
  stage.announcer.announce('lower-priority')
  t.equal(stage.record.length, 4)
  t.end()
})

t.test(
  'an address on another interface is announced there, with the hardware address there',
  (t) => {
    const stage = new Stage(['192.168.64.200', '10.0.0.1@ens192'], { repeat: 1 })
    stage.announcer.announce('mastery')
    t.strictSame(stage.record, ['0 ens160 01 192.168.64.200', '0 ens192 02 10.0.0.1'])
    t.end()
  }
)

t.test('intervals pace the two families apart, with one timer', (t) => {
  const stage = new Stage(['10.0.0.1', '10.0.0.2', 'fe80::1'], {
    garpIntervalMs: 100,
    gnaIntervalMs: 150
  })
  stage.announcer.announce('mastery')
  t.equal(stage.clock.timers, 1)
  stage.clock.advanceTo(1000)
  t.strictSame(stage.record, [
    '0 ens160 01 10.0.0.1',
    '0 ens160 01 fe80::1',
    '100 ens160 01 10.0.0.2',
    '150 ens160 01 fe80::1',
    '200 ens160 01 10.0.0.1',
    '300 ens160 01 10.0.0.2'
  ])
  t.equal(stage.clock.timers, 0)
  t.end()
})

t.test(
  'the first frame of a burst keeps its distance from the last one of the burst before',
  (t) => {
    const stage = new Stage(['10.0.0.1'], { repeat: 1, garpIntervalMs: 100 })
    stage.announcer.announce('mastery')
    stage.clock.advanceTo(30)
    stage.announcer.announce('mastery')
    stage.clock.advanceTo(1000)
    t.strictSame(stage.record, ['0 ens160 01 10.0.0.1', '100 ens160 01 10.0.0.1'])
    t.end()
  }
)

t.test('an announcement during a burst makes it longer at most, never shorter', (t) => {
  const stage = new Stage(['10.0.0.1', '10.0.0.2'], { garpIntervalMs: 100 })
  stage.announcer.announce('mastery')
  stage.announcer.announce('refresh')
  stage.clock.advanceTo(1000)
  t.equal(stage.record.length, 4, 'a refresh adds nothing to a longer burst')
  for (let i = 0; i < 1000; i++) stage.announcer.announce('mastery')
  stage.clock.advanceTo(2000)
  t.equal(stage.record.length, 4 + 1 + 4, 'a thousand announcements are one, begun anew')
  t.end()
})

t.test('cancel forgets what is not sent yet', (t) => {
  const stage = new Stage(['10.0.0.1'], { repeat: 5, garpIntervalMs: 100 })
  stage.announcer.announce('mastery')
  stage.announcer.cancel()
  t.equal(stage.clock.timers, 0)
  stage.clock.advanceTo(1000)
  t.equal(stage.record.length, 1)
  stage.announcer.announce('refresh')
  stage.clock.advanceTo(2000)
  t.equal(stage.record.length, 2, 'and the next burst has its own length')
  t.end()
})

t.test('an interface that refuses frames is told once, and the others are announced', (t) => {
  const stage = new Stage(['10.0.0.1@ens192', '10.0.0.2'], { repeat: 5 })
  stage.refusal = Object.assign(new Error('sendto: ENETDOWN'), { code: 'ENETDOWN' })
  stage.announcer.announce('mastery')
  stage.clock.advanceTo(5000)
  stage.announcer.announce('mastery')
  t.equal(stage.record.length, 10)
  t.strictSame(stage.failures, ['cannot announce addresses on ens192: ENETDOWN'])
  stage.clock.advanceTo(605_000)
  stage.announcer.announce('refresh')
  t.equal(stage.failures.length, 2, 'and again after ten minutes')
  t.end()
})

t.test('no address, or no frame, is no announcement', (t) => {
  const none = new Stage([])
  none.announcer.announce('mastery')
  const silent = new Stage(['10.0.0.1'], { lowerPriorityRepeat: 0, garpIntervalMs: 100 })
  silent.announcer.announce('lower-priority')
  t.strictSame([none.record, silent.record, silent.clock.timers], [[], [], 0])
  t.end()
})
