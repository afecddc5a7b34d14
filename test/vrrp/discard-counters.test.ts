import t from 'tap'
import { COUNTERS, type Statistics } from '../../src/vrrp/counters.js'
import { DISCARD_COUNTERS } from '../../src/vrrp/discards.js'
import type { VirtualRouter } from '../../src/vrrp/model.js'
import { encodeAdvertisement } from '../../src/vrrp/send.js'
import { Speaker } from '../../src/vrrp/speaker.js'
import { internetChecksum } from '../../src/vrrp/wire/checksum.js'
import { CAPTURED_AT, HMAC, hmacKey } from './golden-routers.js'
import { readGolden } from './golden.js'
import { PAIR_MASTER } from './router.js'

const golden = readGolden('advertisement-100')
const backup: VirtualRouter = { ...PAIR_MASTER, primaryAddress: '192.168.64.134' }
const signed: VirtualRouter = { ...backup, authentication: HMAC }
const unicast = (min: number, address = '192.168.64.130'): VirtualRouter => ({
  ...backup,
  destination: {
    kind: 'unicast',
    peers: [{ address, ttl: { min, max: 255 } }],
    checkSource: true,
    ttl: 255
  }
})

/** The packet with some bytes changed; the checksum of the message is made right again. */
function changed(changes: Readonly<Record<number, number>>, original = golden): Uint8Array {
  const packet = original.slice()
  for (const [at, value] of Object.entries(changes)) packet[Number(at)] = value
  packet.set([0, 0], 26)
  const checksum = internetChecksum(packet.slice(20))
  packet.set([checksum >>> 8, checksum & 0xff], 26)
  return packet
}

function flipped(file: string, at: number): Uint8Array {
  const packet = readGolden(file)
  packet[at] = (packet[at] ?? 0) ^ 1
  return packet
}

/** The golden message behind an Authentication Header of IPsec. */
function withAuthenticationHeader(): Uint8Array {
  const packet = Uint8Array.from([
    ...golden.slice(0, 20),
    ...new Array<number>(24).fill(0),
    ...golden.slice(20)
  ])
  packet[9] = 51
  packet[3] = packet.length
  return packet
}

interface Row {
  readonly packet: Uint8Array
  readonly router?: VirtualRouter
  /** What keepalived counts it as; null for nothing. */
  readonly counted: string | null
  /** Clock of the receiver, seconds after the packets were captured. */
  readonly later?: number
}

const sent = { priority: 100, identification: 1, destination: '224.0.0.18' }
const replayed = encodeAdvertisement(
  { ...PAIR_MASTER, authentication: HMAC },
  { ...sent, stamp: 0x6b036b20_0000_0005n }
)

