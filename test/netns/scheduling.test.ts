import { readFileSync } from 'node:fs'
import t from 'tap'
import { Lab } from './lab/lab.js'
import { installPairFiles, ON_DIRECTOR, TSHA_COMMAND } from './lab/pair-files.js'
import { childrenOf, programOf } from './lab/process-tree.js'
import { cannotRun } from './lab/requirements.js'
import { TshaDirector } from './lab/tsha.js'

t.setTimeout(60_000)

const WAIT_MS = 15_000
const OTHER = 0
const ROUND_ROBIN = 2

/** Nice value and scheduling policy of a process: fields 19 and 41 of proc_pid_stat(5). */
function schedulingOf(pid: number): { readonly nice: number; readonly policy: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { nice: Number(fields[16]), policy: Number(fields[38]) }
}

await t.test('who is preferred to others', { skip: cannotRun() }, async (t) => {
  const lab = await Lab.create({ machines: ['director1', 'director2'] })
  t.teardown(() => lab.close())
  const host = lab.host('director1')

  await t.test('the director of an election, and none of its children', async (t) => {
    const director = new TshaDirector(host, 'master')
    await director.start()
    await director.waitForWorkers(1)
    const refused = director.log.entries.filter(({ msg }) => String(msg).includes('is refused'))
    const { nice, policy } = schedulingOf(director.pid)
    if (refused.length === 0) t.strictSame({ nice, policy }, { nice: -20, policy: ROUND_ROBIN })
    else t.comment(refused.map(({ msg }) => msg).join('; '))
    // An `ip` that renews a lease may end before it is looked at.
    const children = childrenOf(director.pid).flatMap((pid) => {
      try {
        return { program: programOf(pid), ...schedulingOf(pid) }
      } catch {
        return []
      }
    })
    t.ok(children.length >= 2, children.map(({ program }) => program).join(' '))
    for (const { program, ...scheduling } of children)
      t.strictSame(scheduling, { nice: 0, policy: OTHER }, program)
    await director.stop()
  })

  await t.test('not a proxy without elections', async (t) => {
    await installPairFiles(host, 'master')
    const proxy = await host.spawn(process.execPath, [
      TSHA_COMMAND,
      'run',
      '--nginx-conf',
      ON_DIRECTOR.nginx
    ])
    await proxy.lines.waitFor(({ text }) => text.includes('tsha runs'), 'line in the log', WAIT_MS)
    t.strictSame(schedulingOf(proxy.pid), { nice: 0, policy: OTHER })
    t.equal((await proxy.stop('SIGTERM', WAIT_MS)).code, 0)
  })
})
