import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import type { NotifyFifo } from '../../../src/config/model.js'
import { Notifier } from '../../../src/director/notify/notifier.js'
import { Diary, memoryLog, NOBODY, shell, starter } from './support.js'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const OURS = { uid: undefined, gid: undefined }

async function open(
  fifo: NotifyFifo | null
): Promise<{ readonly notifier: Notifier; readonly messages: () => readonly string[] }> {
  const { log, messages } = memoryLog()
  const options = { fifo, identityOf: () => OURS, starter: starter(), log }
  return { notifier: await Notifier.open(options), messages }
}

/** Reads a pipe until a line says STOP. */
async function readPipe(t: Test, path: string): Promise<readonly string[]> {
  const cat = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => {
    cat.kill('SIGKILL')
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: cat.stdout })) {
    lines.push(line)
    if (line.includes('STOP')) break
  }
  return lines
}

t.setTimeout(30_000)

t.test('each change runs its scripts and is a line of the pipe', async (t) => {
  const folder = t.testdir()
  const diary = new Diary(`${folder}/diary`)
  const path = `${folder}/fifo`
  const { notifier, messages } = await open({ path, user: null, group: null, reader: null })
  const note = (name: string): ReturnType<typeof shell> => shell(`echo "$@" >> ${diary.path}`, name)
  const notify = {
    ...NOBODY,
    master: note('master'),
    stop: note('stop'),
    any: note('any'),
    masterRxLowerPriority: note('rx')
  }
  t.equal(statSync(path).mode & 0o777, 0o600)
  notifier.stateChanged('INSTANCE', 'VI_1', 'BACKUP', 100, notify)
  notifier.priorityChanged('VI_1', false, 80)
  notifier.stateChanged('INSTANCE', 'VI_1', 'MASTER', 80, notify)
  notifier.priorityChanged('VI_1', true, 100)
  notifier.masterRxLowerPriority('VI_1', 100, notify)
  notifier.stateChanged('GROUP', 'G1', 'MASTER', 100, NOBODY)
  notifier.stateChanged('INSTANCE', 'VI_1', 'STOP', 100, notify)
  const lines = await readPipe(t, path)
  await notifier.stop()
  t.same(lines, [
    'INSTANCE "VI_1" BACKUP 100',
    'INSTANCE "VI_1" BACKUP_PRIORITY 80',
    'INSTANCE "VI_1" MASTER 80',
    'INSTANCE "VI_1" MASTER_PRIORITY 100',
    'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100',
    'GROUP "G1" MASTER 0',
    'INSTANCE "VI_1" STOP 100'
  ])
  t.same(diary.lines(), [
    'any INSTANCE VI_1 BACKUP 100',
    'master',
    'any INSTANCE VI_1 MASTER 80',
    'rx',
    'stop',
    'any INSTANCE VI_1 STOP 100'
  ])
  t.notOk(existsSync(path), 'the pipe that we made is removed')
  t.same(messages(), [])
})

t.test('a pipe that was there stays', async (t) => {
  const path = `${t.testdir()}/fifo`
  execFileSync('mkfifo', [path])
  const { notifier } = await open({ path, user: null, group: null, reader: null })
  await notifier.stop()
  t.ok(statSync(path).isFIFO())
})

t.test('what is no pipe is told, left alone and done without', async (t) => {
  const folder = t.testdir()
  writeFileSync(`${folder}/file`, 'mine')
  const file = await open({
    path: `${folder}/file`,
    user: null,
    group: null,
    reader: shell('exit')
  })
  file.notifier.stateChanged('INSTANCE', 'VI_1', 'MASTER', 100, NOBODY)
  await file.notifier.stop()
  t.same(file.messages(), [`no notify FIFO: ${folder}/file is not a named pipe`])
  t.equal(readFileSync(`${folder}/file`, 'utf8'), 'mine')
  const missing = await open({ path: `${folder}/none/fifo`, user: null, group: null, reader: null })
  await missing.notifier.stop()
  t.match(missing.messages(), [/^no notify FIFO: mkfifo: .*No such file or directory$/])
})

