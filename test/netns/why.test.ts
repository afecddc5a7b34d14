import t from 'tap'
import { Lab } from './lab/lab.js'
import { cannotRun } from './lab/requirements.js'
import { startPair, type LogLine } from './lab/tsha.js'

t.setTimeout(60_000)

/** The sentences of a change of state, without its times. */
function becauseIn(line: LogLine): readonly string[] {
  const because = line['because'] as readonly string[]
  return because.map((sentence) => sentence.replaceAll(/\d\d:\d\d:\d\dZ/g, 'TIME'))
}

await t.test(
  'the proxy of the master is killed: both directors know why the addresses moved',
  { skip: cannotRun('nginx') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const { master, backup } = await startPair(lab)
    const marks = { master: master.log.mark, backup: backup.log.mark }
    await master.stopProxy()
    const taken = await backup.waitForState('master', 15_000, marks.backup)
    const given = await master.waitForState('backup', 15_000, marks.master)
    // Director 1 has .130, director 2 has .134.
    t.strictSame(becauseIn(taken), [
      '192.168.64.130 advertised priority 0 at TIME: it gave the addresses up by itself (it was stopped, handed them over, or has a fault)',
      'until then it advertised priority 100, last at TIME'
    ])
    t.strictSame(becauseIn(given), [
      'we handed the addresses over at TIME: 192.168.64.134 advertised priority 90',
      'the service check fails since TIME: connect ECONNREFUSED 127.0.0.1:80',
      'it takes 20 from the priority 100, so 80',
      '192.168.64.134 is master with priority 90, more than our 80'
    ])
    await Promise.all([master.stop(), backup.stop()])
  }
)
