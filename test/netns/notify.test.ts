import t from 'tap'
import { Lab } from './lab/lab.js'
import { linesOf, membersSorted, playNotifyStory, STORY } from './lab/notify-story.js'
import { TSHA_COMMAND } from './lab/pair-files.js'
import { cannotRun } from './lab/requirements.js'

t.setTimeout(120_000)

await t.test(
  'the pipe and the scripts of a sync group tell what keepalived tells',
  { skip: cannotRun() },
  async (t) => {
    const lab = await Lab.create({ machines: ['director1', 'director2'] })
    t.teardown(() => lab.close())
    const { lines, scripts } = await playNotifyStory(lab, (host, config) =>
      host.spawn(process.execPath, [TSHA_COMMAND, 'run', '--keepalived-conf', config])
    )
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
    t.strictSame(
      scripts,
      'backup master fault backup master fault backup master stop'.split(' '),
      'one script after the other'
    )
  }
)