/** One packet for each reason; `hmac-replay` is heard twice. */
const ROWS: Readonly<Record<keyof typeof DISCARD_COUNTERS, Row>> = {
  'ip-header': { packet: new Uint8Array(0), counted: null },
  'ip-version': { packet: readGolden('v3-ipv6'), counted: null },
  protocol: { packet: changed({ 9: 2 }), counted: null },
  short: { packet: golden.slice(0, 24), counted: null },
  vrid: { packet: changed({ 21: 52 }), counted: null },
  'own-address': { packet: changed({ 15: 134 }), counted: null },
  'ah-header': { packet: withAuthenticationHeader(), counted: 'authtype_mismatch' },
  length: { packet: golden.slice(0, 39), counted: 'packet_len_err' },
  ttl: { packet: changed({ 8: 254 }), counted: 'ip_ttl_err' },
  version: { packet: golden, router: { ...backup, version: 3 }, counted: 'vers_err' },
  'hmac-missing': { packet: golden, router: signed, counted: 'auth_ext_missing' },
  'hmac-malformed': {
    packet: flipped('v2-hmac', 40),
    router: signed,
    counted: 'auth_ext_malformed'
  },
  'hmac-stale': {
    packet: readGolden('v2-hmac'),
    router: signed,
    later: 6,
    counted: 'auth_ext_stale'
  },
  'hmac-unknown-key': {
    packet: readGolden('v2-hmac'),
    router: {
      ...backup,
      authentication: { ...HMAC, keys: [hmacKey(3, new Uint8Array(32))] }
    },
    counted: 'auth_ext_unknown_key'
  },
  'hmac-invalid': {
    packet: flipped('v2-hmac', 67),
    router: signed,
    counted: 'auth_ext_invalid_hmac'
  },
  'hmac-replay': { packet: replayed, router: signed, counted: 'auth_ext_replay' },
  'auth-type-unknown': { packet: changed({ 24: 3 }), counted: 'invalid_authtype' },
  'auth-type': { packet: changed({ 24: 0 }), counted: 'authtype_mismatch' },
  'auth-data': { packet: changed({ 39: 1 }), counted: 'auth_failure' },
  interval: { packet: changed({ 25: 2 }), counted: 'advert_interval_err' },
  type: { packet: changed({ 20: 0x22 }), counted: 'invalid_type_rcvd' },
  'ip-length': { packet: changed({ 3: 41 }), counted: 'packet_len_err' },
  checksum: { packet: flipped('advertisement-100', 22), counted: 'chk_err' },
  destination: { packet: changed({ 19: 22 }), counted: 'addr_list_err' },
  'unicast-source': {
    packet: readGolden('v2-unicast'),
    router: unicast(0, '192.168.64.1'),
    counted: null
  },
  'ttl-range': {
    packet: changed({ 8: 254 }, readGolden('v2-unicast')),
    router: unicast(255),
    counted: 'ip_ttl_err'
  },
  'owner-ignores': { packet: golden, router: { ...backup, ignoresAdverts: true }, counted: null }
}

/** What a speaker counts, and why it discards, when it hears packets. */
function hear(
  router: VirtualRouter,
  packets: readonly Uint8Array[],
  later = 0
): {
  statistics: Statistics
  discarded: readonly string[]
} {
  const discarded: string[] = []
  const nothing = (): void => undefined
  const done = (): Promise<void> => Promise.resolve()
  const speaker = new Speaker(
    router,
    { priority: 100, serviceUp: true },
    {
      clock: {
        now: () => 0,
        wallTime: () => CAPTURED_AT + later * 1000,
        after: () => nothing,
        afterPoll: nothing
      },
      socket: { send: nothing, flush: done, close: nothing },
      addresses: { add: done, remove: done },
      announcer: { announce: nothing, cancel: nothing },
      observer: {
        stepped: nothing,
        conditionsChanged: nothing,
        accepted: nothing,
        discarded: (reason) => discarded.push(reason)
      }
    }
  )
  speaker.start(null)
  for (const packet of packets) speaker.receive(packet)
  return { statistics: speaker.statistics, discarded }
}

for (const [reason, { packet, router = backup, counted, later }] of Object.entries(ROWS)) {
  t.test(`discarded for ${reason}: counted as ${counted ?? 'nothing'}`, (t) => {
    const packets = reason === 'hmac-replay' ? [packet, packet] : [packet]
    const { statistics, discarded } = hear(router, packets, later)
    t.strictSame(discarded, [reason])
    const expected: Record<string, number> = counted === null ? {} : { [counted]: 1 }
    if (reason === 'hmac-replay') expected['advert_rcvd'] = 1
    const found = COUNTERS.filter((name) => statistics[name] !== 0)
    t.strictSame(Object.fromEntries(found.map((name) => [name, statistics[name]])), expected)
    t.end()
  })
}

t.test('another list of addresses is counted, and heard all the same', (t) => {
  const { statistics, discarded } = hear({ ...backup, addresses: ['192.0.2.1'] }, [golden])
  t.strictSame(discarded, [])
  t.equal(statistics.addr_list_err, 1)
  t.equal(statistics.advert_rcvd, 1)
  t.end()
})
