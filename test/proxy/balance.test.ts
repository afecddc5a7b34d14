import t from 'tap'
import { Ring } from '../../src/proxy/upstream/consistent-hash.js'
import { crc32 } from '../../src/proxy/upstream/crc32.js'
import { addressBytes, pickByAddress, placeOfAddress } from '../../src/proxy/upstream/ip-hash.js'
import { pickByKey, placeOfHash } from '../../src/proxy/upstream/key-hash.js'
import { pickLeastConn } from '../../src/proxy/upstream/least-conn.js'
import { pickRandomTwo } from '../../src/proxy/upstream/random-two.js'
import { pick } from '../../src/proxy/upstream/round-robin.js'
import { shareAfter } from '../../src/proxy/upstream/slow-start.js'

interface TestPeer {
  readonly name: string
  readonly server: { readonly writtenAs: string }
  readonly weight: number
  effectiveWeight: number
  currentWeight: number
  share: number
  active: number
}

function peersOf(...weights: number[]): TestPeer[] {
  return weights.map((weight, i) => ({
    name: 'abcdef'.charAt(i),
    server: { writtenAs: `192.0.2.${i + 1}:80` },
    weight,
    effectiveWeight: weight,
    currentWeight: 0,
    share: 1,
    active: 0
  }))
}

const anyone = (): boolean => true
const all =
  (without: string) =>
  (peer: TestPeer): boolean =>
    !without.includes(peer.name)

t.test('nginx least_conn: fewest active requests for the weight', (t) => {
  const table: [weights: number[], active: number[], without: string, picked: number][] = [
    [[1, 1], [1, 0], '', 1],
    [[1, 1, 1], [2, 1, 3], '', 1],
    [[3, 1], [2, 1], '', 0],
    [[3, 1], [4, 1], '', 1],
    [[1, 1], [1, 0], 'b', 0],
    [[1, 1], [0, 0], 'ab', -1]
  ]
  for (const [weights, active, without, picked] of table) {
    const peers = peersOf(...weights)
    for (const [i, peer] of peers.entries()) peer.active = active[i] ?? 0
    t.equal(pickLeastConn(peers, all(without)), picked, `${weights.join()} ${active.join()}`)
  }
  t.end()
})

t.test(
  'nginx least_conn: those that are equal take turns by weight, the others gain nothing',
  (t) => {
    const peers = peersOf(2, 1, 1)
    const [, , busy] = peers
    if (busy === undefined) throw new Error('no peer')
    busy.active = 1
    let names = ''
    for (let i = 0; i < 6; i++) names += peers[pickLeastConn(peers, anyone)]?.name ?? '-'
    t.equal(names, 'abaaba')
    t.equal(busy.currentWeight, 0)
    t.end()
  }
)

t.test('a server that starts slowly counts as busier than it is', (t) => {
  const peers = peersOf(1, 1)
  const [fresh, old] = peers
  if (fresh === undefined || old === undefined) throw new Error('no peer')
  fresh.share = 0.1
  old.active = 8
  t.equal(pickLeastConn(peers, anyone), 1, 'an idle one at a tenth is like one with 9 requests')
  old.active = 10
  t.equal(pickLeastConn(peers, anyone), 0)
  t.end()
})

t.test('round robin gives a server that starts slowly its share of the requests', (t) => {
  const peers = peersOf(1, 1)
  const [fresh] = peers
  if (fresh === undefined) throw new Error('no peer')
  fresh.share = 0.25
  let count = 0
  for (let i = 0; i < 100; i++) if (pick(peers, anyone) === 0) count++
  t.equal(count, 20, 'a quarter of one to one')
  t.end()
})

t.test('slow start: the share grows evenly to 1 and is never nothing', (t) => {
  const table: [elapsedMs: number, slowStartMs: number, share: number][] = [
    [0, 30_000, 0.01],
    [15_000, 30_000, 0.5],
    [30_000, 30_000, 1],
    [Infinity, 30_000, 1],
    [0, 0, 1]
  ]
  for (const [elapsedMs, slowStartMs, share] of table) {
    t.equal(shareAfter(elapsedMs, slowStartMs), share, `${elapsedMs} of ${slowStartMs}`)
  }
  t.end()
})

