import t from 'tap'
import type { VirtualRouter } from '../../src/vrrp/model.js'
import { Segment } from '../../src/vrrp/segment.js'
import { encodeAdvertisement } from '../../src/vrrp/send.js'
import { encodePassword } from '../../src/vrrp/wire/advertisement-v2.js'
import { readGolden } from './golden.js'
import { PAIR_MASTER } from './router.js'

const OURS: VirtualRouter = { ...PAIR_MASTER, primaryAddress: '192.168.64.134' }
const SENT = { priority: 100, identification: 1, destination: '224.0.0.18', stamp: null }

function advertisement(changes: Partial<VirtualRouter> = {}): Uint8Array {
  return encodeAdvertisement({ ...PAIR_MASTER, ...changes }, SENT)
}

t.test('the age of a sender counts from its last packet for the same VRID', (t) => {
  const segment = new Segment([])
  const age = (packet: Uint8Array, now: number): number | null | undefined =>
    segment.hear(packet, now, 0)?.age
  t.equal(age(advertisement(), 1000), null)
  t.equal(age(advertisement({ vrid: 52 }), 1500), null)
  t.equal(age(advertisement(), 2004), 1004)
  t.equal(age(advertisement({ primaryAddress: '192.168.64.9' }), 2500), null)
  t.end()
})

t.test('with a configuration its virtual routers judge, the others are foreign', (t) => {
  const segment = new Segment([OURS])
  t.match(segment.hear(advertisement(), 0, 0), {
    hearing: { kind: 'accepted', router: 'nginx', sameAddresses: true },
    warnings: []
  })
  t.match(segment.hear(advertisement({ vrid: 7 }), 0, 0), {
    hearing: { kind: 'foreign' },
    warnings: []
  })
  t.match(segment.hear(readGolden('v3-ipv6'), 0, 0), { hearing: { kind: 'foreign' } })
  t.end()
})

t.test('without one packets are judged by themselves', (t) => {
  const segment = new Segment([])
  const wrong = advertisement()
  wrong[22] = 99
  t.match(segment.hear(advertisement(), 0, 0), { hearing: { kind: 'valid' } })
  t.match(segment.hear(readGolden('v3-ipv6-hmac'), 0, 0), { hearing: { kind: 'valid' } })
  t.match(segment.hear(readGolden('v3-ipv4-plain-checksum'), 0, 0), { hearing: { kind: 'valid' } })
  t.match(segment.hear(wrong, 0, 0), { hearing: { kind: 'invalid', reason: 'checksum' } })
  t.match(segment.hear(advertisement().slice(0, 39), 0, 0), { hearing: { reason: 'length' } })
  t.equal(segment.hear(new Uint8Array(60), 0, 0), null)
  t.end()
})

t.test('a stranger with our VRID is warned of, once for each reason', (t) => {
  const segment = new Segment([OURS])
  const stranger = advertisement({
    primaryAddress: '192.168.64.77',
    authentication: { type: 'pass', data: encodePassword('other') }
  })
  t.match(segment.hear(stranger, 0, 0), {
    hearing: { kind: 'discarded', router: 'nginx', reason: 'auth-data' },
    warnings: [{ kind: 'intruder', router: 'nginx', reason: 'auth-data' }]
  })
  t.same(segment.hear(stranger, 1000, 0)?.warnings, [])
  t.end()
})

t.test('two senders of one VRID that differ are warned of, once', (t) => {
  const segment = new Segment([])
  segment.hear(advertisement(), 0, 0)
  const other = advertisement({
    primaryAddress: '192.168.64.9',
    adverInterval: 3000,
    addresses: ['192.168.64.201']
  })
  t.same(segment.hear(other, 10, 0)?.warnings, [
    { kind: 'conflict', other: '192.168.64.130', differences: ['interval', 'addresses'] }
  ])
  t.same(segment.hear(advertisement(), 1000, 0)?.warnings, [])
  t.same(segment.hear(other, 1010, 0)?.warnings, [])
  t.end()
})

t.test('two senders that agree are an election, whatever the order of their addresses', (t) => {
  const segment = new Segment([])
  const addresses = ['192.168.64.200', '192.168.64.201']
  segment.hear(advertisement({ addresses }), 0, 0)
  const other = advertisement({
    primaryAddress: '192.168.64.9',
    addresses: addresses.toReversed()
  })
  t.same(segment.hear(other, 10, 0)?.warnings, [])
  t.end()
})

t.test(
  'a flood of senders is remembered no further than 16 a VRID, and warned of 256 times',
  (t) => {
    const segment = new Segment([OURS])
    const from = (number: number): string =>
      `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`
    let warnings = 0
    for (let i = 0; i < 5000; i++) {
      const packet = advertisement({
        primaryAddress: from(i),
        adverInterval: 2000 + (i % 9) * 1000
      })
      warnings += segment.hear(packet, i, 0)?.warnings.length ?? 0
    }
    t.equal(warnings, 256)
    const again = advertisement({ primaryAddress: from(0), adverInterval: 2000 })
    t.equal(segment.hear(again, 6000, 0)?.age, null, 'the first is forgotten')
    t.end()
  }
)
