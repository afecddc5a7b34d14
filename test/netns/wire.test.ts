import t, { type Test } from 'tap'
import type { Capture } from './lab/capture.js'
import {
  identificationOf,
  isAdvertisement,
  isGratuitousArp,
  maskedAdvertisement,
  maskedArp,
  priorityOf,
  senderOf
} from './lab/frame.js'
import { ADDRESSES, Lab, macOf, VIP } from './lab/lab.js'
import type { Packet } from './lab/pcap.js'
import { cannotRun } from './lab/requirements.js'
import { TshaDirector } from './lab/tsha.js'

t.setTimeout(120_000)

/** What precedes the priority in every advertisement of keepalived 2.2.7 with the pair's files. */
const BEFORE_PRIORITY =
  '01 00 5e 00 00 12 .. .. .. .. .. .. 08 00 ' +
  '45 c0 00 28 .. .. 00 00 ff 70 .. .. .. .. .. .. e0 00 00 12 21 33 '

/** What follows it: count, authentication type, interval, the checksum, then the address and "123456". */
const AFTER_CHECKSUM = ' c0 a8 40 c8 31 32 33 34 35 36 00 00'

/** Captured from keepalived 2.2.7, by priority. */
const ADVERTISEMENTS: Readonly<Record<number, string>> = {
  100: `${BEFORE_PRIORITY}64 01 01 01 de bc${AFTER_CHECKSUM}`,
  90: `${BEFORE_PRIORITY}5a 01 01 01 e8 bc${AFTER_CHECKSUM}`,
  80: `${BEFORE_PRIORITY}50 01 01 01 f2 bc${AFTER_CHECKSUM}`,
  0: `${BEFORE_PRIORITY}00 01 01 01 42 bd${AFTER_CHECKSUM}`
}

/** Captured from keepalived 2.2.7: a request of the address for itself, to everyone. */
const GRATUITOUS_ARP =
  'ff ff ff ff ff ff .. .. .. .. .. .. 08 06 00 01 08 00 06 04 00 01 ' +
  '.. .. .. .. .. .. c0 a8 40 c8 ff ff ff ff ff ff c0 a8 40 c8'

/** On the file system of the machine that reads it. */
const CAPTURE_FILE = '/run/capture.pcap'

const DIRECTOR1_MAC = '0200c0a84082'
const DIRECTOR1_SOURCE = 'c0a84082'

