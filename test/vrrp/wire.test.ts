import fc from 'fast-check'
import t from 'tap'
import {
  decodeAdvertisementV2,
  encodeAdvertisementV2,
  encodePassword
} from '../../src/vrrp/wire/advertisement-v2.js'
import { encodeGratuitousArp, parseMac } from '../../src/vrrp/wire/arp.js'
import { internetChecksum } from '../../src/vrrp/wire/checksum.js'
import { decodeIpv4, encodeVrrpPacket, ipv4ToNumber } from '../../src/vrrp/wire/ipv4.js'
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

t.test(
  'an advertisement equals the one that keepalived 2.2.7 sends, but for the IP checksum',
  (t) => {
    const packet = encodeVrrpPacket('192.168.64.130', 1, encodeSeed(100))
    const expected = golden.slice()
    expected.set([0, 0], 10) // left to the kernel
    t.equal(toHex(packet), toHex(expected))
    t.end()
  }
)

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
      decodeIpv4(bytes)
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

t.test('padding of a short Ethernet frame is not part of the packet', (t) => {
  const padded = new Uint8Array(46)
  padded.set(golden)
  t.equal(decodeIpv4(padded)?.payload.length, 20)
  t.equal(decodeIpv4(golden.slice(0, 39)), null, 'cut short')
  t.end()
})

t.test('addresses are ordered as numbers, not as text', (t) => {
  t.equal(ipv4ToNumber('192.168.64.9'), 3232251913)
  t.equal(ipv4ToNumber('255.255.255.255'), 4294967295)
  t.end()
})

t.test('a gratuitous ARP equals the one that keepalived 2.2.7 sends', (t) => {
  const frame = encodeGratuitousArp(parseMac('02:00:c0:a8:40:82'), '192.168.64.200')
  t.equal(toHex(frame), toHex(readGolden('gratuitous-arp')))
  t.end()
})
