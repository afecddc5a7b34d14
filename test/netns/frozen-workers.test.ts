import t from 'tap'
import { Lab } from './lab/lab.js'
import { signalProcess } from './lab/process-tree.js'
import { cannotRun } from './lab/requirements.js'
import { startPair } from './lab/tsha.js'

t.setTimeout(90_000)

await t.test(
  'workers that are alive and do not serve: a process check never sees them',
  { skip: cannotRun('nginx') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const { master } = await startPair(lab)
    const frozen = await master.waitForWorkers(2)

    const mark = lab.watch.mark
    const at = Date.now()
    for (const pid of frozen) signalProcess(pid, 'SIGSTOP')
    // At most the interval and the timeout of the service check, 2 s each, and Skew_Time, 0.65 s.
    const taken = await lab.watch.waitForChange('director2', true, 5000, mark)
    t.comment(`workers frozen, address on the backup after ${taken.at - at} ms`)
    const answers = await lab.get(4)
    t.equal(answers.filter((each) => each.ok).length, 4, 'the backup serves')

    // Their loops have stood still for more than 5 s: they are killed and replaced.
    await master.waitForWorkers(frozen.length, frozen)
    await lab.watch.waitForOwners(['director1'], 15_000)
    const after = await lab.get(4)
    t.equal(after.filter((each) => each.ok).length, 4, 'the master serves again')
  }
)
