import t from 'tap'
import type { VirtualRouter } from '../../src/vrrp/model.js'
import { receive } from '../../src/vrrp/receive.js'
import { internetChecksum } from '../../src/vrrp/wire/checksum.js'
import { readGolden } from './golden.js'
import { PAIR_MASTER } from './router.js'

const golden = readGolden('advertisement-100')
const backup: VirtualRouter = { ...PAIR_MASTER, primaryAddress: '192.168.64.134' }
const open: VirtualRouter = { ...backup, authentication: { type: 'none' } }

function verdictOf(packet: Uint8Array, router = backup): string {
  const verdict = receive(router, packet)
  if (!verdict.ok) return verdict.reason
  return verdict.sameAddresses ? 'accepted' : 'accepted, other addresses'
}

/** The packet with some bytes changed, and its VRRP checksum made right again. */
function changed(changes: Readonly<Record<number, number>>): Uint8Array {
  const packet = golden.slice()
  for (const [at, value] of Object.entries(changes)) packet[Number(at)] = value
  packet.set([0, 0], 26)
  const checksum = internetChecksum(packet.slice(20))
  packet.set([checksum >>> 8, checksum & 0xff], 26)
  return packet
}

t.test('the advertisement of keepalived 2.2.7 is accepted', (t) => {
  t.same(receive(backup, golden), {
    ok: true,
    priority: 100,
    source: '192.168.64.130',
    sameAddresses: true
  })
  t.end()
})

t.test('RFC 3768 §7.1: each check discards for its own reason', (t) => {
  t.equal(verdictOf(changed({ 8: 254 })), 'ttl')
  t.equal(verdictOf(changed({ 9: 2 })), 'protocol')
  t.equal(verdictOf(changed({ 20: 0x31 })), 'version')
  t.equal(verdictOf(changed({ 20: 0x22 })), 'type')
  t.equal(verdictOf(changed({ 21: 52 })), 'vrid')
  t.equal(verdictOf(changed({ 24: 0 })), 'auth-type')
  t.equal(verdictOf(changed({ 24: 2 })), 'auth-type')
  t.equal(verdictOf(changed({ 39: 1 })), 'auth-data', 'all 8 bytes are compared')
  t.equal(verdictOf(changed({ 25: 2 })), 'interval')
  t.equal(verdictOf(changed({ 19: 22 })), 'destination')
  t.equal(verdictOf(changed({ 15: 134 })), 'own-address')
  t.equal(verdictOf(changed({ 0: 0x46 })), 'vrid', 'IP options shift the message')
  t.end()
})

t.test('keepalived 2.3.3: another address list is accepted, and told', (t) => {
  t.equal(verdictOf(changed({ 31: 201 })), 'accepted, other addresses')
  t.end()
})

t.test('a router without a password accepts none with one', (t) => {
  t.equal(verdictOf(golden, open), 'auth-type')
  t.equal(verdictOf(changed({ 24: 0 }), open), 'accepted')
  t.end()
})

t.test('every byte flipped once gives its listed verdict', (t) => {
  const verdicts = Array.from(golden, (byte, at) => {
    const packet = golden.slice()
    packet[at] = byte ^ 0xff
    return verdictOf(packet)
  })
  t.same(verdicts, [
    ...['ip-header', 'accepted', 'ip-header', 'ip-header'], // version, TOS, total length
    ...['accepted', 'accepted', 'accepted', 'accepted'], // identification, fragment
    ...['ttl', 'protocol', 'accepted', 'accepted'], // the kernel checks the header checksum
    ...['accepted', 'accepted', 'accepted', 'accepted'], // any source may be master
    ...['destination', 'destination', 'destination', 'destination'],
    ...['version', 'vrid', 'checksum', 'length'], // version, VRID, priority, count
    ...['auth-type', 'interval', 'checksum', 'checksum'],
    ...['checksum', 'checksum', 'checksum', 'checksum'], // the address
    ...Array<string>(8).fill('auth-data')
  ])
  t.end()
})

t.test('every proper prefix is a discard', (t) => {
  for (let length = 0; length < golden.length; length++) {
    t.equal(verdictOf(golden.slice(0, length)), 'ip-header', `${length} bytes`)
  }
  t.end()
})
