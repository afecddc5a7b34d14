// lane: single - no request may fail at 200 connections a second
import t from 'tap'
import { Lab } from './lab/lab.js'
import { signalProcess } from './lab/process-tree.js'
import { cannotRun } from './lab/requirements.js'
import { OLD_FILES, TshaDirector, WATCHED } from './lab/tsha.js'

t.setTimeout(120_000)

const RATE = 200
const STEADY_MS = 15_000

await t.test('a tsha director under steady load', { skip: cannotRun('nginx') }, async (t) => {
  const lab = await Lab.create()
  t.teardown(() => lab.close())
  await Promise.all([lab.web1.start(), lab.web2.start()])
  const master = new TshaDirector(lab.host('director1'), 'master', OLD_FILES, WATCHED)
  const backup = new TshaDirector(lab.host('director2'), 'backup', OLD_FILES, WATCHED)
  await master.start()
  await backup.start()
  await lab.watch.waitForOwners(['director1'], 15_000)

  await t.test('200 fresh connections per second for 15 s: none fails', async (t) => {
    const load = await lab.steadyClient({ rate: RATE })
    await load.waitForAnswer(Date.now() + STEADY_MS, STEADY_MS + 10_000)
    const summary = await load.stop()
    t.comment(
      `${summary.total} requests, ${summary.failed} failed, p50 ${summary.p50Ms.toFixed(1)} ms, ` +
        `p99 ${summary.p99Ms.toFixed(1)} ms, max ${summary.maxMs.toFixed(1)} ms`
    )
    t.strictSame(summary.failures, {}, 'no failure of any kind')
    t.ok(summary.total >= 2950, `about 3000 requests: ${summary.total}`)
    const shares = Object.values(summary.answers).map((count) => count / summary.total)
    t.equal(shares.length, 2, 'both web servers answer')
    t.ok(
      shares.every((share) => share > 0.4 && share < 0.6),
      `half each: ${shares.join()}`
    )
  })

  await t.test('a killed worker: a new one serves within 1 s, the address stays', async (t) => {
    const load = await lab.steadyClient({ rate: RATE })
    const before = await master.waitForWorkers(2)
    const [victim = 0] = before
    const mark = lab.watch.mark
    const at = Date.now()
    t.ok(signalProcess(victim, 'SIGKILL'), 'a worker dies')
    const replacement = await master.waitForWorkers(1, before)
    t.equal(replacement.length, 1, `one new worker after ${Date.now() - at} ms`)
    await load.waitForAnswer(at + 1000, 5000)
    t.strictSame(load.summary(at + 1000).failures, {}, 'from 1 s after the death on nothing fails')

    // Whether the new one serves shows when it is the only one.
    const alone = await master.stopProxy(replacement)
    await load.waitForAnswer(alone + 500, 5000)
    await master.startProxy()
    const byItself = load.summary(alone + 50, alone + 450)
    t.strictSame(byItself.failures, {}, `the new one alone answers ${byItself.total} requests`)
    const summary = await load.stop()
    t.comment(`${summary.failed} of ${summary.total} requests failed, those of the killed workers`)
    t.ok(summary.failed <= 20, 'only what the killed workers held')
    t.equal(lab.watch.mark, mark, 'the virtual address did not move')
  })
})