await t.test(
  'what tsha puts on the wire is what keepalived 2.2.7 puts there',
  { skip: cannotRun('tcpdump', 'tshark') },
  async (t) => {
    const lab = await Lab.create({ web: 'node' })
    t.teardown(() => lab.close())
    await Promise.all([lab.web1.start(), lab.web2.start()])
    const capture = await lab.capture('director1', 'proto 112 or arp')
    const master = new TshaDirector(lab.host('director1'), 'master')
    const backup = new TshaDirector(lab.host('director2'), 'backup')
    const sentBy1 = (packet: Packet): boolean => senderOf(packet) === macOf(ADDRESSES.director1)

    await master.start()
    await waitForPriority(capture, 100, 10_000)
    const announced = (count: number, timeoutMs: number): Promise<Packet> => {
      let seen = 0
      return capture.packets.waitFor(
        (packet) => isGratuitousArp(packet, VIP) && (seen += 1) === count,
        `${count} gratuitous ARPs`,
        timeoutMs
      )
    }
    await announced(10, 10_000)
    // Nobody answers the hand-over, so the master goes on with its lowered priority.
    await master.stopProxy()
    await waitForPriority(capture, 80, 10_000)
    await master.startProxy()
    await waitForPriority(capture, 100, 10_000, capture.packets.mark)
    await backup.start()
    const stopping = capture.packets.mark
    await master.stop()
    await waitForPriority(capture, 0, 2000, stopping)
    await waitForPriority(capture, 90, 5000, stopping)
    await backup.stop()
    await capture.stop()
    const advertisements = capture.packets.entries.filter(isAdvertisement)

    await t.test('every advertisement equals the captured one of its priority', (t) => {
      for (const priority of [100, 90, 80, 0]) {
        const frames = new Set(
          advertisements.filter((each) => priorityOf(each) === priority).map(maskedAdvertisement)
        )
        t.strictSame([...frames], [ADVERTISEMENTS[priority]], `priority ${priority}`)
      }
      const others = advertisements.filter((each) => ADVERTISEMENTS[priorityOf(each)] === undefined)
      t.equal(others.length, 0, 'there is no other priority')
      t.end()
    })

    await t.test('IP Identification counts from 1, the source is the interface address', (t) => {
      const own = advertisements.filter(sentBy1)
      t.strictSame(own.slice(0, 4).map(identificationOf), [1, 2, 3, 4])
      const sources = new Set(own.map((each) => each.bytes.toString('hex', 26, 30)))
      t.strictSame([...sources], [DIRECTOR1_SOURCE])
      t.end()
    })

    await t.test('an advertisement every second', (t) => {
      const first = advertisements.filter(sentBy1).slice(0, 5)
      const gaps = first.slice(1).map((each, index) => each.at - (first[index]?.at ?? 0))
      for (const gap of gaps) t.ok(gap > 950 && gap < 1100, `${gap.toFixed(1)} ms`)
      t.end()
    })

    await t.test(
      'five gratuitous ARPs at once and five after 5 s, after the advertisement',
      (t) => {
        const announcements = capture.packets.entries.filter(
          (packet) => sentBy1(packet) && isGratuitousArp(packet, VIP)
        )
        t.strictSame([...new Set(announcements.map(maskedArp))], [GRATUITOUS_ARP])
        const senders = announcements.map((each) => each.bytes.toString('hex', 22, 28))
        t.strictSame([...new Set(senders)], [DIRECTOR1_MAC], 'sender hardware address')
        const [first] = announcements
        const offsets = announcements.slice(0, 10).map((each) => each.at - (first?.at ?? 0))
        t.ok(
          offsets.slice(0, 5).every((offset) => offset < 100),
          `at once: ${offsets.slice(0, 5).join()}`
        )
        t.ok(
          offsets.slice(5, 10).every((offset) => offset > 4900 && offset < 5300),
          `after 5 s: ${offsets.slice(5, 10).join()}`
        )
        const claim = advertisements.find(sentBy1)
        t.ok((claim?.at ?? Infinity) < (first?.at ?? 0), 'the advertisement comes first')
        t.end()
      }
    )

    await t.test('tshark finds every field well formed and every checksum good', async (t) => {
      await expectWellFormed(t, lab, capture, advertisements.length)
    })
  }
)

async function waitForPriority(
  capture: Capture,
  priority: number,
  timeoutMs: number,
  mark = 0
): Promise<void> {
  await capture.packets.waitFor(
    (packet) => isAdvertisement(packet) && priorityOf(packet) === priority,
    `advertisement with priority ${priority}`,
    timeoutMs,
    mark
  )
}

async function expectWellFormed(t: Test, lab: Lab, capture: Capture, count: number): Promise<void> {
  const fields = ['frame.number', 'vrrp.checksum.status', 'ip.checksum.status', '_ws.malformed']
  // tshark refuses to read from the kind of pipe that Node gives.
  const reader = lab.host('switch')
  await reader.writeFile(CAPTURE_FILE, capture.file)
  const outcome = await reader.run(
    'tshark',
    [
      ...['-n', '-r', CAPTURE_FILE, '-o', 'ip.check_checksum:TRUE', '-Y', 'vrrp', '-T', 'fields'],
      ...fields.flatMap((field) => ['-e', field])
    ],
    { timeoutMs: 60_000 }
  )
  const rows = outcome.stdout.split('\n').filter((row) => row !== '')
  t.equal(rows.length, count, 'tshark sees every advertisement')
  const verdicts = new Set(rows.map((row) => row.split('\t').slice(1).join(' ').trim()))
  t.strictSame([...verdicts], ['1 1'], 'both checksums are good (1), nothing is malformed')
  // Of ARP only what is malformed: that an address moves from one machine to another, as it must
  // here, is a warning too.
  const warnings = '_ws.malformed or (vrrp and _ws.expert.severity >= "Warning")'
  const expert = await reader.run('tshark', ['-n', '-r', CAPTURE_FILE, '-Y', warnings], {
    timeoutMs: 60_000
  })
  t.equal(expert.code, 0, expert.stderr.trim())
  t.equal(expert.stdout.trim(), '', 'no warning of any kind')
}
