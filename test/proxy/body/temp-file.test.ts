import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { TempFile, type Opened } from '../../../src/proxy/body/temp-file.js'
import { namelessFiles, until } from './support.js'

function folder(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'tsha-temp-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true })
  })
  return directory
}

for (const [how, create] of [
  [
    'without a name',
    (path: string, done: Opened): void => {
      TempFile.create(path, done)
    }
  ],
  [
    'where files must have names',
    (path: string, done: Opened): void => {
      TempFile.createNamed(path, done)
    }
  ]
] as const) {
  t.test(
    `${how}: nobody else finds the file, and close ends it after its last write`,
    async (t) => {
      const directory = folder(t)
      const file = await new Promise<TempFile>((resolve, reject) => {
        create(directory, (error, file) => {
          if (file === null) reject(error ?? new Error('nothing'))
          else resolve(file)
        })
      })
      t.same(readdirSync(directory), [])
      const [descriptor = ''] = namelessFiles(directory)
      t.equal(statSync(descriptor).mode & 0o7777, 0o600)
      const pieces = ['abc', 'de', 'f'].map((text) => Buffer.from(text))
      t.equal(
        await new Promise((resolve) => {
          file.write(pieces, 0, (_, count) => {
            resolve(count)
          })
        }),
        6
      )
      const found = Buffer.alloc(4)
      await new Promise((resolve) => {
        file.read(found, 1, resolve)
      })
      t.equal(found.toString(), 'bcde')
      const beyond = await new Promise<Error | null>((resolve) => {
        file.read(found, 4, resolve)
      })
      t.equal(beyond?.message, 'the file ended early')
      let isWritten = false
      file.write([Buffer.alloc(32 * 1024 * 1024)], 0, () => (isWritten = true))
      file.close()
      file.close()
      await until(() => namelessFiles(directory).length === 0, 'the end')
      t.equal(isWritten, true)
    }
  )
}

t.test('a folder that is a file, or that nobody may write to, is an error', async (t) => {
  const codes = await Promise.all(
    ['/etc/passwd', '/proc/self'].map(
      (path) =>
        new Promise((resolve) => {
          TempFile.create(path, (error) => {
            resolve(error !== null)
          })
        })
    )
  )
  t.same(codes, [true, true])
})
