import t from 'tap'
import { jsonOf, textOf } from '../../../src/director/listen/heard-line.js'
import { Segment, type Heard } from '../../../src/vrrp/segment.js'
import { readGolden } from '../../vrrp/golden.js'
import { PAIR_MASTER } from '../../vrrp/router.js'

const AT = Date.UTC(2026, 10, 22, 22, 15, 20, 123)

function heard(segment: Segment, packet: Uint8Array, now = 0): Heard {
  const found = segment.hear(packet, now, AT)
  if (!found) throw new Error('no VRRP')
  return found
}

t.test('one line tells time, age, path, parameters and verdict', (t) => {
  const segment = new Segment([{ ...PAIR_MASTER, primaryAddress: '192.168.64.134' }])
  const golden = readGolden('advertisement-100')
  t.equal(
    textOf(heard(segment, golden), AT),
    '2026-11-22T22:15:20.123Z     first  192.168.64.130 -> 224.0.0.18  vrid 51  v2  priority 100  ' +
      'interval 1s  auth pass  ttl 255  192.168.64.200  accepted by nginx\n'
  )
  t.match(textOf(heard(segment, golden, 1004), AT), '   +1.004s  192.168.64.130')
  t.end()
})

t.test('a warning has a line of its own, and no password is told', (t) => {
  const segment = new Segment([{ ...PAIR_MASTER, primaryAddress: '192.168.64.134' }])
  const stranger = readGolden('advertisement-100')
  stranger.set(Buffer.from('secret!!'), 32)
  const found = heard(segment, stranger)
  const text = textOf(found, AT)
  t.match(text, /discarded by nginx: auth-data\nWARNING /)
  t.match(
    text,
    'WARNING 192.168.64.130 uses VRID 51, which is that of nginx, but is discarded: ' +
      'its password differs from ours\n'
  )
  t.notMatch(text + jsonOf(found, AT), /secret|736563/)
  t.end()
})

t.test('senders that differ are named with what differs', (t) => {
  const segment = new Segment([])
  heard(segment, readGolden('v3-ipv4'))
  const other = readGolden('advertisement-100')
  other[15] = 9
  t.match(
    textOf(heard(segment, other), AT),
    'WARNING 192.168.64.9 and 192.168.64.130 both advertise VRID 51, with different version and interval and authentication\n'
  )
  t.end()
})

t.test('JSON has the same as one object', (t) => {
  const found = heard(new Segment([]), readGolden('v3-ipv6-hmac'))
  t.strictSame(JSON.parse(jsonOf(found, AT)), {
    time: '2026-11-22T22:15:20.123Z',
    ageMs: null,
    source: 'fe80::c0ff:fea8:4082',
    destination: 'ff02::12',
    ttl: 255,
    version: 3,
    vrid: 51,
    priority: 100,
    adverIntervalMs: 1000,
    authentication: 'hmac key 7',
    addresses: ['fe80::64:200', '2001:db8:64::200'],
    checksum: { plain: false, pseudoHeader: true },
    verdict: { kind: 'valid' },
    warnings: []
  })
  t.end()
})
