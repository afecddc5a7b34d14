import t from 'tap'
import type { Destination, VirtualRouter } from '../../src/vrrp/model.js'
import { receive } from '../../src/vrrp/receive.js'
import { encodeAdvertisement } from '../../src/vrrp/send.js'
import { ReplayMemory } from '../../src/vrrp/stamp.js'
import { internetChecksum } from '../../src/vrrp/wire/checksum.js'
import { CAPTURED_AT, GOLDEN, HMAC, hmacKey, listenerOf, type Golden } from './golden-routers.js'
import { readGolden } from './golden.js'
import { PAIR_MASTER } from './router.js'
import { judge, verdictOf as verdict } from './verdict.js'

const golden = readGolden('advertisement-100')
const backup: VirtualRouter = { ...PAIR_MASTER, primaryAddress: '192.168.64.134' }
const open: VirtualRouter = { ...backup, authentication: { type: 'none' } }
const v3: VirtualRouter = { ...open, version: 3 }
const signed: VirtualRouter = { ...backup, authentication: HMAC }

const verdictOf = (packet: Uint8Array, router = backup): string => verdict(router, packet)

/** The packet with some bytes changed, and its VRRP checksum made right again. */
function changed(changes: Readonly<Record<number, number>>, original = golden): Uint8Array {
  const packet = original.slice()
  for (const [at, value] of Object.entries(changes)) packet[Number(at)] = value
  packet.set([0, 0], 26)
  const checksum = internetChecksum(packet.slice(20))
  packet.set([checksum >>> 8, checksum & 0xff], 26)
  return packet
}

function named(file: string): Golden {
  const found = GOLDEN.find((each) => each.file === file)
  if (!found) throw new Error(`there is no golden packet ${file}`)
  return found
}

t.test('the advertisement of keepalived 2.2.7 is accepted', (t) => {
  t.same(judge(backup, golden), {
    ok: true,
    priority: 100,
    source: '192.168.64.130',
    adverInterval: 1000,
    sameAddresses: true
  })
  t.end()
})

t.test('RFC 3768 §7.1: each check discards for its own reason', (t) => {
  t.equal(verdictOf(changed({ 8: 254 })), 'ttl')
  t.equal(verdictOf(changed({ 9: 2 })), 'protocol')
  t.equal(verdictOf(changed({ 20: 0x22 })), 'type')
  t.equal(verdictOf(changed({ 21: 52 })), 'vrid')
  t.equal(verdictOf(changed({ 24: 0 })), 'auth-type')
  t.equal(verdictOf(changed({ 24: 2 })), 'auth-type')
  t.equal(verdictOf(changed({ 24: 3 })), 'auth-type-unknown')
  t.equal(verdictOf(changed({ 39: 1 })), 'auth-data', 'all 8 bytes are compared')
  t.equal(verdictOf(changed({ 25: 2 })), 'interval')
  t.equal(verdictOf(changed({ 19: 22 })), 'destination')
  t.equal(verdictOf(changed({ 15: 134 })), 'own-address')
  t.equal(verdictOf(changed({ 0: 0x46 })), 'vrid', 'IP options shift the message')
  t.end()
})

t.test('IP options before the message are skipped', (t) => {
  const packet = Uint8Array.of(...golden.slice(0, 20), 1, 1, 1, 1, ...golden.slice(20))
  packet.set([0x46, 0xc0, 0, 44], 0)
  t.equal(verdictOf(packet), 'accepted')
  t.end()
})

t.test('keepalived: where several checks fail, the first of the ladder names the reason', (t) => {
  // From the last check to the first: each packet fails one more than the one before.
  const broken = golden.slice()
  const faults: readonly [number, number, string][] = [
    [19, 22, 'destination'],
    [22, 99, 'checksum'],
    [3, 36, 'ip-length'],
    [20, 0x22, 'type'],
    [25, 9, 'interval'],
    [39, 1, 'auth-data'],
    [24, 0, 'auth-type'],
    [24, 9, 'auth-type-unknown'],
    [8, 1, 'ttl'],
    [23, 2, 'length'],
    [15, 134, 'own-address'],
    [21, 1, 'vrid'],
    [9, 6, 'protocol'],
    [0, 0x6f, 'ip-version']
  ]
  for (const [at, value, reason] of faults) {
    broken[at] = value
    t.equal(verdictOf(broken), reason)
  }
  t.end()
})

t.test(
  'a VRRPv3 advertisement for a VRRPv2 router is of the wrong version, and the reverse',
  (t) => {
    t.equal(verdictOf(readGolden('v3-ipv4')), 'version')
    t.equal(verdictOf(golden, v3), 'version')
    t.end()
  }
)

t.test('IPv6 for a router of IPv4 is of the wrong IP version, and the reverse', (t) => {
  t.equal(verdictOf(readGolden('v3-ipv6'), v3), 'ip-version')
  t.equal(verdictOf(golden, listenerOf(named('v3-ipv6'))), 'ip-version')
  t.end()
})