t.test('nginx random two: the less busy of two that are drawn by weight', (t) => {
  const drawn = (...points: number[]): (() => number) => {
    let i = 0
    return () => points[i++] ?? 0
  }
  const peers = peersOf(1, 2, 1)
  const [a, b] = peers
  if (a === undefined || b === undefined) throw new Error('no peer')
  t.equal(pickRandomTwo(peers, anyone, drawn(0, 0.9)), 2, 'equal: the second')
  b.active = 1
  t.equal(pickRandomTwo(peers, anyone, drawn(0, 0.3)), 0)
  a.active = 1
  t.equal(pickRandomTwo(peers, anyone, drawn(0, 0.3)), 1, 'one of weight 2 is half as busy')
  t.equal(pickRandomTwo(peers, anyone, drawn(0, 0.1, 0.2, 0.9)), 2, 'the same again is no draw')
  t.equal(pickRandomTwo(peers, all('a'), drawn(0, 0, 0.3, 0.9)), 2, 'nor one that is out')
  t.equal(
    pickRandomTwo(peers, all('bc'), () => 0),
    -1,
    'one alone is left to round robin'
  )
  t.end()
})

t.test('crc32 is that of zlib, in one piece or two', (t) => {
  t.equal(crc32(''), 0)
  t.equal(crc32('123456789'), 0xcbf43926)
  t.equal(crc32('456789', crc32('123')), 0xcbf43926)
  t.equal(crc32('\xe4\xff'), 0x56c9cb9a)
  t.end()
})

t.test('ip_hash: the bytes of an address', (t) => {
  const table: [address: string, bytes: number[]][] = [
    ['192.0.2.77', [192, 0, 2]],
    ['', [0, 0, 0]],
    ['::1', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['2001:db8::a:b', [32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 11]],
    ['fe80::1%eth0', [254, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['1:2:3:4:5:6:7:8', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ['64:ff9b::192.0.2.1', [0, 100, 255, 155, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]]
  ]
  for (const [address, bytes] of table) t.strictSame(addressBytes(address), bytes, address)
  t.end()
})

t.test('ip_hash: a network keeps its server, and comes back to it', (t) => {
  const peers = peersOf(1, 1, 1)
  const at = (address: string, without = ''): number =>
    pickByAddress(peers, all(without), addressBytes(address), placeOfAddress())
  const own = at('198.51.100.1')
  t.equal(at('198.51.100.254'), own, 'the last byte does not count')
  const name = peers[own]?.name ?? ''
  const other = at('198.51.100.1', name)
  t.not(other, own, 'another one while it is out')
  t.equal(at('198.51.100.1', name), other, 'and always the same')
  t.equal(at('198.51.100.1'), own)
  t.equal(at('198.51.100.1', 'abc'), -1)
  t.end()
})

t.test('hash: the same key has the same server, by weight; an empty key has none', (t) => {
  const peers = peersOf(1, 3)
  const at = (key: string): number => pickByKey(peers, anyone, key, placeOfHash())
  let heavy = 0
  for (let i = 0; i < 4000; i++) if (at(`/page/${i}`) === 1) heavy++
  t.ok(heavy > 2800 && heavy < 3200, `${heavy} of 4000 at three quarters of the weight`)
  t.equal(at('/page/1'), at('/page/1'))
  t.equal(at(''), -1)
  t.end()
})

t.test('hash consistent: when a server goes only its keys move', (t) => {
  const peers = peersOf(1, 1, 1, 1)
  const before = new Ring(peers)
  const after = new Ring(peers.slice(0, 3))
  const at = (ring: Ring<TestPeer>, key: string): string =>
    ring.pick(anyone, ring.placeOf(key))?.name ?? '-'
  let moved = 0
  for (let i = 0; i < 1000; i++) {
    const [first, second] = [at(before, `/page/${i}`), at(after, `/page/${i}`)]
    if (first === 'd') moved++
    else t.equal(second, first)
  }
  t.ok(moved > 150 && moved < 350, `${moved} of 1000 were its own`)
  t.end()
})

t.test('hash consistent: servers that are written alike share their keys in turn', (t) => {
  const peers = peersOf(1, 1).map((peer) => ({ ...peer, server: { writtenAs: '192.0.2.1' } }))
  const ring = new Ring(peers)
  const names = [1, 2, 3, 4].map(() => ring.pick(anyone, ring.placeOf('key'))?.name)
  t.strictSame(names, ['a', 'b', 'a', 'b'])
  t.equal(
    ring.pick(() => false, ring.placeOf('key')),
    null
  )
  t.end()
})
