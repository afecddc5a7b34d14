// lane: patient - 10 million packets
import t from 'tap'
import { DISCARD_COUNTERS } from '../../../src/vrrp/discards.js'
import { receive } from '../../../src/vrrp/receive.js'
import { internetChecksum } from '../../../src/vrrp/wire/checksum.js'
import { fuzzReceive, summaryOf } from './run.js'

t.setTimeout(870_000)

const PACKETS = 10_000_000

t.test(
  '10 million packets: none throws, only a right one is accepted or changes the state',
  async (t) => {
    const report = await fuzzReceive({ seed: 1, packets: PACKETS })
    t.comment(summaryOf(report))
    t.equal(report.find, null)
    const missing = Object.keys(DISCARD_COUNTERS).filter((reason) => !report.verdicts.has(reason))
    t.same(missing, [], 'every discard was reached')
    t.ok((report.verdicts.get('accepted') ?? 0) > PACKETS / 20, 'many were accepted')
  }
)

/** Ladders with a fault that the fuzzing has to find. */
const BROKEN: Readonly<Record<string, typeof receive>> = {
  'a decoder that throws on a short packet': (router, packet, ...rest) => {
    if (packet.length === 27) throw new RangeError('offset is out of bounds')
    return receive(router, packet, ...rest)
  },
  'a ladder without a checksum': (router, packet, ...rest) => {
    const repaired = packet.slice()
    if (router.version === 2 && packet.length >= 28 && packet[0] === 0x45) {
      repaired.set([0, 0], 26)
      const end = 36 + (repaired[23] ?? 0) * 4
      const checksum = internetChecksum(repaired, 20, Math.min(end, repaired.length))
      repaired.set([checksum >>> 8, checksum & 0xff], 26)
    }
    return receive(router, repaired, ...rest)
  },
  'a ladder that takes any TTL': (router, packet, ...rest) => {
    const near = packet.slice()
    if (near.length > 8) near[router.family === 'ipv4' ? 8 : 7] = 255
    return receive(router, near, ...rest)
  },
  'a ladder that takes seven bytes of a password': (router, packet, ...rest) => {
    const { authentication } = router
    const changed = packet.slice()
    if (authentication.type === 'pass' && changed.length === 40) {
      changed[39] = authentication.data[7] ?? 0
      changed.set([0, 0], 26)
      const checksum = internetChecksum(changed, 20)
      if (internetChecksum(packet, 20) === 0) changed.set([checksum >>> 8, checksum & 0xff], 26)
    }
    return receive(router, changed, ...rest)
  },
  'a ladder that discards what is right': (router, packet, ...rest) => {
    const verdict = receive(router, packet, ...rest)
    const isRefused = verdict.ok && verdict.priority === 77
    return isRefused ? { ok: false, reason: 'type', source: verdict.source } : verdict
  }
}

for (const [name, ladder] of Object.entries(BROKEN)) {
  t.test(`the fuzzing finds ${name}`, async (t) => {
    const { find } = await fuzzReceive({ seed: 1, packets: 500_000, ladder })
    t.match(find, /^seed 1, packet \d+, listener \d+: .*: [\da-f]+$/, 'seed and packet are told')
    t.comment(find ?? '')
  })
}