t.test('keepalived: an Authentication Header is a mismatch of authentication', (t) => {
  const header = [112, 4, 0, 0, ...Array<number>(20).fill(0)]
  const packet = Uint8Array.of(...golden.slice(0, 20), ...header, ...golden.slice(20))
  packet[9] = 51
  t.equal(verdictOf(packet), 'ah-header')
  packet[45] = 52
  t.equal(verdictOf(packet), 'vrid', 'unless it is for another virtual router')
  t.end()
})

t.test('keepalived 2.3.3: another address list is accepted, and told', (t) => {
  t.equal(verdictOf(changed({ 31: 201 })), 'accepted, other addresses')
  const swapped = { ...backup, addresses: ['192.168.64.201', '192.168.64.200'] }
  const packet = encodeAdvertisement(
    { ...PAIR_MASTER, addresses: ['192.168.64.200', '192.168.64.201'] },
    { priority: 1, identification: 1, destination: '224.0.0.18', stamp: null }
  )
  t.equal(verdictOf(packet, swapped), 'accepted', 'their order does not matter')
  t.equal(verdictOf(packet), 'accepted, other addresses', 'their number does')
  t.end()
})

t.test('a router without a password accepts none with one', (t) => {
  t.equal(verdictOf(golden, open), 'auth-type')
  t.equal(verdictOf(changed({ 24: 0 }), open), 'accepted')
  t.end()
})

t.test('RFC 5798 §6.1: the interval of a VRRPv3 master is told, but none of 0', (t) => {
  const packet = changed({ 24: 0x0f, 25: 0xff }, readGolden('v3-ipv4'))
  t.match(judge(v3, packet), { ok: true, adverInterval: 40_950 })
  t.match(judge(v3, changed({ 24: 0xf0, 25: 1 }, packet)), { adverInterval: 10 }, 'reserved bits')
  t.equal(verdictOf(changed({ 24: 0xf0, 25: 0 }, packet), v3), 'interval')
  t.end()
})

t.test('both checksums of VRRPv3 over IPv4 are accepted, whichever we send', (t) => {
  for (const file of ['v3-ipv4', 'v3-ipv4-plain-checksum']) {
    for (const checksumPseudoHeader of [true, false]) {
      t.equal(verdictOf(readGolden(file), { ...v3, checksumPseudoHeader }), 'accepted')
    }
  }
  t.end()
})

t.test('the checksum of VRRPv2 covers no pseudo-header', (t) => {
  const packet = golden.slice()
  packet.set([0, 0], 26)
  const pseudoHeader = Uint8Array.of(...packet.slice(12, 20), 0, 112, 0, 20)
  const checksum = internetChecksum(Uint8Array.of(...pseudoHeader, ...packet.slice(20)))
  packet.set([checksum >>> 8, checksum & 0xff], 26)
  t.equal(verdictOf(packet), 'checksum')
  t.end()
})

t.test('unicast: the source and the TTL are checked where the configuration says so', (t) => {
  const [packet, packet6] = [readGolden('v3-ipv4-unicast'), readGolden('v3-ipv6-unicast')]
  const peer = { address: '192.168.64.130', ttl: null }
  const destination: Destination = { kind: 'unicast', peers: [peer], checkSource: true, ttl: 255 }
  const found = (changes: Partial<typeof destination>): string =>
    verdictOf(packet, { ...v3, destination: { ...destination, ...changes } })
  t.equal(found({}), 'accepted')
  t.equal(found({ peers: [{ ...peer, ttl: { min: 64, max: 64 } }] }), 'accepted')
  t.equal(found({ peers: [{ ...peer, ttl: { min: 65, max: 255 } }] }), 'ttl-range')
  t.equal(found({ peers: [{ ...peer, ttl: { min: 0, max: 63 } }] }), 'ttl-range')
  t.equal(found({ peers: [{ ...peer, address: '192.168.64.1' }] }), 'unicast-source')
  t.equal(found({ peers: [], checkSource: false }), 'accepted')
  const listener6 = listenerOf(named('v3-ipv6-unicast'))
  t.equal(verdictOf(packet6, listener6), 'accepted')
  t.equal(
    verdictOf(packet6, { ...listener6, destination: { ...destination, peers: [] } }),
    'unicast-source'
  )
  t.end()
})

t.test('multicast for a router of unicast is discarded, and the reverse', (t) => {
  const unicast = listenerOf(named('v2-unicast'))
  t.equal(verdictOf(golden, unicast), 'destination')
  t.equal(verdictOf(readGolden('v2-unicast')), 'destination')
  const elsewhere = { ...unicast, primaryAddress: '192.168.64.135' }
  t.equal(verdictOf(readGolden('v2-unicast'), elsewhere), 'destination', 'not our address')
  t.end()
})

