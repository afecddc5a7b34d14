import t from 'tap'
import { KeepalivedDirector } from '../netns/lab/keepalived.js'
import { Lab } from '../netns/lab/lab.js'
import { cannotRun } from '../netns/lab/requirements.js'
import { playSeedStory } from '../netns/lab/seed-story.js'

t.setTimeout(120_000)

await t.test(
  'the pair of keepalived and nginx behaves in the lab as it does in production',
  { skip: cannotRun('keepalived', 'nginx', 'pgrep', 'bash') },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const master = new KeepalivedDirector(lab.host('director1'), 'master')
    const backup = new KeepalivedDirector(lab.host('director2'), 'backup')
    // Check interval and Master_Down_Interval: 2.65 to 5.65 s; Skew_Time of 90: 0.65 s.
    await playSeedStory(t, lab, master, backup, { proxyFailoverMs: 6500, stopFailoverMs: 1500 })
  }
)
