import t from 'tap'
import type { VirtualRouter } from '../../src/vrrp/model.js'
import { encodeAdvertisement, targetsOf } from '../../src/vrrp/send.js'
import { GOLDEN, HMAC } from './golden-routers.js'
import { toHex } from './golden.js'
import { PAIR_MASTER } from './router.js'

const V3: VirtualRouter = { ...PAIR_MASTER, version: 3, authentication: { type: 'none' } }
const SENT = { priority: 100, identification: 1, destination: '224.0.0.18', stamp: null }

t.test('multicast goes to the group, unicast to every partner', (t) => {
  t.same(targetsOf(PAIR_MASTER), ['224.0.0.18'])
  const unicast = GOLDEN.find(({ file }) => file === 'v2-unicast')
  t.same(unicast && targetsOf(unicast.router), ['192.168.64.134', '192.168.64.135'])
  t.end()
})

t.test(
  'keepalived: copies of a signed advertisement differ in destination and checksum only',
  (t) => {
    const golden = GOLDEN.find(({ file }) => file === 'v3-unicast-hmac')
    if (!golden) throw new Error('no golden packet')
    const { router, sent } = golden
    const [first, second] = targetsOf(router).map((destination) =>
      encodeAdvertisement(router, { ...sent, destination })
    )
    const differences = Array.from(first ?? []).flatMap((byte, at) =>
      byte === second?.[at] ? [] : [at]
    )
    t.same(differences, [19, 27])
    t.end()
  }
)

t.test('a receiver that does not sign yet sends no trailer', (t) => {
  const router: VirtualRouter = {
    ...PAIR_MASTER,
    authentication: { ...HMAC, mode: 'receive-only' }
  }
  t.equal(encodeAdvertisement(router, { ...SENT, stamp: 1n }).length, 40)
  const permissive: VirtualRouter = {
    ...PAIR_MASTER,
    authentication: { ...HMAC, mode: 'permissive' }
  }
  t.equal(encodeAdvertisement(permissive, { ...SENT, stamp: 1n }).length, 68)
  t.end()
})

t.test('VRRPv3: the interval is in centiseconds, 12 bits', (t) => {
  const interval = (adverInterval: number): string =>
    toHex(encodeAdvertisement({ ...V3, adverInterval }, SENT).slice(24, 26))
  t.equal(interval(10), '0001')
  t.equal(interval(1000), '0064')
  t.equal(interval(40_950), '0fff')
  t.equal(interval(290), '001d', '0.29 s, which is no whole number in floating point')
  t.end()
})

t.test('255 addresses fit', (t) => {
  const addresses = Array.from({ length: 255 }, (_, i) => `10.0.0.${i + 1}`)
  t.equal(encodeAdvertisement({ ...PAIR_MASTER, addresses }, SENT).length, 1056)
  t.end()
})
