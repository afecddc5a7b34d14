import t from 'tap'
import { KeepalivedDirector } from '../netns/lab/keepalived.js'
import { Lab } from '../netns/lab/lab.js'
import { cannotRun } from '../netns/lab/requirements.js'
import { playSeedStory } from '../netns/lab/seed-story.js'
import { TshaDirector } from '../netns/lab/tsha.js'

t.setTimeout(120_000)

await t.test(
  'a tsha master works with a backup of keepalived and nginx',
  { skip: cannotRun('keepalived', 'nginx', 'pgrep', 'bash') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const master = new TshaDirector(lab.host('director1'), 'master')
    const backup = new KeepalivedDirector(lab.host('director2'), 'backup')
    // keepalived needs only its Skew_Time of 0.65 s when the master hands over.
    await playSeedStory(t, lab, master, backup, { proxyFailoverMs: 2000, stopFailoverMs: 1500 })
  }
)
