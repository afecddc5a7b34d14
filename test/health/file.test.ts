import {
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { FileCheck, type InitialValue } from '../../src/health/checks/file.js'

/** A tracked file, and what was told of it so far. */
class Followed {
  readonly told: (number | string)[] = []
  readonly path: string
  readonly check: FileCheck
  #heard: (() => void) | null = null

  constructor(t: Test, path: string, initial: InitialValue | null = null) {
    this.path = path
    const tell = (what: number | string): void => {
      this.told.push(what)
      this.#heard?.()
    }
    this.check = new FileCheck(path, { changed: tell, troubled: tell }, initial)
    t.teardown(() => {
      this.check.stop()
    })
  }

  async until(count: number): Promise<readonly (number | string)[]> {
    while (this.told.length < count) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve
      })
    }
    return this.told
  }
}

function followed(t: Test, content: string | null, initial: InitialValue | null = null): Followed {
  const folder = t.testdir()
  if (content !== null) writeFileSync(`${folder}/value`, content)
  const file = new Followed(t, `${folder}/value`, initial)
  file.check.start()
  return file
}

t.setTimeout(20_000)

t.test('the number is read at the start, and at once after each change', async (t) => {
  const file = followed(t, '5\n')
  t.equal(file.check.value, null)
  t.same(await file.until(1), [5])
  const before = performance.now()
  writeFileSync(file.path, '-20\n')
  t.same(await file.until(2), [5, -20])
  t.ok(performance.now() - before < 1000, 'sooner than the next poll')
  t.equal(file.check.value, -20)
})

t.test('a new file in its place is noticed, and so is its end: it counts as 0', async (t) => {
  const file = followed(t, '5')
  await file.until(1)
  writeFileSync(`${file.path}.new`, '6')
  renameSync(`${file.path}.new`, file.path)
  t.same(await file.until(2), [5, 6])
  rmSync(file.path)
  t.same(await file.until(3), [5, 6, 0])
})

t.test('keepalived: a missing file is 0 from the start', async (t) => {
  t.same(await followed(t, null).until(1), [0])
})

t.test('a folder that was made anew is followed again', async (t) => {
  const folder = t.testdir({ data: { value: '3' } })
  const file = new Followed(t, `${folder}/data/value`)
  file.check.start()
  await file.until(1)
  rmSync(`${folder}/data`, { recursive: true })
  await file.until(2)
  mkdirSync(`${folder}/data`)
  writeFileSync(`${folder}/data/value`, '4')
  t.same(await file.until(3), [3, 0, 4])
  writeFileSync(`${folder}/data/value`, '5')
  t.same(await file.until(4), [3, 0, 4, 5])
})

t.test('a write in two steps is not taken for an empty file between them', async (t) => {
  const file = followed(t, '7')
  await file.until(1)
  const descriptor = openSync(file.path, 'w')
  await setTimeout(50) // the pause of a slow writer, not a wait for an event
  writeSync(descriptor, '8')
  t.same(await file.until(2), [7, 8])
})

t.test('a file that stays empty is 0', async (t) => {
  const file = followed(t, '7')
  await file.until(1)
  writeFileSync(file.path, '')
  t.same(await file.until(2), [7, 0])
})

t.test('broken content is told once, and counts as keepalived 2.2.7 takes it', async (t) => {
  const file = followed(t, 'abc')
  t.same(await file.until(2), [
    `${file.path} holds "abc", which is no number alone; it counts as 0`,
    0
  ])
  writeFileSync(file.path, '7xyz')
  await file.until(4)
  t.same(file.told.slice(2), [
    `${file.path} holds "7xyz", which is no number alone; it counts as 7`,
    7
  ])
  writeFileSync(file.path, '99999999999')
  await file.until(5)
  t.same(file.told.slice(4), [
    `${file.path} holds "99999999999", which is beyond 32 bits; its last number holds`
  ])
  writeFileSync(file.path, '1')
  t.same((await file.until(6)).slice(5), [1])
})

t.test('what cannot be read is told once and counts as 0', async (t) => {
  const folder = t.testdir({ value: {} })
  const file = new Followed(t, `${folder}/value`)
  file.check.start()
  await file.until(2)
  await setTimeout(2500) // another poll goes by
  t.match(file.told, [/value cannot be read, which counts as 0: .*EISDIR/, 0])
  t.equal(file.told.length, 2)
})

t.test('a file without end is read up to 64 bytes', async (t) => {
  t.same(await followed(t, `${' '.repeat(10)}12${' '.repeat(100_000)}`).until(1), [12])
})

t.test('a server that hangs is told, is asked once, and the last number holds', async (t) => {
  const folder = t.testdir()
  const told: (number | string)[] = []
  let asked = 0
  let answer = (): void => undefined
  const check = new FileCheck(
    `${folder}/value`,
    { changed: (value) => told.push(value), troubled: (message) => told.push(message) },
    null,
    async () => {
      asked += 1
      if (asked === 2) await new Promise<void>((resolve) => (answer = resolve))
      return String(asked)
    }
  )
  t.teardown(() => {
    check.stop()
  })
  check.start()
  while (asked < 2) {
    await setTimeout(25) // no event tells of a reader that is asked
    writeFileSync(`${folder}/value`, '')
  }
  await setTimeout(4200) // two polls go by
  t.equal(asked, 2)
  t.same(told, [1, `${folder}/value did not answer within 1000 ms; its last number holds`])
  answer()
  while (told.length < 3) await setTimeout(10)
  t.equal(told[2], 2)
})

t.test(
  'init_file: a file that is not there is made, one that is there is left alone',
  async (t) => {
    const initial = { value: 7, overwrites: false }
    const made = followed(t, null, initial)
    t.same(await made.until(1), [7])
    t.equal(readFileSync(made.path, 'utf8'), '7\n')
    t.same(await followed(t, '5\n', initial).until(1), [5])
  }
)

t.test('init_file: one that is there is written over where that is asked for', async (t) => {
  const file = followed(t, '123456\n', { value: -3, overwrites: true })
  t.same(await file.until(1), [-3])
  t.equal(readFileSync(file.path, 'utf8'), '-3\n')
})

t.test('init_file: what cannot be written is told, and counts as 0', async (t) => {
  const file = new Followed(t, `${t.testdir()}/missing/value`, { value: 7, overwrites: false })
  file.check.start()
  const [message, value] = await file.until(2)
  t.match(message, /value cannot be written: Error: ENOENT/)
  t.equal(value, 0)
})
