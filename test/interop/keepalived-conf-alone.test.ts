import t from 'tap'
import { Lab, VIP } from '../netns/lab/lab.js'
import { ON_DIRECTOR } from '../netns/lab/pair-files.js'
import { cannotRun } from '../netns/lab/requirements.js'
import { TshaDirector } from '../netns/lab/tsha.js'
import { until } from '../netns/lab/until.js'

t.setTimeout(120_000)

const SETTLE_TIMEOUT_MS = 15_000
/** tsha in keepalived's place alone: nginx stays. */
const KEEPALIVED_CONF: readonly string[] = ['--keepalived-conf', ON_DIRECTOR.keepalived]

await t.test(
  'tsha in the place of keepalived, beside the real nginx',
  { skip: cannotRun('nginx', 'pgrep', 'bash') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    await Promise.all([lab.web1.start(), lab.web2.start()])
    const master = new TshaDirector(lab.host('director1'), 'master', KEEPALIVED_CONF)
    const backup = new TshaDirector(lab.host('director2'), 'backup', KEEPALIVED_CONF)
    for (const director of [master, backup]) {
      await director.start()
      await director.host.must('nginx')
    }

    await t.test("the master has the address, its host's nginx answers", async (t) => {
      await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
      const answers = await lab.get(4, { keepAlive: true })
      t.strictSame([...new Set(answers.map((each) => each.body))].sort(), [
        'This is web1',
        'This is web2'
      ])
      t.strictSame(master.workers, [], 'without nginx.conf there is no proxy')
    })

    await t.test('the check script finds no nginx: the address moves', async (t) => {
      const mark = lab.watch.mark
      const at = Date.now()
      await lab.host('director1').must('nginx', '-s', 'quit')
      // It ends in its own time, and is a process until then.
      const isGone = async (): Promise<boolean> =>
        (await lab.host('director1').pids('nginx')).length === 0
      await until('the end of nginx', isGone, 5000)
      // At most the check interval of 2 s and Skew_Time of 0.65 s, and some for the script itself.
      const taken = await lab.watch.waitForChange('director2', true, 3500, mark)
      t.comment(`nginx stopped, address on the backup after ${taken.at - at} ms`)
      await lab.watch.waitForOwners(['director2'], 5000)
      t.notOk(await lab.host('director1').hasAddress(VIP), 'the master has given it away')
    })

    await t.test('the check script finds nginx again: the address returns', async (t) => {
      await lab.host('director1').must('nginx')
      await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
      const answers = await lab.get(4)
      t.equal(answers.filter((each) => each.ok).length, 4, 'and it serves')
    })

    await t.test('a check script that hangs is killed and counts as failed', async (t) => {
      const hang = '#!/bin/sh\nexec sleep 3600\n'
      await lab.host('director1').writeFile(ON_DIRECTOR.check, hang, 0o755)
      await lab.watch.waitForOwners(['director2'], SETTLE_TIMEOUT_MS)
      await master.stop()
      const sleeping = await lab.host('director1').pids('sleep')
      t.strictSame(sleeping, [], 'no script outlives tsha')
    })
  }
)
