import t from 'tap'
import { encodeAdvertisement } from '../../src/vrrp/send.js'
import { FLIPS } from './golden-flips.js'
import { GOLDEN, listenerOf, type Golden } from './golden-routers.js'
import { readGolden, toHex } from './golden.js'
import { judge, verdictOf } from './verdict.js'

/** The intervals of the golden packets that are not 1 s. */
const INTERVALS: Readonly<Record<string, number>> = {
  'v2-none': 2000,
  'v3-ipv4': 250,
  'v3-ipv4-resigns': 4050
}
const PRIORITIES: Readonly<Record<string, number>> = { 'v2-none': 150, 'v3-ipv4-resigns': 0 }

/** What the kernel writes into a packet of keepalived: the IPv4 header checksum, the IPv6 flow label. */
function withoutKernel(packet: Uint8Array): Uint8Array {
  const copy = packet.slice()
  const isIpv4 = (copy[0] ?? 0) >>> 4 === 4
  copy.set(isIpv4 ? [0, 0] : [0, 0, 0], isIpv4 ? 10 : 1)
  return copy
}

t.test('our encoder makes every packet of keepalived, byte for byte', (t) => {
  for (const { file, router, sent } of GOLDEN) {
    t.equal(toHex(encodeAdvertisement(router, sent)), toHex(withoutKernel(readGolden(file))), file)
  }
  t.end()
})

t.test('our ladder accepts every packet of keepalived', (t) => {
  for (const golden of GOLDEN) {
    const { file, router } = golden
    t.same(
      judge(listenerOf(golden), readGolden(file)),
      {
        ok: true,
        priority: PRIORITIES[file] ?? 100,
        source: router.family === 'ipv4' ? '192.168.64.130' : 'fe80::c0ff:fea8:4082',
        adverInterval: INTERVALS[file] ?? 1000,
        sameAddresses: true
      },
      file
    )
  }
  t.end()
})

t.test('every bit flipped once gives its listed verdict', (t) => {
  for (const golden of GOLDEN) {
    const expected = readFlips(FLIPS[golden.file] ?? '')
    const packet = readGolden(golden.file)
    t.equal(expected.length, packet.length, `${golden.file}: all its bytes are listed`)
    const listener = listenerOf(golden)
    expected.forEach((verdicts, at) => {
      const found = verdicts.map((_, bit) => {
        const flipped = packet.slice()
        flipped[at] = (flipped[at] ?? 0) ^ (0x80 >>> bit)
        return verdictOf(listener, flipped)
      })
      if (found.join() !== verdicts.join()) t.same(found, verdicts, `${golden.file}, byte ${at}`)
    })
  }
  t.end()
})

/** For each byte the verdicts of its eight bits. */
function readFlips(text: string): string[][] {
  return text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [range = '', ...verdicts] = line.trim().split(' ')
      const [from = 0, to = from] = range.split('-').map(Number)
      const [first = ''] = verdicts
      const bits = verdicts.length === 8 ? verdicts : Array<string>(8).fill(first)
      return Array.from({ length: to - from + 1 }, () => bits)
    })
}

t.test('every byte inverted is a discard wherever a check looks at it', (t) => {
  // TOS, identification, fragment and the header checksum of IPv4, traffic class and flow label of IPv6.
  const unread4 = [1, 4, 5, 6, 7, 10, 11]
  const unread6 = [1, 2, 3]
  for (const golden of GOLDEN) {
    const { file, router } = golden
    const packet = readGolden(file)
    const unread = router.family === 'ipv4' ? unread4 : unread6
    const accepted = Array.from(packet.keys()).filter((at) => {
      const inverted = packet.slice()
      inverted[at] = (inverted[at] ?? 0) ^ 0xff
      return judge(listenerOf(golden), inverted).ok
    })
    const isUnicast = router.destination.kind === 'unicast'
    // By unicast any TTL will do; without a pseudo-header anybody may be the master.
    const ttl = isUnicast ? [router.family === 'ipv4' ? 8 : 7] : []
    const hasNoPseudoHeader = router.version === 2 || !router.checksumPseudoHeader
    const isOpen = hasNoPseudoHeader && !isUnicast && router.authentication.type !== 'hmac'
    const source = isOpen ? [12, 13, 14, 15] : []
    const expected = [...unread, ...ttl, ...source].sort((a, b) => a - b)
    t.same(accepted, expected, file)
  }
  t.end()
})

t.test('every proper prefix is a discard', (t) => {
  for (const golden of GOLDEN) {
    const packet = readGolden(golden.file)
    for (let length = 0; length < packet.length; length++) {
      const found = verdictOf(listenerOf(golden), packet.slice(0, length))
      const expected = verdictOfPrefix(golden, packet.length, length)
      if (found !== expected) t.equal(found, expected, `${golden.file}, ${length} bytes`)
    }
  }
  t.end()
})

function verdictOfPrefix({ router }: Golden, full: number, length: number): string {
  const headerLength = router.family === 'ipv4' ? 20 : 40
  if (length < headerLength) return 'ip-header'
  if (length < headerLength + 8) return 'short'
  if (router.authentication.type !== 'hmac') return 'length'
  // What is left is an advertisement without a trailer, perhaps with padding.
  const message = full - 28
  const isWhole = length === message || (length > message && [34, 38, 42, 46].includes(length))
  return isWhole ? 'hmac-missing' : 'length'
}

t.test('a frame that is padded to 60 bytes is accepted, with and without VLAN tags', (t) => {
  for (const golden of GOLDEN) {
    const packet = readGolden(golden.file)
    if (packet.length >= 46) continue
    for (const length of [46, 42, 38]) {
      if (length <= packet.length) continue
      const padded = new Uint8Array(length)
      padded.set(packet)
      t.equal(verdictOf(listenerOf(golden), padded), 'accepted', `${golden.file}, ${length} bytes`)
    }
  }
  t.end()
})

t.test('any other number of bytes too many is a discard', (t) => {
  for (const golden of GOLDEN.filter(({ router }) => router.family === 'ipv4')) {
    const packet = readGolden(golden.file)
    for (let length = packet.length + 1; length <= packet.length + 100; length++) {
      if (length <= 46 && (46 - length) % 4 === 0) continue
      const longer = new Uint8Array(length)
      longer.set(packet)
      const found = verdictOf(listenerOf(golden), longer)
      if (found !== 'length') t.equal(found, 'length', `${golden.file}, ${length} bytes`)
    }
  }
  t.end()
})

t.test('bytes behind the payload of IPv6 are not looked at, as the kernel does not', (t) => {
  for (const golden of GOLDEN.filter(({ router }) => router.family === 'ipv6')) {
    const packet = readGolden(golden.file)
    t.equal(verdictOf(listenerOf(golden), Uint8Array.of(...packet, 1, 2, 3)), 'accepted')
  }
  t.end()
})
