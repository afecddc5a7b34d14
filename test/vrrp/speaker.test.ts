import t from 'tap'
import { Speaker } from '../../src/vrrp/speaker.js'
import { readGolden, toHex } from './golden.js'
import { PAIR_MASTER as master } from './router.js'

/** A speaker on a clock that the test moves, with a record of all it does. */
class Stage {
  readonly record: string[] = []
  #now = 0
  #due: { at: number; callback: () => void } | null = null
  /** Set by a test to keep the addresses from being added. */
  adding: Promise<void> = Promise.resolve()
  /** Packets that wait in the socket: one is read in each turn of the loop. */
  readonly waiting: (() => void)[] = []

  readonly speaker: Speaker

  constructor(router = master) {
    this.speaker = new Speaker(
      router,
      { priority: 100, serviceUp: true },
      {
        clock: {
          now: () => this.#now,
          wallTime: () => 0,
          after: (delay, callback) => {
            const due = { at: this.#now + delay, callback }
            if (this.#due) throw new Error('a second timer')
            this.#due = due
            return () => {
              if (this.#due === due) this.#due = null
            }
          },
          afterPoll: (callback) => {
            this.waiting.shift()?.()
            if (this.#due) throw new Error('a timer while packets are read')
            callback()
          }
        },
        socket: {
          send: (packet) => void this.record.push(`send ${toHex(packet)}`),
          flush: () => Promise.resolve(),
          close: () => undefined
        },
        addresses: {
          add: async () => {
            this.record.push('add')
            await this.adding
          },
          remove: () => {
            this.record.push('remove')
            return Promise.resolve()
          }
        },
        announcer: {
          announce: (kind) => void this.record.push(`announce ${kind}`),
          cancel: () => void this.record.push('cancel')
        },
        observer: {
          stepped: (from, to, reason) =>
            void this.record.push(`${from.name} -> ${to.name}: ${reason}`),
          conditionsChanged: () => undefined,
          discarded: (reason) => void this.record.push(`discarded: ${reason}`),
          accepted: () => undefined
        }
      }
    )
  }

  /** Lets time pass, with timers that fire `early` ms before they are due, as Node's do. */
  async advanceTo(time: number, early = 0): Promise<void> {
    while (this.#due && this.#due.at - early <= time) {
      const { at, callback } = this.#due
      this.#due = null
      this.#now = Math.max(this.#now, at - early)
      early = 0
      callback()
      await settle()
    }
    this.#now = time
  }
}

/** Lets the promises that are ready run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const advert100 = 'send 45c00028XXXX0000ff700000c0a84082e000001221336401'
const hide = (entry: string): string =>
  entry.startsWith('send') ? `${entry.slice(0, 13)}XXXX${entry.slice(17, 53)}` : entry

t.test(
  'on becoming master: advertise, add the addresses, announce when they are there',
  async (t) => {
    const stage = new Stage()
    let added = (): void => undefined
    stage.adding = new Promise((resolve) => (added = resolve))
    stage.speaker.start(null)
    await stage.advanceTo(3700, 1.7)
    t.same(stage.record.map(hide), [
      'cancel',
      'initialize -> backup: startup',
      'remove',
      advert100,
      'backup -> master: master-down-expired',
      'add'
    ])
    added()
    await settle()
    t.equal(stage.record.at(-1), 'announce mastery')
  }
)

t.test('identification counts from 1 and goes on', async (t) => {
  const stage = new Stage()
  stage.speaker.start(null)
  await stage.advanceTo(5700)
  const sent = stage.record.filter((entry) => entry.startsWith('send'))
  t.same(
    sent.map((entry) => entry.slice(13, 17)),
    ['0001', '0002', '0003']
  )
})

t.test('addresses that are given up before they were added are not announced', async (t) => {
  const stage = new Stage({ ...master, primaryAddress: '192.168.64.1' })
  let added = (): void => undefined
  stage.adding = new Promise((resolve) => (added = resolve))
  stage.speaker.start(null)
  await stage.advanceTo(3700)
  stage.speaker.receive(readGolden('advertisement-100'))
  added()
  await settle()
  t.match(stage.record.slice(-4).map(hide), [
    /^send .*21336401$/,
    'cancel',
    'master -> backup: higher-priority',
    'remove'
  ])
})

t.test('stopping a master that makes before it breaks waits for the partner', async (t) => {
  const stage = new Stage({ ...master, primaryAddress: '192.168.64.134' })
  stage.speaker.start(null)
  await stage.advanceTo(3700)
  const before = stage.record.length
  const stopped = stage.speaker.stop()
  await settle()
  t.match(stage.record.slice(before).map(hide), [
    /^send .*21330001$/,
    'master -> master: hand-over-begun'
  ])
  stage.speaker.receive(readGolden('advertisement-100'))
  await stopped
  t.same(stage.record.slice(-2), ['master -> initialize: hand-over-answered', 'remove'])
  t.equal(stage.speaker.state.name, 'initialize')
})

t.test('two calls of stop both end', async (t) => {
  const stage = new Stage()
  stage.speaker.start(null)
  await stage.advanceTo(3700)
  await Promise.all([stage.speaker.stop(), stage.speaker.stop()])
  t.same(stage.record.slice(-2), ['master -> initialize: shutdown', 'remove'])
})

t.test('a packet that is discarded is told and changes nothing', async (t) => {
  const stage = new Stage({
    ...master,
    primaryAddress: '192.168.64.134',
    authentication: { type: 'none' }
  })
  stage.speaker.start(null)
  stage.speaker.receive(readGolden('advertisement-100'))
  t.equal(stage.record.at(-1), 'discarded: auth-type')
  t.equal(stage.speaker.state.name, 'backup')
  await stage.speaker.stop()
})

t.test('before start and after stop nothing is heard', async (t) => {
  const stage = new Stage({ ...master, primaryAddress: '192.168.64.134' })
  stage.speaker.receive(readGolden('advertisement-100'))
  stage.speaker.setFault(null)
  stage.speaker.start(null)
  await stage.speaker.stop()
  const before = stage.record.length
  stage.speaker.receive(readGolden('advertisement-100'))
  stage.speaker.setFault(null)
  t.equal(stage.record.length, before)
  t.equal(stage.speaker.state.name, 'initialize')
})

t.test('a packet that waits in the socket is heard before the timer decides', async (t) => {
  const stage = new Stage({ ...master, primaryAddress: '192.168.64.134' })
  stage.speaker.start(null)
  const hear = (): void => {
    stage.speaker.receive(readGolden('advertisement-100'))
  }
  // Two that are discarded come first: one packet is read in a turn of the loop.
  const discard = (): void => {
    stage.speaker.receive(new Uint8Array(3))
  }
  stage.waiting.push(discard, discard, hear)
  await stage.advanceTo(4500)
  t.equal(stage.speaker.state.name, 'backup')
  await stage.advanceTo(7300)
  t.equal(stage.speaker.state.name, 'master')
})

t.test('packets without end do not keep the timer from deciding', async (t) => {
  const stage = new Stage()
  stage.speaker.start(null)
  for (let i = 0; i < 1000; i++) {
    stage.waiting.push(() => {
      stage.speaker.receive(new Uint8Array(3))
    })
  }
  await stage.advanceTo(3700)
  t.equal(stage.speaker.state.name, 'master')
  t.equal(stage.waiting.length, 1000 - 32)
})

t.test('counts under the names of keepalived, and how late the advertisements are', async (t) => {
  const stage = new Stage({ ...master, primaryAddress: '192.168.64.134' })
  stage.speaker.start(null)
  stage.speaker.receive(readGolden('advertisement-100'))
  await stage.advanceTo(5700)
  const stopped = stage.speaker.stop()
  stage.speaker.receive(readGolden('advertisement-100'))
  await stopped
  t.match(stage.speaker.statistics, {
    advert_rcvd: 2,
    advert_sent: 4,
    pri_zero_sent: 1,
    pri_zero_rcvd: 0,
    become_master: 1,
    release_master: 1,
    packet_len_err: 0,
    lateness: { count: 2, max: 0 }
  })
})

t.test('orders of a sync group reach the state machine, but not before the start', async (t) => {
  const stage = new Stage({ ...master, isGrouped: true, startsAsMaster: false })
  stage.speaker.order({ kind: 'fault', cause: 'group' })
  t.same(stage.record, [])
  stage.speaker.start(null)
  await stage.advanceTo(3700)
  t.ok(stage.record.includes('backup -> backup: wants-master'))
  stage.speaker.order({ kind: 'group-master' })
  t.equal(stage.speaker.state.name, 'master')
})
