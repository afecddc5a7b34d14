import t from 'tap'
import { Lab } from '../netns/lab/lab.js'
import { linesOf, membersSorted, playNotifyStory, STORY } from '../netns/lab/notify-story.js'
import { cannotRun } from '../netns/lab/requirements.js'

t.setTimeout(120_000)

await t.test(
  'what keepalived tells of a sync group',
  { skip: cannotRun('keepalived') },
  async (t) => {
    const lab = await Lab.create({ machines: ['director1', 'director2'] })
    t.teardown(() => lab.close())
    const { lines } = await playNotifyStory(lab, (host, config) =>
      host.spawn('keepalived', ['--dont-fork', '--log-console', '--vrrp', '-f', config])
    )
    t.comment(JSON.stringify(lines, null, 1))
    t.strictSame(
      membersSorted(lines.director1),
      linesOf(
        STORY.map(({ director1 }) => director1),
        100
      )
    )
    t.strictSame(
      membersSorted(lines.director2),
      linesOf(
        STORY.map(({ director2 }) => director2),
        90
      )
    )
  }
)
