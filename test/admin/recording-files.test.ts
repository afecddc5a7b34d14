import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { directorLost } from '../../src/admin/director-lost.js'
import {
  checkDirectory,
  newestRecording,
  prepareDirectory,
  writeRecording
} from '../../src/admin/recording-files.js'
import { RecordingMirror } from '../../src/admin/recording-mirror.js'

const AT = new Date('2026-11-23T12:00:00.123Z')

function later(hours: number): Date {
  return new Date(AT.getTime() + hours * 3_600_000)
}

const never = (): AbortSignal => new AbortController().signal

void t.test('a recording is written whole, for the group to read', async (t) => {
  const directory = t.testdir()
  const { path, onDisk } = await writeRecording(directory, ['a\n', 'b\n'], AT, never())
  t.equal(path, join(directory, 'tsha-2026-11-23T12-00-00.123Z.jsonl'))
  t.equal(await readFile(path, 'utf8'), 'a\nb\n')
  t.equal((await stat(path)).mode & 0o777, 0o640)
  t.same(await readdir(directory), ['tsha-2026-11-23T12-00-00.123Z.jsonl'])
  await onDisk
})

void t.test('five are kept, and what a killed writer left is removed', async (t) => {
  const directory = t.testdir({ 'other.jsonl': '', '.tsha-x.jsonl.00.part': 'half' })
  for (let i = 0; i < 8; i++) {
    const { onDisk } = await writeRecording(directory, ['x\n'], later(i), never())
    await onDisk
  }
  t.same((await readdir(directory)).sort(), [
    'other.jsonl',
    'tsha-2026-11-23T15-00-00.123Z.jsonl',
    'tsha-2026-11-23T16-00-00.123Z.jsonl',
    'tsha-2026-11-23T17-00-00.123Z.jsonl',
    'tsha-2026-11-23T18-00-00.123Z.jsonl',
    'tsha-2026-11-23T19-00-00.123Z.jsonl'
  ])
  const newest = join(directory, 'tsha-2026-11-23T19-00-00.123Z.jsonl')
  t.equal(await newestRecording(directory, later(6)), newest)
  t.equal(await newestRecording(directory, later(8)), null, 'an old one is no news')
})

void t.test('one that takes too long leaves nothing behind', async (t) => {
  const directory = t.testdir()
  const signal = AbortSignal.abort()
  await t.rejects(writeRecording(directory, ['x\n'], AT, signal), { name: 'AbortError' })
  t.same(await readdir(directory), [])
})

void t.test('a directory is created; one that cannot be written to is told of', async (t) => {
  const directory = join(t.testdir({ file: '' }), 'new')
  await prepareDirectory(directory, null)
  t.equal((await stat(directory)).mode & 0o777, 0o750)
  await prepareDirectory(directory, null)
  await checkDirectory(directory)
  await t.rejects(prepareDirectory(join(directory, 'far', 'away'), null), { code: 'ENOENT' })
  await t.rejects(checkDirectory(join(directory, 'nowhere')), { code: 'ENOENT' })
})

void t.test(
  'a directory is given away only if it is ours and holds nothing else',
  { skip: process.getuid?.() === 0 ? false : 'needs root' },
  async (t) => {
    const user = { uid: 65534, gid: 65534 }
    const root = t.testdir({ ours: {}, others: { 'passwords.txt': '' } })
    await prepareDirectory(join(root, 'new'), user)
    await prepareDirectory(join(root, 'ours'), user)
    await prepareDirectory(join(root, 'others'), user)
    t.equal((await stat(join(root, 'new'))).uid, 65534)
    t.equal((await stat(join(root, 'ours'))).uid, 65534)
    t.equal((await stat(join(root, 'others'))).uid, 0)
  }
)

void t.test(
  'a director that is lost leaves what is kept of it; trouble is no failure',
  async (t) => {
    const directory = t.testdir()
    const mirror = new RecordingMirror()
    await directorLost(mirror, directory)
    t.same(await readdir(directory), [], 'nothing was recorded')
    mirror.push(['header', '{"type":"segment"}', 'step'], true)
    await directorLost(mirror, null)
    await directorLost(mirror, join(directory, 'nowhere'))
    await directorLost(mirror, directory)
    const [name = ''] = await readdir(directory)
    t.equal(await readFile(join(directory, name), 'utf8'), 'header\n{"type":"segment"}\nstep\n')
  }
)

void t.test('what is left of a mirror that is full begins where a replay can begin', (t) => {
  const mirror = new RecordingMirror(90)
  mirror.push(['header'], true)
  for (let i = 0; i < 10; i++) {
    mirror.push([`{"type":"segment","number":${i}}`, `step ${i} a`, `step ${i} b`], false)
  }
  t.same(
    [...mirror.text()],
    ['header\n', '{"type":"segment","number":9}\n', 'step 9 a\n', 'step 9 b\n']
  )
  mirror.push(['another'], true)
  t.same([...mirror.text()], ['another\n'])
  t.end()
})

void t.test('what was written is found by a name that nobody else has', async (t) => {
  const directory = t.testdir()
  await writeFile(join(directory, 'tsha-notes.jsonl'), '')
  t.equal(await newestRecording(directory, new Date(0)), null)
})
