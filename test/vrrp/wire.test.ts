import fc from 'fast-check'
import t from 'tap'
import {
  decodeAdvertisementV2,
  encodeAdvertisementV2,
  encodePassword
} from '../../src/vrrp/wire/advertisement-v2.js'
import {
  decodeAdvertisementV3,
  encodeAdvertisementV3,
  type AdvertisementV3
} from '../../src/vrrp/wire/advertisement-v3.js'
import { encodeGratuitousArp, parseMac } from '../../src/vrrp/wire/arp.js'
import { internetChecksum } from '../../src/vrrp/wire/checksum.js'
import { canonicalAddress, compareAddresses } from '../../src/vrrp/wire/address.js'
import { decodeIpHeader } from '../../src/vrrp/wire/ip-header.js'
import { ipv4ToNumber } from '../../src/vrrp/wire/ipv4.js'
import { readGolden, toHex } from './golden.js'

const golden = readGolden('advertisement-100')

function encodeSeed(priority: number): Uint8Array {
  return encodeAdvertisementV2({
    vrid: 51,
    priority,
    authType: 1,
    adverIntSeconds: 1,
    addresses: ['192.168.64.200'],
    authData: encodePassword('123456')
  })
}

t.test('keepalived 2.2.7: checksums of the priorities 100, 90, 80, 70 and 0', (t) => {
  const checksums = [100, 90, 80, 70, 0].map((priority) => toHex(encodeSeed(priority).slice(6, 8)))
  t.same(checksums, ['debc', 'e8bc', 'f2bc', 'fcbc', '42bd'])
  t.end()
})

t.test('RFC 3768 §5.3: decoding gives back every field', (t) => {
  t.match(decodeAdvertisementV2(golden.slice(20)), {
    vrid: 51,
    priority: 100,
    authType: 1,
    adverIntSeconds: 1,
    addresses: ['192.168.64.200']
  })
  t.end()
})

t.test('several addresses keep their order, and no password is eight zeros', (t) => {
  const message = encodeAdvertisementV2({
    vrid: 7,
    priority: 254,
    authType: 0,
    adverIntSeconds: 255,
    addresses: ['10.0.0.1', '10.0.0.3', '10.0.0.2'],
    authData: new Uint8Array(8)
  })
  t.equal(
    toHex(message).replace(toHex(message.slice(6, 8)), '....'),
    '2107fe0300ff....0a0000010a0000030a0000020000000000000000'
  )
  t.equal(internetChecksum(message), 0)
  t.end()
})

t.test('keepalived: a password is cut to 8 bytes', (t) => {
  t.equal(toHex(encodePassword('0123456789')), '3031323334353637')
  t.end()
})

t.test('every proper prefix of an advertisement is a discard', (t) => {
  const message = golden.slice(20)
  for (let length = 0; length < message.length; length++) {
    t.equal(decodeAdvertisementV2(message.slice(0, length)), 'length', `${length} bytes`)
  }
  t.equal(decodeAdvertisementV2(Uint8Array.of(...message, 0)), 'length', 'one byte too many')
  t.end()
})

t.test('random bytes never throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1200 }), (bytes) => {
      decodeAdvertisementV2(bytes)
      decodeAdvertisementV3(bytes, 'ipv4')
      decodeAdvertisementV3(bytes, 'ipv6')
      decodeIpHeader(bytes)
      return true
    })
  )
  t.pass()
  t.end()
})

t.test('what is encoded decodes to the same', (t) => {
  const advertisement = fc.record({
    vrid: fc.integer({ min: 1, max: 255 }),
    priority: fc.integer({ min: 0, max: 255 }),
    authType: fc.constantFrom(0, 1),
    adverIntSeconds: fc.integer({ min: 1, max: 255 }),
    addresses: fc.array(fc.ipV4(), { minLength: 1, maxLength: 255 }),
    authData: fc.uint8Array({ minLength: 8, maxLength: 8 })
  })
  fc.assert(
    fc.property(advertisement, (value) => {
      const decoded = decodeAdvertisementV2(encodeAdvertisementV2(value))
      return JSON.stringify(decoded) === JSON.stringify(value)
    })
  )
  t.pass()
  t.end()
})

