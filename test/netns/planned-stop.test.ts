// lane: single - three requests that fail are too many
import t from 'tap'
import { isGratuitousArp, senderOf } from './lab/frame.js'
import { ADDRESSES, Lab, macOf, VIP } from './lab/lab.js'
import { cannotRun } from './lab/requirements.js'
import { startPair } from './lab/tsha.js'

t.setTimeout(90_000)

const RATE = 200
/** Only what is answered in the very moment of the change can be lost; keepalived loses 130. */
const LOST = 2

await t.test(
  'a master that is stopped hands over: clients notice nothing (keepalived: 0.65 s without anybody)',
  { skip: cannotRun('nginx') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const { master } = await startPair(lab)

    const load = await lab.steadyClient({ rate: RATE })
    const kept = await lab.steadyClient({ rate: 50, keepAlive: 20 })
    await kept.waitForAnswer(Date.now() + 500, 5000)
    const neighbour = await lab.capture('client', 'arp')
    /** When the client heard where the address is now. */
    const announced = async (name: 'director1' | 'director2', since: number): Promise<number> => {
      const mac = macOf(ADDRESSES[name])
      const frame = await neighbour.packets.waitFor(
        (packet) => packet.at >= since && isGratuitousArp(packet, VIP) && senderOf(packet) === mac,
        `announcement of ${name}`,
        2000
      )
      return frame.at
    }
    const mark = lab.watch.mark
    const at = await master.stop()
    await lab.watch.waitForChange('director2', true, 2000, mark)
    const given = await lab.watch.waitForChange('director1', false, 2000, mark)
    const aheadMs = given.at - (await announced('director2', at))
    t.ok(aheadMs > 0, `announced ${aheadMs.toFixed(1)} ms before the old master let go`)
    await load.waitForAnswer(given.at + 1000, 5000)
    const { total, failed, failures } = await load.stop()
    t.comment(`${failed} of ${total} requests failed: ${JSON.stringify(failures)}`)
    t.ok(total > RATE, 'the client asked all the time')
    t.ok(failed <= LOST, `${failed} failed, ${given.at - at} ms after the request to stop`)
    const summary = await kept.stop()
    t.comment(`on kept connections: ${JSON.stringify(summary.failures)} of ${summary.total}`)
    t.ok(summary.failed <= LOST, `${summary.failed} failed on kept connections`)

    await t.test('it returns: new connections notice nothing', async (t) => {
      const { mark } = lab.watch
      const load = await lab.steadyClient({ rate: RATE })
      await master.startProcess()
      const taken = await lab.watch.waitForChange('director1', true, 15_000, mark)
      const given = await lab.watch.waitForChange('director2', false, 2000, mark)
      await load.waitForAnswer(given.at + 1000, 5000)
      const { total, failed, failures } = await load.stop()
      t.comment(`${failed} of ${total} requests failed: ${JSON.stringify(failures)}`)
      t.ok(failed <= LOST, `${failed} failed`)
      const aheadMs = given.at - (await announced('director1', taken.at - 1000))
      t.ok(aheadMs > 0, `announced ${aheadMs.toFixed(1)} ms before the old master let go`)
    })
  }
)