t.test('nobody reads: 64 KiB wait, then lines are lost, which is told once', async (t) => {
  const path = `${t.testdir()}/fifo`
  const { notifier, messages } = await open({ path, user: null, group: null, reader: null })
  for (let number = 0; number < 5000; number++) {
    notifier.stateChanged('INSTANCE', 'VI_1', 'BACKUP', 100, NOBODY)
  }
  t.same(messages(), [
    'the notify FIFO is full: nobody reads it; lines are lost until that changes'
  ])
  await notifier.stop()
})

t.test('the reader of the pipe gets its path, is started again, and is ended', async (t) => {
  const folder = t.testdir()
  const diary = new Diary(`${folder}/diary`)
  const path = `${folder}/fifo`
  const text = `echo up $1 >> ${diary.path}; read line < $1; echo "$line" >> ${diary.path}
    test "$line" != 'INSTANCE "VI_1" BACKUP 100' || exit 1
    trap 'echo term >> ${diary.path}; exit' TERM; echo waiting >> ${diary.path}; sleep 60 & wait`
  const { notifier, messages } = await open({ path, user: null, group: null, reader: shell(text) })
  notifier.stateChanged('INSTANCE', 'VI_1', 'BACKUP', 100, NOBODY)
  await diary.until(3)
  notifier.stateChanged('INSTANCE', 'VI_1', 'MASTER', 100, NOBODY)
  await diary.until(5)
  await notifier.stop()
  t.same(diary.lines(), [
    `up ${path}`,
    'INSTANCE "VI_1" BACKUP 100',
    `up ${path}`,
    'INSTANCE "VI_1" MASTER 100',
    'waiting',
    'term'
  ])
  t.same(messages(), ['notify FIFO script exited with status 1; it is started again'])
})

t.test('a reader that ignores SIGTERM is killed 2 s later', async (t) => {
  const folder = t.testdir()
  const diary = new Diary(`${folder}/diary`)
  const text = `trap '' TERM; echo up >> ${diary.path}; while :; do sleep 60; done`
  const { notifier } = await open({
    path: `${folder}/fifo`,
    user: null,
    group: null,
    reader: shell(text)
  })
  await diary.until(1)
  const before = performance.now()
  await notifier.stop()
  const took = performance.now() - before
  t.ok(took >= 1950 && took < 4000, `${took.toFixed(0)} ms`)
})

t.test('a pipe that is made is given to its user and group', { skip }, async (t) => {
  const { log } = memoryLog()
  const path = `${t.testdir()}/fifo`
  const identityOf = ({ user, group }: { user: string | null; group: string | null }) => {
    t.strictSame([user, group], ['nobody', 'nogroup'])
    return { uid: 65_534, gid: 65_533 }
  }
  const fifo = { path, user: 'nobody', group: 'nogroup', reader: null }
  const notifier = await Notifier.open({ fifo, identityOf, starter: starter(), log })
  const { uid, gid, mode } = statSync(path)
  await notifier.stop()
  t.strictSame([uid, gid, mode & 0o777], [65_534, 65_533, 0o600])
})

t.test('scripts that do not end hold the stop up for 5 s', async (t) => {
  const diary = new Diary(`${t.testdir()}/diary`)
  const { notifier, messages } = await open(null)
  const stop = shell(`trap 'echo term >> ${diary.path}; exit' TERM; sleep 60 & wait`)
  notifier.stateChanged('INSTANCE', 'VI_1', 'STOP', 100, { ...NOBODY, stop })
  const before = performance.now()
  await notifier.stop()
  const took = performance.now() - before
  t.ok(took >= 4950 && took < 7000, `${took.toFixed(0)} ms`)
  t.same(diary.lines(), ['term'])
  t.same(messages(), ['notify script did not end before tsha and is killed'])
})

t.test('a script that hangs does not keep the one of the stop from running', async (t) => {
  const diary = new Diary(`${t.testdir()}/diary`)
  const { notifier } = await open(null)
  const notify = {
    ...NOBODY,
    master: shell(`trap 'echo term >> ${diary.path}; exit' TERM; sleep 60 & wait`),
    stop: shell(`echo stop >> ${diary.path}`)
  }
  notifier.stateChanged('INSTANCE', 'VI_1', 'MASTER', 100, notify)
  notifier.stateChanged('INSTANCE', 'VI_1', 'STOP', 100, notify)
  await notifier.stop()
  t.same(diary.lines(), ['term', 'stop'])
})
