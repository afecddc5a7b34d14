import type { Test } from 'tap'
import type { Director } from './director.js'
import { VIP, type Lab } from './lab.js'

/** How long each side may take, in milliseconds. */
export interface StoryLimits {
  /** From the end of the master's proxy to the virtual address on the backup. */
  readonly proxyFailoverMs: number
  /** From the orderly end of the master to the virtual address on the backup. */
  readonly stopFailoverMs: number
}

/** The first election, and every return to the master: a start and one Master_Down_Interval. */
const SETTLE_TIMEOUT_MS = 15_000
const RECOVERY_TIMEOUT_MS = 15_000

/**
 * Plays the tests that administrators run on a new pair (who holds the address, the proxy stopped
 * and started, the master stopped and started, a web server stopped and started) and asserts what
 * they expect. director1 is the master. Whatever runs on the two, the story is the same.
 */
export async function playPairStory(
  t: Test,
  lab: Lab,
  master: Director,
  backup: Director,
  limits: StoryLimits
): Promise<void> {
  await Promise.all([lab.web1.start(), lab.web2.start()])
  await master.start()
  await backup.start()

  await t.test('only the master has the virtual address', async (t) => {
    await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
    t.ok(await master.host.hasAddress(VIP), 'ip a on the master shows the virtual address')
    t.notOk(await backup.host.hasAddress(VIP), 'ip a on the backup does not')
    const line = (await master.host.addressLines()).find((each) => each.includes(VIP))
    t.match(line, /^inet 192\.168\.64\.200\/24 .*scope global/, 'as keepalived adds it')
  })

  await t.test('the answers alternate between web1 and web2', async (t) => {
    await expectAlternation(t, lab, master)
  })

  await t.test('proxy dead on the master: the backup takes over', async (t) => {
    const mark = lab.watch.mark
    const at = await master.stopProxy()
    const taken = await lab.watch.waitForChange('director2', true, limits.proxyFailoverMs, mark)
    t.comment(`${master.product}: proxy stopped, address on the backup after ${taken.at - at} ms`)
    await lab.watch.waitForOwners(['director2'], 5000)
    t.notOk(await master.host.hasAddress(VIP), 'the master has given the address away')
    await expectAlternation(t, lab, backup)
  })

  await t.test('proxy back on the master: the address returns', async (t) => {
    await master.startProxy()
    await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
    await expectAlternation(t, lab, master)
  })

  await t.test('master stopped: the backup takes over', async (t) => {
    const mark = lab.watch.mark
    const at = await master.stop()
    const taken = await lab.watch.waitForChange('director2', true, limits.stopFailoverMs, mark)
    t.comment(`${master.product}: stopped, address on the backup after ${taken.at - at} ms`)
    await lab.watch.waitForOwners(['director2'], 5000)
    await expectAlternation(t, lab, backup)
    await master.start()
    await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  })

  await t.test('web1 stopped: only web2 answers and no request fails', async (t) => {
    const load = await lab.steadyClient({ rate: 50, timeoutMs: 5000 })
    const stopped = Date.now()
    await lab.web1.stop()
    const away = Date.now()
    await load.waitForAnswer(away + 1000, RECOVERY_TIMEOUT_MS)
    const without = load.summary(away)
    t.strictSame(Object.keys(without.answers), ['This is web2'], 'only web2 answers')
    t.equal(load.summary(stopped).failed, 0, 'no request failed')

    await lab.web1.start()
    const started = Date.now()
    const back = await load.waitForAnswer(started, RECOVERY_TIMEOUT_MS, 'This is web1')
    t.comment(`web1 answers again ${back.at - started} ms after its start`)
    await load.waitForAnswer(back.at + 1000, RECOVERY_TIMEOUT_MS)
    const both = load.summary(back.at)
    t.strictSame(Object.keys(both.answers).sort(), ['This is web1', 'This is web2'], 'both answer')
    const summary = await load.stop()
    t.equal(summary.failed, 0, `none of ${summary.total} requests failed`)
  })
}

/**
 * Strictly one after the other on a kept connection. Fresh ones alternate too where tsha holds the
 * address, asked at the speed of somebody who tries it by hand; nginx's workers each go round by
 * themselves, and the kernel chooses the worker.
 */
async function expectAlternation(t: Test, lab: Lab, holder: Director): Promise<void> {
  const kept = (await lab.get(6, { keepAlive: true })).map((result) => result.body)
  t.equal(repetitions(kept), 0, `one after the other: ${kept.join(', ')}`)

  if (holder.product === 'tsha') {
    const byHand = (await lab.get(12, { pauseMs: 50 })).map((result) => result.body)
    t.equal(repetitions(byHand), 0, `one after the other: ${byHand.join(', ')}`)
  }
  const fresh = await lab.get(40)
  t.equal(fresh.filter((result) => !result.ok).length, 0, 'every fresh connection is answered')
  const byWeb1 = fresh.filter((result) => result.body === lab.web1.answer).length
  t.ok(byWeb1 >= 15 && byWeb1 <= 25, `about half of 40 by web1: ${byWeb1}`)
}

/** How often an answer is the same as the one before. */
function repetitions(bodies: readonly string[]): number {
  return bodies.filter((body, i) => i > 0 && body === bodies[i - 1]).length
}
