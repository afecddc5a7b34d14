import t from 'tap'
import { Lab } from './lab/lab.js'
import { commandLineOf, familyOf, signalProcess } from './lab/process-tree.js'
import { cannotRun } from './lab/requirements.js'
import { TSHA_COMMAND } from './lab/pair-files.js'
import { OLD_FILES, TshaDirector } from './lab/tsha.js'

t.setTimeout(120_000)

const SETTLE_TIMEOUT_MS = 15_000
/** Where the machines of the lab look for programs first. */
const FIRST_ON_PATH = '/usr/local/sbin'
/** Loaded before the program: a worker stands still before it can say anything. */
const FREEZE_WORKERS = `
if (process.argv[1].endsWith('worker.js')) {
  require('node:fs').writeSync(1, 'a worker is frozen\\n')
  for (;;) {}
}
`

await t.test('the system fails under a director', { skip: cannotRun() }, async (t) => {
  const lab = await Lab.create({ web: 'node' })
  t.teardown(() => lab.close())
  await Promise.all([lab.web1.start(), lab.web2.start()])
  const host = lab.host('director1')
  const realIp = (await host.must('sh', '-c', 'readlink -f "$(command -v ip)"')).trim()
  await host.must('mount', '-t', 'tmpfs', 'tmpfs', FIRST_ON_PATH)
  /** Replaces `ip` on the master by a shell script, in which `$IP` is the real one. */
  const replaceIp = async (script: string): Promise<void> => {
    await host.writeFile(`${FIRST_ON_PATH}/new`, `#!/bin/sh\nIP=${realIp}\n${script}\n`, 0o755)
    await host.must('mv', `${FIRST_ON_PATH}/new`, `${FIRST_ON_PATH}/ip`)
  }
  const master = new TshaDirector(host, 'master')
  const backup = new TshaDirector(lab.host('director2'), 'backup')
  await Promise.all([master.start(), backup.start()])
  await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)

  await t.test('one renewal that hangs does not end the lease', async (t) => {
    const mark = lab.watch.mark
    const logMark = master.log.mark
    await replaceIp(
      'if [ "$2" = replace ] && mkdir /run/hung 2>/dev/null; then exec sleep 30; fi; exec $IP "$@"'
    )
    await master.log.waitFor(
      (line) => String(line['msg']).includes('did not end within 2000 ms'),
      'report of the hanging ip',
      SETTLE_TIMEOUT_MS,
      logMark
    )
    await t.rejects(lab.watch.waitForChange('director1', false, 2000, mark), {
      name: 'WaitTimeout'
    })
  })

  await t.test('a master that cannot hold the address leaves it to its partner', async (t) => {
    const logMark = master.log.mark
    await replaceIp('echo refused >&2; exit 1')
    await lab.watch.waitForOwners(['director2'], 6000)
    t.equal(
      master.log.since(logMark).filter((line) => String(line['msg']).includes('refused')).length <=
        2,
      true,
      'and does not repeat itself'
    )
    await replaceIp('exec $IP "$@"')
    await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  })

  await t.test('an interface that is deleted and made again', async () => {
    await lab.replaceInterface('director1')
    await lab.watch.waitForOwners(['director2'], SETTLE_TIMEOUT_MS)
    await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  })

  await t.test('SIGKILL of the director process alone leaves no child behind', async (t) => {
    const family = familyOf(master.pid)
    t.ok(
      family.some((pid) => commandLineOf(pid).includes('monitor link')),
      'it had one'
    )
    signalProcess(master.pid, 'SIGKILL')
    await lab.watch.waitForOwners(['director2'], 6000)
    t.strictSame(family.map(commandLineOf).filter(Boolean), [])
  })
  await t.test('SIGTERM before the workers listen ends it at once', async (t) => {
    await host.writeFile('/run/frozen.cjs', FREEZE_WORKERS)
    const command = [TSHA_COMMAND, 'run', '--role', 'master', ...OLD_FILES]
    const starting = await host.spawn(process.execPath, command, {
      env: { NODE_OPTIONS: '--require /run/frozen.cjs' }
    })
    await starting.lines.waitFor(
      (line) => line.text === 'a worker is frozen',
      'sign of a frozen worker',
      SETTLE_TIMEOUT_MS
    )
    const at = Date.now()
    const exit = await starting.stop('SIGTERM', 12_000)
    t.equal(exit.code, 0)
    t.ok(Date.now() - at < 2000, `after ${Date.now() - at} ms`)
    t.strictSame(await host.pidsOfProgram('node'), [])
  })
})
