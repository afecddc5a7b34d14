import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { removePidFile, writePidFile } from '../../src/director/pid-file.js'

t.setTimeout(10_000)

t.test('the pid file has our id, and goes with us', async (t) => {
  const path = join(t.testdir({ 'tsha.pid': 'a longer text of before\n' }), 'tsha.pid')
  await writePidFile(path, pino({ enabled: false }))
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`)
  await removePidFile(path)
  t.equal(existsSync(path), false)
})

t.test('a FIFO in its place is told of, and holds nothing up', async (t) => {
  const path = join(t.testdir(), 'fifo')
  execFileSync('mkfifo', [path])
  const lines: string[] = []
  await writePidFile(path, pino({}, { write: (line) => lines.push(line) }))
  t.match(lines.join(), /cannot write the pid file: ENXIO/)
  await removePidFile(path)
  t.equal(existsSync(path), true)
})
