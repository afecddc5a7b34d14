import t from 'tap'
import { isAdvertisement, isGratuitousArp, senderOf } from './lab/frame.js'
import { ADDRESSES, Lab, macOf, VIP } from './lab/lab.js'
import type { Packet } from './lab/pcap.js'
import { cannotRun } from './lab/requirements.js'
import { TshaDirector, type LogLine } from './lab/tsha.js'

t.setTimeout(120_000)

const VIP_HEX = 'c0a840c8'
const DIRECTOR1_MAC = macOf(ADDRESSES.director1)
const CLIENT_MAC = '02:00:c0:a8:40:0a'
const WEB2_MAC = '02:00:c0:a8:40:8a'
/** An address of the network that nobody has. */
const NOBODY = '192.168.64.77'
const SETTLE_TIMEOUT_MS = 15_000

const says =
  (text: string) =>
  (line: LogLine): boolean =>
    String(line['msg']).includes(text)
const claimed = says('another machine claims a virtual address that is ours')

await t.test(
  'another machine uses the address',
  { skip: cannotRun('tcpdump', 'bash') },
  async (t) => {
    const lab = await Lab.create({ web: 'node' })
    t.teardown(() => lab.close())
    await Promise.all([lab.web1.start(), lab.web2.start()])
    const master = new TshaDirector(lab.host('director1'), 'master')
    const isAnnouncement = (packet: Packet): boolean =>
      isGratuitousArp(packet, VIP) && senderOf(packet) === DIRECTOR1_MAC

    await t.test('one that answers for it is named, and does not delay the takeover', async (t) => {
      await lab.host('client').must('ip', 'addr', 'add', `${VIP}/24`, 'dev', 'ens160')
      const capture = await lab.capture('director1', 'proto 112 or arp')
      await master.start()
      const line = await master.log.waitFor(claimed, 'conflict', SETTLE_TIMEOUT_MS)
      t.match(line, { level: 50, address: VIP, interface: 'ens160', mac: CLIENT_MAC, claims: 1 })
      await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
      const advert = await capture.packets.waitFor(
        (packet) => isAdvertisement(packet) && senderOf(packet) === DIRECTOR1_MAC,
        'advertisement',
        SETTLE_TIMEOUT_MS
      )
      const announced = await capture.packets.waitFor(isAnnouncement, 'announcement', 1000)
      t.ok(
        announced.at - advert.at < 200,
        `announced ${announced.at - advert.at} ms after the claim`
      )
      await capture.stop()
      await lab.host('client').must('ip', 'addr', 'del', `${VIP}/24`, 'dev', 'ens160')
    })

    await t.test('without one the log says that the addresses were asked for', async (t) => {
      await master.stop()
      const mark = master.log.mark
      const capture = await lab.capture('director1', 'arp')
      await master.startProcess()
      const line = await master.log.waitFor(
        says('asked for the virtual addresses: no other machine answers for them'),
        'result',
        SETTLE_TIMEOUT_MS,
        mark
      )
      t.match(line, { interface: 'ens160', addresses: [VIP] })
      const probes = capture.packets.entries.filter(
        (packet) =>
          senderOf(packet) === DIRECTOR1_MAC &&
          packet.bytes.toString('hex', 28, 32) === '00000000' &&
          packet.bytes.toString('hex', 38, 42) === VIP_HEX
      )
      t.equal(probes.length, 2)
      const [first, second] = probes.map(({ at }) => at)
      const gap = (second ?? 0) - (first ?? 0)
      t.ok(gap > 340 && gap < 500, `${gap} ms between them`)
      await capture.stop()
    })

    await t.test('one that speaks from it later is named, and answered once', async (t) => {
      const web2 = lab.host('web2')
      const capture = await lab.capture('director1', 'arp')
      let frames = 0
      await capture.packets.waitFor(
        (packet) => isAnnouncement(packet) && (frames += 1) === 5,
        'second burst',
        SETTLE_TIMEOUT_MS
      )
      const { mark } = capture.packets
      const logMark = master.log.mark
      await web2.must('ip', 'addr', 'add', `${VIP}/32`, 'dev', 'ens160')
      await web2.must('ip', 'route', 'add', NOBODY, 'dev', 'ens160', 'src', VIP)
      await web2.must('bash', '-c', `echo > /dev/udp/${NOBODY}/9`)
      const line = await master.log.waitFor(claimed, 'conflict', SETTLE_TIMEOUT_MS, logMark)
      t.match(line, { level: 50, address: VIP, interface: 'ens160', mac: WEB2_MAC })
      await capture.packets.waitFor(isAnnouncement, 'defence', 1000, mark)
      let questions = 0
      await capture.packets.waitFor(
        (packet) =>
          packet.bytes.toString('hex', 28, 32) === VIP_HEX &&
          senderOf(packet) === WEB2_MAC &&
          (questions += 1) === 3,
        'third question',
        SETTLE_TIMEOUT_MS,
        mark
      )
      await capture.stop()
      t.equal(capture.packets.since(mark).filter(isAnnouncement).length, 1)
      t.equal(master.log.since(logMark).filter(claimed).length, 1, 'told once')
      t.strictSame(lab.watch.owners, ['director1'])
    })
  }
)
