import t from 'tap'
import { summarize } from '../../src/vrrp/summary.js'
import { readGolden } from './golden.js'

t.test('what keepalived 2.2.7 sends in VRRPv2, without the password itself', (t) => {
  const summary = summarize(readGolden('advertisement-100'))
  t.strictSame(summary, {
    family: 'ipv4',
    source: '192.168.64.130',
    destination: '224.0.0.18',
    ttl: 255,
    version: 2,
    type: 1,
    vrid: 51,
    priority: 100,
    adverInterval: 1000,
    authType: 1,
    hasPassword: true,
    hasAuthenticationHeader: false,
    hmacKeyId: null,
    addresses: ['192.168.64.200'],
    isWhole: true,
    checksum: { plain: true, pseudoHeader: false }
  })
  t.match(summarize(readGolden('v2-none')), { authType: 0, hasPassword: false })
  t.end()
})

t.test('VRRPv3 over IPv4: which form of the checksum is right', (t) => {
  t.match(summarize(readGolden('v3-ipv4')), {
    version: 3,
    adverInterval: 250,
    authType: null,
    checksum: { plain: false, pseudoHeader: true }
  })
  t.match(summarize(readGolden('v3-ipv4-plain-checksum')), {
    checksum: { plain: true, pseudoHeader: false }
  })
  t.end()
})

t.test('VRRPv3 over IPv6, and HMAC with its key', (t) => {
  t.match(summarize(readGolden('v3-ipv6-hmac')), {
    family: 'ipv6',
    source: 'fe80::c0ff:fea8:4082',
    destination: 'ff02::12',
    hmacKeyId: 7,
    addresses: ['fe80::64:200', '2001:db8:64::200'],
    checksum: { pseudoHeader: true }
  })
  t.match(summarize(readGolden('v2-hmac')), { hmacKeyId: 7, authType: 0, hasPassword: false })
  t.end()
})

t.test('a packet that is cut short says as much as it has; padding says nothing', (t) => {
  const packet = readGolden('v2-pass-three-addresses')
  t.match(summarize(packet.slice(0, 33)), {
    vrid: 51,
    addresses: ['192.168.64.202'],
    isWhole: false,
    hasPassword: false
  })
  const padded = new Uint8Array(46)
  padded.set(readGolden('v3-ipv4'))
  t.match(summarize(padded), { isWhole: true, checksum: { pseudoHeader: true } })
  t.end()
})

t.test('an Authentication Header is looked through', (t) => {
  const packet = readGolden('v2-none')
  const header = new Uint8Array(24)
  const wrapped = Uint8Array.of(...packet.slice(0, 20), ...header, ...packet.slice(20))
  wrapped.set([0, 64], 2)
  wrapped[9] = 51
  t.match(summarize(wrapped), { vrid: 7, hasAuthenticationHeader: true, isWhole: true })
  t.end()
})

t.test('what is no VRRP, or too short for its header, is nothing', (t) => {
  const packet = readGolden('v3-ipv4')
  const udp = packet.slice()
  udp[9] = 17
  t.equal(summarize(udp), null)
  for (let length = 0; length < 28; length++) t.equal(summarize(packet.slice(0, length)), null)
  t.end()
})

t.test('every prefix and every changed byte of every kind can be read', (t) => {
  for (const file of ['advertisement-100', 'v2-hmac', 'v3-ipv4', 'v3-ipv6', 'v3-ipv6-hmac']) {
    const packet = readGolden(file)
    for (let at = 0; at < packet.length; at++) {
      summarize(packet.slice(0, at))
      for (let value = 0; value < 256; value++) {
        const changed = packet.slice()
        changed[at] = value
        summarize(changed)
      }
    }
  }
  t.pass()
  t.end()
})
