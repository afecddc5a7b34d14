import t from 'tap'
import { Lab } from './lab/lab.js'
import { cannotRun } from './lab/requirements.js'
import { playSeedStory } from './lab/seed-story.js'
import { TshaDirector } from './lab/tsha.js'

t.setTimeout(120_000)

await t.test(
  'two tsha directors with the files of the old pair do what the old pair does',
  { skip: cannotRun('nginx') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const master = new TshaDirector(lab.host('director1'), 'master')
    const backup = new TshaDirector(lab.host('director2'), 'backup')
    await playSeedStory(t, lab, master, backup, { proxyFailoverMs: 2000, stopFailoverMs: 1500 })
  }
)
