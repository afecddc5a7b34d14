import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { scriptCheck } from '../../src/health/checks/script.js'
import type { CheckResult } from '../../src/health/scheduler.js'

/** A run that is not interrupted. */
const never = new AbortController().signal

function runShell(text: string, timeoutMs = 5000): Promise<CheckResult> {
  return scriptCheck({ command: ['/bin/sh', '-c', text], timeoutMs }, (start) => start())(never)
}

/** Whether a process is there and no zombie. */
function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/stat`
  return existsSync(file) && !/\) Z /.test(readFileSync(file, 'latin1'))
}

t.test('keepalived: status 0 passes, any other fails', async (t) => {
  t.same(await runShell('exit 0'), { passed: true, detail: 'exited with status 0' })
  t.same(await runShell('exit 3'), { passed: false, detail: 'exited with status 3' })
})

t.test('a script that is killed has failed', async (t) => {
  t.same(await runShell('kill -9 $$'), { passed: false, detail: 'killed by SIGKILL' })
})

t.test('a program that cannot be run has failed, and says why', async (t) => {
  const run = scriptCheck({ command: ['/nonexistent'], timeoutMs: 1000 }, (start) => start())
  t.same(await run(never), {
    passed: false,
    detail: 'could not be run: spawn /nonexistent ENOENT'
  })
})

t.test('a script that hangs is ended with all it started', async (t) => {
  const file = `${t.testdir()}/pid`
  const result = await runShell(`sleep 60 & echo $! > ${file}; wait`, 300)
  t.same(result, { passed: false, detail: 'timed out after 300 ms' })
  const sleeper = Number(readFileSync(file, 'utf8'))
  const deadline = Date.now() + 1000
  while (isRunning(sleeper) && Date.now() < deadline) await new Promise(setImmediate)
  t.notOk(isRunning(sleeper))
})

t.test('keepalived: a script that ignores SIGTERM is killed 2 s later', async (t) => {
  const started = Date.now()
  const result = await runShell(`trap '' TERM; while :; do sleep 60; done`, 100)
  t.same(result, { passed: false, detail: 'timed out after 100 ms' })
  t.ok(Date.now() - started >= 2000)
})

t.test('a run that is aborted ends at once, with all it started', async (t) => {
  const file = `${t.testdir()}/pid`
  const abort = new AbortController()
  const run = scriptCheck(
    { command: ['/bin/sh', '-c', `sleep 60 & echo $! > ${file}; wait`], timeoutMs: 60_000 },
    (start) => start()
  )
  const ended = run(abort.signal)
  while (!existsSync(file) || readFileSync(file, 'latin1') === '') await new Promise(setImmediate)
  abort.abort()
  t.match(await ended, { passed: false })
  const sleeper = Number(readFileSync(file, 'utf8'))
  const deadline = Date.now() + 1000
  while (isRunning(sleeper) && Date.now() < deadline) await new Promise(setImmediate)
  t.notOk(isRunning(sleeper))
})
