import t, { type Test } from 'tap'
import { ScriptQueue, type NotifyScript } from '../../../src/director/notify/script-queue.js'
import { Diary, shell, starter } from './support.js'

interface Setup {
  readonly queue: ScriptQueue
  readonly diary: Diary
  readonly troubles: string[]
  readonly script: (text: string) => NotifyScript
}

function setup(t: Test, timeoutMs?: number): Setup {
  const diary = new Diary(`${t.testdir()}/diary`)
  const troubles: string[] = []
  const queue = new ScriptQueue({
    starter: starter(),
    onTrouble: (message) => troubles.push(message),
    ...(timeoutMs === undefined ? {} : { timeoutMs })
  })
  t.teardown(async () => {
    queue.end()
    await queue.untilIdle()
  })
  const script = (text: string): NotifyScript => ({
    command: shell(`D=${diary.path}; ${text}`).command,
    uid: undefined,
    gid: undefined
  })
  return { queue, diary, troubles, script }
}

t.setTimeout(20_000)

t.test('scripts run one after the other, in order', async (t) => {
  const { queue, diary, script } = setup(t)
  queue.add(script('echo begin 1 >> $D; sleep 0.2; echo end 1 >> $D'))
  queue.add(script('echo begin 2 >> $D; sleep 0.1; echo end 2 >> $D'))
  queue.add(script('echo begin 3 >> $D'))
  await queue.untilIdle()
  t.same(diary.lines(), ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3'])
})

t.test('one that hangs is told and killed with its group; the next one runs', async (t) => {
  const { queue, diary, troubles, script } = setup(t, 200)
  queue.add(script(`trap 'echo term >> $D' TERM; sleep 60 & wait; sleep 60`))
  queue.add(script('echo next >> $D'))
  await diary.until(2)
  t.same(diary.lines(), ['term', 'next'])
  t.same(troubles, ['did not end within 200 ms and is killed'])
})

t.test('a failure is told once until it succeeds', async (t) => {
  const { queue, troubles, script, diary } = setup(t)
  const failing = script(`test -s $D && exit 0; exit 3`)
  queue.add(failing)
  queue.add(failing)
  await queue.untilIdle()
  t.same(troubles, ['exited with status 3'])
  queue.add(script('echo x > $D'))
  queue.add(failing)
  queue.add(script('exit 4'))
  await queue.untilIdle()
  t.same(troubles, ['exited with status 3', 'exited with status 4'])
  t.same(diary.lines(), ['x'])
})

t.test('a script that cannot be run is told, and keeps nobody waiting', async (t) => {
  const { queue, diary, troubles, script } = setup(t)
  const nobody = { uid: undefined, gid: undefined }
  queue.add({ command: ['/nonexistent'], ...nobody })
  queue.add({ command: ['/bin/true'], ...nobody, obstacle: 'user x does not exist' })
  queue.add(script('echo next >> $D'))
  await queue.untilIdle()
  t.same(diary.lines(), ['next'])
  t.same(troubles, [
    'could not be run: spawn /nonexistent ENOENT',
    'could not be run: user x does not exist'
  ])
})

t.test('32 wait at most: the oldest is dropped and the newest runs', async (t) => {
  const { queue, diary, troubles, script } = setup(t)
  queue.add(script('while ! test -s $D; do sleep 0.01; done'))
  for (let number = 1; number <= 34; number++) queue.add(script(`echo ${number} >> $D`))
  t.same(troubles, ['was dropped: 32 scripts wait for one that does not end'])
  queue.addOnce(script('echo 34 >> $D'))
  const { appendFileSync } = await import('node:fs')
  appendFileSync(diary.path, 'go\n')
  await queue.untilIdle()
  const lines = diary.lines()
  t.same([lines[1], lines.at(-1), lines.length], ['3', '34', 33])
})

t.test('what is ended gets SIGTERM, and nothing that waits is begun', async (t) => {
  const { queue, diary, troubles, script } = setup(t)
  queue.add(script(`trap 'echo term >> $D; exit' TERM; echo up >> $D; sleep 60 & wait`))
  queue.add(script('echo next >> $D'))
  await diary.until(1)
  queue.end()
  await queue.untilIdle()
  t.same(diary.lines(), ['up', 'term'])
  t.same(troubles, ['did not end before tsha and is killed'])
})
