import fc from 'fast-check'
import t from 'tap'
import {
  decodeArp,
  encodeArpProbe,
  encodeArpRequest,
  encodeGratuitousArp,
  parseMac
} from '../../src/vrrp/wire/arp.js'
import { canonicalAddress } from '../../src/vrrp/wire/address.js'
import { readIpv6, writeIpv6 } from '../../src/vrrp/wire/ipv6.js'
import {
  decodeNeighbour,
  encodeNeighbourProbe,
  encodeNeighbourSolicitation,
  encodeUnsolicitedNa
} from '../../src/vrrp/wire/ndisc.js'
import { readGolden, toHex } from './golden.js'

const MAC = '02:00:c0:a8:40:82'
const mac = parseMac(MAC)

t.test('a neighbour advertisement equals the one that keepalived 2.2.7 sends', (t) => {
  const host = encodeUnsolicitedNa(mac, '2001:db8::c8', false)
  t.equal(toHex(host), toHex(readGolden('neighbour-advertisement')), 'a machine that is a host')
  const router = encodeUnsolicitedNa(mac, 'fe80::c8', true)
  t.equal(toHex(router), toHex(readGolden('neighbour-advertisement-router')), 'and one that routes')
  t.end()
})

t.test('what keepalived 2.2.7 announces is understood', (t) => {
  t.strictSame(decodeArp(readGolden('gratuitous-arp')), {
    isReply: false,
    from: MAC,
    to: 'ff:ff:ff:ff:ff:ff',
    senderMac: MAC,
    senderAddress: '192.168.64.200',
    targetMac: 'ff:ff:ff:ff:ff:ff',
    targetAddress: '192.168.64.200'
  })
  t.strictSame(decodeNeighbour(readGolden('neighbour-advertisement')), {
    kind: 'advertisement',
    from: MAC,
    to: '33:33:00:00:00:01',
    source: '2001:db8::c8',
    destination: 'ff02::1',
    target: '2001:db8::c8',
    isSolicited: false,
    linkAddress: MAC
  })
  t.end()
})

t.test('RFC 5227 §2.1.1: a probe has no sender address, and no target hardware address', (t) => {
  t.equal(
    toHex(encodeArpProbe(mac, '192.168.64.200')),
    'ffffffffffff0200c0a8408208060001080006040001' + '0200c0a84082000000000000000000' + '00c0a840c8'
  )
  t.end()
})

t.test('RFC 826: a question from the virtual address tells our hardware address', (t) => {
  t.match(decodeArp(encodeArpRequest(mac, '192.168.64.200', '192.168.64.1')), {
    isReply: false,
    senderMac: MAC,
    senderAddress: '192.168.64.200',
    targetMac: '00:00:00:00:00:00',
    targetAddress: '192.168.64.1'
  })
  t.end()
})

t.test('RFC 4861 §7.2.2: a question goes to the solicited-node group of its target', (t) => {
  const frame = encodeNeighbourSolicitation(mac, '2001:db8::c8', '2001:db8::12:3456')
  t.strictSame(decodeNeighbour(frame), {
    kind: 'solicitation',
    from: MAC,
    to: '33:33:ff:12:34:56',
    source: '2001:db8::c8',
    destination: 'ff02::1:ff12:3456',
    target: '2001:db8::12:3456',
    isSolicited: false,
    linkAddress: MAC
  })
  t.end()
})

t.test('RFC 4862 §5.4.2: a probe comes from nobody and tells no hardware address', (t) => {
  const frame = encodeNeighbourProbe(mac, 'fe80::c8')
  t.equal(frame.length, 78)
  t.match(decodeNeighbour(frame), { source: '::', target: 'fe80::c8', linkAddress: null })
  t.end()
})

t.test('every proper prefix of a frame is discarded', (t) => {
  const arp = encodeGratuitousArp(mac, '192.168.64.200')
  for (let length = 0; length < arp.length; length++)
    t.equal(decodeArp(arp.slice(0, length)), null, `ARP, ${length} bytes`)
  const na = readGolden('neighbour-advertisement')
  for (let length = 0; length < na.length; length++)
    t.equal(decodeNeighbour(na.slice(0, length)), null, `neighbour, ${length} bytes`)
  t.end()
})

t.test('a neighbour message with one bit turned is discarded, or says nothing else', (t) => {
  const golden = readGolden('neighbour-advertisement')
  const meaning = JSON.stringify(decodeNeighbour(golden)).replace(/"(from|to)":"[^"]*",/g, '')
  for (let bit = 0; bit < golden.length * 8; bit++) {
    const frame = golden.slice()
    frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const decoded = decodeNeighbour(frame)
    if (decoded === null) continue
    const found = JSON.stringify(decoded).replace(/"(from|to)":"[^"]*",/g, '')
    t.equal(found, meaning, `bit ${bit}`)
  }
  t.end()
})

t.test('options of length 0, and longer than the message, are discarded', (t) => {
  for (const length of [0, 2]) {
    const frame = readGolden('neighbour-advertisement').slice()
    const checksum = ((frame[56] ?? 0) << 8) + (frame[57] ?? 0) - (length - 1)
    frame.set([checksum >> 8, checksum & 0xff], 56)
    frame[79] = length
    t.equal(decodeNeighbour(frame), null, `length ${length}`)
  }
  t.end()
})

t.test('padding of a short frame is not part of it', (t) => {
  const padded = new Uint8Array(60)
  padded.set(encodeGratuitousArp(mac, '192.168.64.200'))
  t.equal(decodeArp(padded)?.senderAddress, '192.168.64.200')
  const longer = new Uint8Array(100).fill(0xff)
  longer.set(readGolden('neighbour-advertisement'))
  t.equal(decodeNeighbour(longer)?.target, '2001:db8::c8')
  t.end()
})

t.test('random bytes never throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeArp(bytes)
      decodeNeighbour(bytes)
      const frame = readGolden('neighbour-advertisement').slice()
      frame.set(bytes.subarray(0, 32), 54)
      decodeNeighbour(frame)
      return true
    })
  )
  t.pass()
  t.end()
})

t.test('RFC 5952 §4: one form for every IPv6 address', (t) => {
  const forms = {
    '::': '::',
    '::1': '::1',
    'FE80::C8': 'fe80::c8',
    '2001:0db8:0000:0000:0000:0000:0000:00c8': '2001:db8::c8',
    '2001:db8:0:1:0:0:0:1': '2001:db8:0:1::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
    '::ffff:192.168.64.200': '::ffff:192.168.64.200',
    '192.168.064.200': '192.168.64.200'
  }
  for (const [written, expected] of Object.entries(forms))
    t.equal(canonicalAddress(written), expected)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const back = new Uint8Array(16)
      writeIpv6(back, 0, readIpv6(bytes, 0))
      return toHex(back) === toHex(bytes)
    })
  )
  t.end()
})
