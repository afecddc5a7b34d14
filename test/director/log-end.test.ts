import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

t.test('the last line is written before the process ends at once', (t) => {
  const program = join(import.meta.dirname, 'log/last-line.js')
  const { status, stdout } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    timeout: 10_000
  })
  t.equal(status, 0)
  const lines = stdout.trimEnd().split('\n')
  t.same(
    lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
    ['first line', 'last line']
  )
  t.end()
})
