// lane: quiet - an address that is gone for more than 100 ms is gone too long
import t from 'tap'
import { isAdvertisement, isGratuitousArp, senderOf } from './lab/frame.js'
import { ADDRESSES, Lab, macOf, VIP } from './lab/lab.js'
import { cannotRun } from './lab/requirements.js'
import { startPair, type LogLine } from './lab/tsha.js'

t.setTimeout(120_000)

const SETTLE_TIMEOUT_MS = 15_000

const says =
  (text: string) =>
  (line: LogLine): boolean =>
    String(line['msg']).includes(text)

await t.test('addresses that somebody else removes', { skip: cannotRun('tcpdump') }, async (t) => {
  const lab = await Lab.create({ web: 'node' })
  t.teardown(() => lab.close())
  const { master, backup } = await startPair(lab)
  const remove = async (): Promise<void> => {
    await master.host.must('ip', 'addr', 'del', `${VIP}/24`, 'dev', 'ens160')
  }

  await t.test('an address that is removed is back within 100 ms, and announced', async (t) => {
    const neighbour = await lab.capture('client', 'arp')
    const { mark } = lab.watch
    const logMark = master.log.mark
    // The program that watches addresses may be late: it says that one is lost when it is announced again.
    const removedFrom = Date.now()
    await remove()
    const lost = await lab.watch.waitForChange('director1', false, SETTLE_TIMEOUT_MS, mark)
    const back = await lab.watch.waitForChange('director1', true, SETTLE_TIMEOUT_MS, mark)
    t.ok(back.at - lost.at <= 100, `after ${back.at - lost.at} ms`)
    const announced = await neighbour.packets.waitFor(
      (packet) =>
        isGratuitousArp(packet, VIP) &&
        senderOf(packet) === macOf(ADDRESSES.director1) &&
        packet.at >= removedFrom,
      'announcement',
      SETTLE_TIMEOUT_MS
    )
    t.ok(announced.at - lost.at <= 200, `announced after ${announced.at - lost.at} ms`)
    const line = await master.log.waitFor(
      says('somebody removed virtual addresses: put back'),
      'line in the log',
      SETTLE_TIMEOUT_MS,
      logMark
    )
    t.match(line, { level: 50, addresses: [`${VIP} on ens160`], times: 1 })
    t.strictSame(lab.watch.owners, ['director1'], 'it is still master')
    await neighbour.stop()
  })

  await t.test('removed again at once, the partner takes over without a gap', async (t) => {
    const { mark } = lab.watch
    const logMark = master.log.mark
    await remove()
    const line = await master.log.waitFor(
      says('somebody removed a virtual address again: leaving the election'),
      'line in the log',
      SETTLE_TIMEOUT_MS,
      logMark
    )
    t.match(line, {
      level: 50,
      address: VIP,
      interface: 'ens160',
      removals: 2,
      holdOffMs: 60_000
    })
    t.ok(Number(line['withinMs']) < 10_000)
    await lab.watch.waitForOwners(['director2'], SETTLE_TIMEOUT_MS)
    const changes = lab.watch.changes.since(mark)
    const gaps = changes.flatMap((change, index) =>
      change.owners.length > 0 ? [] : [(changes[index + 1]?.at ?? Infinity) - change.at]
    )
    // One is the removal; between two machines either order occurs.
    t.ok(
      gaps.every((gap) => gap <= 100),
      `nobody had it for ${gaps.join(' and ')} ms`
    )
  })

  await t.test(
    'it stays away while its partner is master, though its priority is higher',
    async (t) => {
      const { mark } = lab.watch
      await t.rejects(lab.watch.waitForChange('director1', true, 6000, mark), {
        name: 'WaitTimeout'
      })
    }
  )

  await t.test('it comes back when the partner dies, long before the hold-off ends', async (t) => {
    const { mark } = lab.watch
    const died = await backup.kill()
    const back = await lab.watch.waitForChange('director1', true, SETTLE_TIMEOUT_MS, mark)
    t.ok(back.at - died < 5000, `after ${back.at - died} ms`)
    await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  })

  await t.test(
    'where there is no partner it puts the address back as often as it takes',
    async (t) => {
      const logMark = master.log.mark
      // The partner was heard a moment ago; in this hold-off it is known soon that nobody takes over.
      await master.log.waitFor(says('taking part in the election again'), 'return', 15_000)
      for (let i = 0; i < 4; i++) {
        const { mark } = lab.watch
        await remove()
        const lost = await lab.watch.waitForChange('director1', false, SETTLE_TIMEOUT_MS, mark)
        const back = await lab.watch.waitForChange('director1', true, SETTLE_TIMEOUT_MS, mark)
        t.ok(back.at - lost.at <= 100, `after ${back.at - lost.at} ms`)
      }
      const left = master.log.since(logMark).filter(says('leaving the election'))
      t.strictSame(left, [])
    }
  )

  await t.test(
    'an address that is added to a backup by hand is told, and left there',
    async (t) => {
      await backup.startProcess()
      await backup.waitForState('backup', SETTLE_TIMEOUT_MS)
      // At its start it removes what an earlier life may have left; an interval later that is over.
      const { packets } = await lab.capture('director2', 'ip proto 112')
      for (let heard = 0; heard < 2; heard++)
        await packets.waitFor(isAdvertisement, 'advertisement', 5000, packets.mark)
      const logMark = backup.log.mark
      await lab.host('director2').must('ip', 'addr', 'add', `${VIP}/24`, 'dev', 'ens160')
      const line = await backup.log.waitFor(
        says('somebody gave this machine a virtual address though it is not master'),
        'line in the log',
        SETTLE_TIMEOUT_MS,
        logMark
      )
      t.match(line, { level: 50, address: VIP, interface: 'ens160' })
      t.ok(await lab.host('director2').hasAddress(VIP))
      await lab.host('director2').must('ip', 'addr', 'del', `${VIP}/24`, 'dev', 'ens160')
    }
  )
})
