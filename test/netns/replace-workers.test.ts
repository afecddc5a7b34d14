// lane: alone - measures the latency of requests while workers are replaced
import t from 'tap'
import { Lab } from './lab/lab.js'
import { signalProcess } from './lab/process-tree.js'
import { cannotRun } from './lab/requirements.js'
import { startPair } from './lab/tsha.js'

t.setTimeout(120_000)

const REPLACEMENTS = 4
const REPLACEMENT_LIMIT_MS = 20_000

await t.test(
  'SIGUSR2: all workers are replaced under load, four times, and no client notices',
  { skip: cannotRun('nginx') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const { master } = await startPair(lab)
    let workers = await master.waitForWorkers(2)
    const generations = [...workers]

    const loads = {
      'fresh connections': await lab.steadyClient({ rate: 100 }),
      'kept, asking every 0.4 s': await lab.steadyClient({ rate: 100, keepAlive: 40 }),
      'kept, asking every 2 s': await lab.steadyClient({ rate: 50, keepAlive: 100 })
    }
    const mark = lab.watch.mark
    const begun = Date.now()
    await loads['kept, asking every 2 s'].waitForAnswer(begun + 2100, 5000)
    for (let i = 0; i < REPLACEMENTS; i += 1) {
      const logMark = master.log.mark
      const at = Date.now()
      t.ok(signalProcess(master.pid, 'SIGUSR2'))
      await master.log.waitFor(
        (line) => line['msg'] === 'all workers are new',
        'end of the replacement',
        REPLACEMENT_LIMIT_MS,
        logMark
      )
      workers = await master.waitForWorkers(2, generations)
      t.equal(workers.length, 2, `two new workers after ${Date.now() - at} ms`)
      generations.push(...workers)
    }
    await loads['fresh connections'].waitForAnswer(Date.now() + 500, 5000)

    for (const [name, load] of Object.entries(loads)) {
      const summary = await load.stop()
      t.strictSame(summary.failures, {}, `${name}: none of ${summary.total} requests failed`)
      t.comment(`${name}: p99 ${summary.p99Ms.toFixed(1)} ms, max ${summary.maxMs.toFixed(1)} ms`)
    }
    t.equal(lab.watch.mark, mark, 'the virtual address did not move')
    const trouble = master.log.entries.filter(
      (line) => Number(line['level']) >= 40 || line['msg'] === 'check fails'
    )
    t.strictSame(trouble, [], 'nobody died, and the service was never down')
  }
)
