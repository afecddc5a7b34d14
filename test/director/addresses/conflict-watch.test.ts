import t from 'tap'
import { ConflictWatch } from '../../../src/director/addresses/conflict-watch.js'
import {
  decodeArp,
  encodeArpProbe,
  encodeGratuitousArp,
  parseMac
} from '../../../src/vrrp/wire/arp.js'
import { decodeNeighbour, encodeUnsolicitedNa } from '../../../src/vrrp/wire/ndisc.js'
import { FakeClock } from '../fake-clock.js'
import { LogRecord } from '../log-record.js'

const OURS = '02:00:c0:a8:40:82'
const THEIRS = '02:00:00:00:00:66'
const VIP = '192.168.64.200'
const VIP6 = '2001:db8::c8'

class Stage {
  readonly clock = new FakeClock()
  readonly record: string[] = []
  readonly journal = new LogRecord()
  refusal: Error | null = null
  claims = 0

  readonly watch = new ConflictWatch(
    { interface: 'ens160', mac: OURS, addresses: [VIP, VIP6] },
    {
      clock: this.clock,
      socket: {
        send: (frame) => {
          if (this.refusal) throw this.refusal
          const probed = decodeArp(frame)?.targetAddress ?? decodeNeighbour(frame)?.target ?? '?'
          this.record.push(`${this.clock.now()} probe ${probed}`)
        }
      },
      defend: () => void this.record.push(`${this.clock.now()} defend`),
      claimed: () => void (this.claims += 1)
    },
    this.journal.log
  )

  hearArp(mac: string, address = VIP): void {
    const frame = decodeArp(encodeGratuitousArp(parseMac(mac), address))
    if (frame) this.watch.arp(frame)
  }

  hearNeighbour(mac: string, address = VIP6): void {
    const frame = decodeNeighbour(encodeUnsolicitedNa(parseMac(mac), address, false))
    if (frame) this.watch.neighbour(frame)
  }
}

t.test('RFC 5227: the addresses are asked for twice, and the result is logged', (t) => {
  const stage = new Stage()
  stage.watch.mastery(true, false)
  stage.clock.advanceTo(2000)
  t.strictSame(stage.record, [
    `0 probe ${VIP}`,
    `0 probe ${VIP6}`,
    `350 probe ${VIP}`,
    `350 probe ${VIP6}`
  ])
  t.strictSame(stage.journal.lines, [
    'info asked for the virtual addresses: no other machine answers for them ' +
      '{"interface":"ens160","addresses":["192.168.64.200","2001:db8::c8"]}'
  ])
  t.end()
})

t.test('a foreign machine that claims an address is named by its hardware address', (t) => {
  const stage = new Stage()
  stage.watch.mastery(true, false)
  stage.clock.advanceTo(2000)
  stage.hearArp(THEIRS)
  stage.hearNeighbour(THEIRS)
  stage.hearArp(THEIRS)
  t.match(stage.journal.lines.slice(1), [
    /^error another machine claims .*"address":"192.168.64.200".*"mac":"02:00:00:00:00:66"/,
    /^error another machine claims .*"address":"2001:db8::c8".*"mac":"02:00:00:00:00:66"/
  ])
  t.strictSame(stage.record.slice(4), ['2000 defend'])
  t.equal(stage.watch.claims, 3)
  t.end()
})

t.test('our own frames, other addresses and probes of others are no claims', (t) => {
  const stage = new Stage()
  stage.watch.mastery(true, false)
  stage.hearArp(OURS)
  stage.hearNeighbour(OURS)
  stage.hearArp(THEIRS, '192.168.64.201')
  const probe = decodeArp(encodeArpProbe(parseMac(THEIRS), VIP))
  if (probe) stage.watch.arp(probe)
  t.equal(stage.watch.claims, 0)
  t.end()
})

t.test('a socket that refuses the probes does not keep us from being master', (t) => {
  const stage = new Stage()
  stage.refusal = new Error('ENETDOWN')
  stage.watch.mastery(true, false)
  stage.clock.advanceTo(2000)
  t.strictSame(stage.record, [])
  t.end()
})

t.test('who is no longer master hears that another machine announces an address', (t) => {
  const stage = new Stage()
  stage.watch.mastery(true, false)
  stage.watch.mastery(false, false)
  stage.hearArp(OURS)
  stage.hearArp(THEIRS, '192.168.64.201')
  t.equal(stage.claims, 0, 'not of our own frames, nor of other addresses')
  stage.hearArp(THEIRS)
  stage.hearNeighbour(THEIRS)
  t.equal(stage.claims, 2)
  t.strictSame(stage.journal.lines, [], 'which is what should be')
  t.end()
})