t.test('what is encoded as VRRPv3 decodes to the same', (t) => {
  const advertisement = (address: fc.Arbitrary<string>): fc.Arbitrary<AdvertisementV3> =>
    fc.record({
      vrid: fc.integer({ min: 1, max: 255 }),
      priority: fc.integer({ min: 0, max: 255 }),
      adverIntCentiseconds: fc.integer({ min: 0, max: 4095 }),
      addresses: fc.array(address, { maxLength: 255 })
    })
  for (const [family, address] of [
    ['ipv4', fc.ipV4()],
    ['ipv6', fc.ipV6().map(canonicalAddress)]
  ] as const) {
    fc.assert(
      fc.property(advertisement(address), (value) => {
        const decoded = decodeAdvertisementV3(encodeAdvertisementV3(value, family), family)
        return JSON.stringify(decoded) === JSON.stringify(value)
      })
    )
  }
  t.pass()
  t.end()
})

t.test('RFC 5952 §4: an IPv6 address has one text', (t) => {
  const texts: Readonly<Record<string, string>> = {
    '2001:0DB8:0:0:0:0:0:1': '2001:db8::1',
    '2001:db8::0:1': '2001:db8::1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1', // one zero group stays
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1', // the longest run
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1', // of two the first
    'ff02::12': 'ff02::12',
    '0:0:0:0:0:0:0:0': '::',
    '1::': '1::',
    '::1': '::1',
    '1:2:3:4:5:6:7:8': '1:2:3:4:5:6:7:8',
    '::ffff:c000:201': '::ffff:192.0.2.1',
    '::FFFF:192.0.2.1': '::ffff:192.0.2.1',
    '192.0.2.1': '192.0.2.1'
  }
  for (const [given, expected] of Object.entries(texts)) t.equal(canonicalAddress(given), expected)
  t.end()
})

t.test('the text of an IPv6 address is the one that the platform writes', (t) => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      // A URL writes every group in hexadecimal, and the same otherwise.
      const canonical = canonicalAddress(address)
      if (canonical.includes('.')) return true
      return new URL(`http://[${address}]/`).hostname === `[${canonical}]`
    })
  )
  t.pass()
  t.end()
})

t.test('IP headers: a header cut short, or of another version, is none', (t) => {
  t.match(decodeIpHeader(golden), { family: 'ipv4', totalLength: 40, ttl: 255, protocol: 112 })
  const ipv6 = readGolden('v3-ipv6')
  t.match(decodeIpHeader(ipv6), { family: 'ipv6', totalLength: 80, ttl: 255, protocol: 112 })
  t.equal(decodeIpHeader(golden.slice(0, 19)), null)
  t.equal(decodeIpHeader(ipv6.slice(0, 39)), null)
  t.equal(decodeIpHeader(Uint8Array.of(0x44, ...golden.slice(1))), null, 'shorter than 20 bytes')
  t.equal(decodeIpHeader(Uint8Array.of(0x55, ...golden.slice(1))), null)
  t.equal(decodeIpHeader(new Uint8Array(0)), null)
  t.end()
})

t.test('addresses are ordered as numbers, not as text', (t) => {
  t.equal(ipv4ToNumber('192.168.64.9'), 3232251913)
  t.equal(ipv4ToNumber('255.255.255.255'), 4294967295)
  t.ok(compareAddresses('192.168.64.9', '192.168.64.130') < 0)
  t.ok(compareAddresses('200.0.0.0', '192.168.64.130') > 0)
  t.ok(compareAddresses('fe80::9', 'fe80::10') < 0)
  t.ok(compareAddresses('fe80::1:0', 'fe80::ffff') > 0)
  t.equal(compareAddresses('fe80:0::1', 'fe80::1'), 0)
  t.end()
})

t.test('a gratuitous ARP equals the one that keepalived 2.2.7 sends', (t) => {
  const frame = encodeGratuitousArp(parseMac('02:00:c0:a8:40:82'), '192.168.64.200')
  t.equal(toHex(frame), toHex(readGolden('gratuitous-arp')))
  t.end()
})