t.test('another multicast group than the default', (t) => {
  const group = '224.0.0.200'
  const router: VirtualRouter = { ...PAIR_MASTER, destination: { kind: 'multicast', group } }
  const sent = { priority: 100, identification: 1, destination: group, stamp: null }
  const packet = encodeAdvertisement(router, sent)
  t.equal(verdictOf(packet, { ...router, primaryAddress: '192.168.64.134' }), 'accepted')
  t.equal(verdictOf(packet), 'destination')
  t.end()
})

t.test('HMAC: without a trailer only the modes of a migration accept', (t) => {
  const unsigned = changed({ 24: 0 })
  unsigned.fill(0, 32, 40)
  const mode = (mode: typeof HMAC.mode): string =>
    verdictOf(changed({}, unsigned), { ...signed, authentication: { ...HMAC, mode } })
  t.equal(mode('enforce'), 'hmac-missing')
  t.equal(mode('permissive'), 'accepted')
  t.equal(mode('receive-only'), 'accepted')
  t.end()
})

t.test('HMAC: a wrong trailer is refused in every mode', (t) => {
  const packet = readGolden('v2-hmac')
  packet[67] = (packet[67] ?? 0) ^ 1
  for (const mode of ['enforce', 'permissive', 'receive-only'] as const) {
    const router: VirtualRouter = { ...signed, authentication: { ...HMAC, mode } }
    t.equal(verdictOf(packet, router), 'hmac-invalid')
  }
  t.end()
})

t.test('HMAC: a trailer is too long for a router that does not expect one', (t) => {
  t.equal(verdictOf(readGolden('v2-hmac'), open), 'length')
  t.end()
})

t.test('HMAC: any of the keys verifies, by its id', (t) => {
  const packet = readGolden('v2-hmac')
  const [other, same] = [hmacKey(3, new Uint8Array(32)), hmacKey(7, new Uint8Array(32))]
  const keys = (...keys: (typeof other)[]): string =>
    verdictOf(packet, { ...signed, authentication: { ...HMAC, keys } })
  t.equal(keys(other, ...HMAC.keys), 'accepted')
  t.equal(keys(other), 'hmac-unknown-key')
  t.equal(keys(same), 'hmac-invalid')
  t.end()
})

t.test('HMAC: a stamp is fresh as long as the window, before and behind the clock', (t) => {
  const packet = readGolden('v2-hmac')
  const at = (seconds: number): string => verdict(signed, packet, CAPTURED_AT + seconds * 1000)
  t.equal(at(5), 'accepted')
  t.equal(at(6), 'hmac-stale')
  t.equal(at(-5), 'accepted')
  t.equal(at(-6), 'hmac-stale')
  const monotonic: VirtualRouter = {
    ...signed,
    authentication: { ...HMAC, antiReplay: 'monotonic' }
  }
  t.equal(verdict(monotonic, packet, 0), 'accepted', 'monotonic looks at no clock')
  t.end()
})

t.test('HMAC: what was heard once is not heard again, nor is what was sent before it', (t) => {
  const replay = new ReplayMemory(signed.destination)
  const send = (stamp: bigint): string => {
    const sent = { priority: 100, identification: 1, destination: '224.0.0.18', stamp }
    const packet = encodeAdvertisement({ ...PAIR_MASTER, authentication: HMAC }, sent)
    const found = receive(signed, packet, replay, CAPTURED_AT)
    return found.ok ? 'accepted' : found.reason
  }
  const first = 0x6b036b20_0000_0000n
  t.equal(send(first + 5n), 'accepted')
  t.equal(send(first + 5n), 'hmac-replay')
  t.equal(send(first + 4n), 'hmac-replay')
  t.equal(send(first + 6n), 'accepted')
  t.end()
})

t.test('HMAC: a forged packet does not move what is remembered of its sender', (t) => {
  const replay = new ReplayMemory(signed.destination)
  const packet = readGolden('v2-hmac')
  const forged = packet.slice()
  forged[50] = 0xff // a later counter
  t.match(receive(signed, forged, replay, CAPTURED_AT), { reason: 'hmac-invalid' })
  t.equal(replay.size, 0)
  t.match(receive(signed, packet, replay, CAPTURED_AT), { ok: true })
  t.end()
})

t.test('HMAC: a stranger is no unicast peer, whether or not sources are checked', (t) => {
  const { file, router, listener } = named('v3-unicast-hmac')
  const stranger: Destination = {
    kind: 'unicast',
    peers: [{ address: '192.168.64.1', ttl: null }],
    checkSource: false,
    ttl: 255
  }
  const listening = { ...router, primaryAddress: listener, destination: stranger }
  t.equal(verdictOf(readGolden(file), listening), 'unicast-source')
  t.end()
})
