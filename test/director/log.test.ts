import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const LOG = fileURLToPath(new URL('../../src/director/log.js', import.meta.url))
const SYSCALLS = fileURLToPath(new URL('../../src/linux/syscalls/process.js', import.meta.url))

/** Its only thread for files is taken by something else while it says its last words and ends at once. */
const LAST_WORDS = `
import { pbkdf2 } from 'node:crypto'
import { openLog } from ${JSON.stringify(LOG)}
import { exitNow } from ${JSON.stringify(SYSCALLS)}
const { log, end } = openLog()
log.info('first')
await new Promise((resolve) => setTimeout(resolve, 50))
pbkdf2('a', 'b', 100_000, 64, 'sha512', () => undefined)
log.info('stopped')
await end()
log.info('nobody reads this')
exitNow(0)
`

t.test('the last line is written before the end, also when the disk is busy', async (t) => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', LAST_WORDS],
    { env: { ...process.env, UV_THREADPOOL_SIZE: '1' }, timeout: 20_000 }
  )
  const messages = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly msg: string }).msg)
  t.strictSame(messages, ['first', 'stopped'])
})

t.test('a reader that stands still holds the end for half a second only', async (t) => {
  const script = LAST_WORDS.replace(
    "log.info('stopped')",
    "for (let i = 0; i < 2000; i += 1) log.info('x'.repeat(1000))"
  )
  const startedAt = performance.now()
  const child = execFile(process.execPath, ['--input-type=module', '--eval', script])
  t.teardown(() => child.kill('SIGKILL'))
  child.stdout?.pause()
  await new Promise((resolve) => child.once('exit', resolve))
  const took = performance.now() - startedAt
  t.equal(child.exitCode, 0)
  t.ok(took < 10_000, `it ended after ${took.toFixed(0)} ms`)
})
