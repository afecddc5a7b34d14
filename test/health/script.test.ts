import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { scriptCheck } from '../../src/health/checks/script.js'
import type { ChildStarter } from '../../src/health/run-command.js'
import type { CheckResult } from '../../src/health/scheduler.js'
import { SpawnGate } from '../../src/health/spawn-gate.js'

/** A run that is not interrupted. */
const never = new AbortController().signal

const starter: ChildStarter = { fork: (start) => start(), gate: new SpawnGate() }

function runShell(text: string, timeoutMs = 5000): Promise<CheckResult> {
  return scriptCheck({ command: ['/bin/sh', '-c', text], timeoutMs }, starter)(never)
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
  const run = scriptCheck({ command: ['/nonexistent'], timeoutMs: 1000 }, starter)
  t.same(await run(never), {
    passed: false,
    detail: 'could not be run: spawn /nonexistent ENOENT',
    isUnrunnable: true
  })
  const file = `${t.testdir({ script: '#!/bin/sh' })}/script`
  t.match(await scriptCheck({ command: [file], timeoutMs: 1000 }, starter)(never), {
    detail: `could not be run: spawn ${file} EACCES`,
    isUnrunnable: true
  })
})

t.test('a script whose user does not exist is not started', async (t) => {
  const obstacle = 'user nosuch does not exist'
  const run = scriptCheck({ command: ['/bin/true'], timeoutMs: 1000, obstacle }, starter)
  t.same(await run(never), {
    passed: false,
    detail: 'could not be run: user nosuch does not exist',
    isUnrunnable: true
  })
})

t.test(
  'a script runs as its user and group, in /, and in no other group',
  { skip: process.getuid?.() === 0 ? false : 'needs root' },
  async (t) => {
    const file = `${t.testdir()}/who`
    writeFileSync(file, '')
    chmodSync(file, 0o666)
    const command = ['/bin/sh', '-c', `echo $(id -u):$(id -g):$(id -G):$(pwd) > ${file}`]
    const run = scriptCheck({ command, timeoutMs: 5000, uid: 65534, gid: 12 }, starter)
    chmodSync(dirname(file), 0o755)
    t.match(await run(never), { passed: true })
    t.equal(readFileSync(file, 'utf8').trim(), '65534:12:12:/')
  }
)

t.test('a script learns nothing of what systemd told tsha', async (t) => {
  process.env['NOTIFY_SOCKET'] = '/run/systemd/notify'
  t.teardown(() => {
    delete process.env['NOTIFY_SOCKET']
  })
  t.match(await runShell('test -z "$NOTIFY_SOCKET" && test -n "$PATH"'), { passed: true })
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
  const file = `${t.testdir()}/pid`
  const text = `trap '' TERM; echo $$ > ${file}; while :; do sleep 60; done`
  const run = scriptCheck({ command: ['/bin/sh', '-c', text], timeoutMs: 300 }, starter)
  t.same(await run(never), { passed: false, detail: 'timed out after 300 ms' })
  const failed = Date.now()
  t.same(
    await run(never),
    { passed: false, detail: 'has not ended since it timed out' },
    'no second one is begun beside it'
  )
  const pid = Number(readFileSync(file, 'utf8'))
  while (isRunning(pid) && Date.now() - failed < 5000) await setTimeout(10)
  t.ok(Date.now() - failed >= 1950, `killed after ${Date.now() - failed} ms`)
  t.notOk(isRunning(pid))
})

t.test('a run that is aborted ends at once, with all it started', async (t) => {
  const file = `${t.testdir()}/pid`
  const abort = new AbortController()
  const run = scriptCheck(
    { command: ['/bin/sh', '-c', `sleep 60 & echo $! > ${file}; wait`], timeoutMs: 60_000 },
    starter
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

t.test('a script that ended while we stood still was not too slow', async (t) => {
  const result = runShell('exit 0', 500)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100)
  t.same(await result, { passed: true, detail: 'exited with status 0' })
})
