import t from 'tap'
import { Lab, VIP } from './lab/lab.js'
import { cannotRun } from './lab/requirements.js'
import { installPairFiles, ON_DIRECTOR } from './lab/pair-files.js'
import { isStateChange, TshaDirector } from './lab/tsha.js'

t.setTimeout(60_000)

const SETTLE_TIMEOUT_MS = 15_000

await t.test('an opponent, with hand_over: keepalived', { skip: cannotRun() }, async (t) => {
  const lab = await Lab.create({ web: 'node' })
  t.teardown(() => lab.close())
  await Promise.all([lab.web1.start(), lab.web2.start()])
  const host = lab.host('director1')
  const master = new TshaDirector(host, 'master', [])
  await installPairFiles(host, 'master')
  const yaml = await host.readFile(ON_DIRECTOR.tsha)
  await host.writeFile(
    ON_DIRECTOR.tsha,
    yaml.replace('    vrid: 51\n', '    vrid: 51\n    hand_over: keepalived\n')
  )
  await master.startProcess()
  await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  const { mark } = lab.watch
  const logMark = master.log.mark
  for (let i = 0; i < 2; i++) {
    await host.must('ip', 'addr', 'del', `${VIP}/24`, 'dev', 'ens160')
    if (i === 0) await lab.watch.waitForChange('director1', true, SETTLE_TIMEOUT_MS, mark)
  }

  await t.test(
    'it leaves by a fault, and is back 5.1 s later because nobody takes over',
    async (t) => {
      const left = await master.log.waitFor(isStateChange, 'fault', SETTLE_TIMEOUT_MS, logMark)
      t.not(left['to'], 'master')
      await lab.watch.waitForOwners([], 1000)
      const back = await master.waitForState('master', SETTLE_TIMEOUT_MS, logMark)
      const awayMs = Date.parse(String(back['time'])) - Date.parse(String(left['time']))
      t.ok(awayMs > 5000 && awayMs < 5400, `away for ${awayMs} ms`)
      await lab.watch.waitForOwners(['director1'], 1000)
    }
  )
})
