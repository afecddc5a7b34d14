import t from 'tap'
import { KeepalivedDirector } from '../netns/lab/keepalived.js'
import { Lab } from '../netns/lab/lab.js'
import { cannotRun } from '../netns/lab/requirements.js'
import { playSeedStory } from '../netns/lab/seed-story.js'
import { TshaDirector } from '../netns/lab/tsha.js'

t.setTimeout(120_000)

await t.test(
  'a tsha backup works with a master of keepalived and nginx',
  { skip: cannotRun('keepalived', 'nginx', 'pgrep', 'bash') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const master = new KeepalivedDirector(lab.host('director1'), 'master')
    const backup = new TshaDirector(lab.host('director2'), 'backup')
    // The master's check interval of 2 s and the backup's Master_Down_Interval: at most 5.65 s.
    await playSeedStory(t, lab, master, backup, { proxyFailoverMs: 6500, stopFailoverMs: 1500 })
  }
)
