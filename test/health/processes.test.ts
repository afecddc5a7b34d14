import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { matches, ProcessChecks, type ProcessRules } from '../../src/health/checks/processes.js'
import { parseStat, ProcessTable, type ProcessEntry } from '../../src/health/process-table.js'

const RULES: ProcessRules = {
  name: 'P',
  process: 'nginx',
  parameters: null,
  parameterMatch: 'exact',
  fullCommand: false,
  quorum: 1,
  quorumMax: Infinity,
  terminateDelayMs: 0,
  forkDelayMs: 0
}

/** A program under a name that nobody else has, which ends with the test. */
async function start(t: Test, path: string, ...args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(path, args, { stdio: 'ignore' })
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  await once(child, 'spawn')
  return child
}

function program(t: Test): string {
  const path = `${t.testdir()}/tsha-${process.pid}`
  copyFileSync('/bin/sleep', path)
  return path
}

/** Follows processes every 50 ms; what is told can be awaited. */
function follow(
  t: Test,
  rules: Partial<ProcessRules>
): (count: number) => Promise<readonly string[]> {
  const told: string[] = []
  let heard = (): void => undefined
  const checks = new ProcessChecks({
    checks: [{ ...RULES, ...rules }],
    intervalMs: 50,
    table: new ProcessTable({ readsCommandLines: true }),
    now: () => performance.now(),
    onChange: (_name, isUp, detail) => {
      told.push(`${isUp ? 'passes' : 'fails'}: ${detail}`)
      heard()
    },
    onTrouble: (message) => t.fail(message)
  })
  t.teardown(() => {
    checks.stop()
  })
  checks.start()
  return async (count) => {
    while (told.length < count) {
      await new Promise<void>((resolve) => {
        heard = resolve
      })
    }
    return told
  }
}

t.test('keepalived: the name that the kernel keeps is compared, exactly', (t) => {
  const entry = (name: string): ProcessEntry => ({ pid: 1, name, commandLine: null })
  t.equal(matches(RULES, entry('nginx')), true)
  t.equal(matches(RULES, entry('nginx2')), false)
  t.equal(matches(RULES, entry('xnginx')), false)
  t.end()
})

t.test('keepalived: a full command, or parameters, compare the first argument', (t) => {
  const entry = (...commandLine: readonly string[]): ProcessEntry => ({
    pid: 1,
    name: 'nginx',
    commandLine
  })
  const full = { ...RULES, process: '/usr/sbin/nginx', fullCommand: true }
  t.equal(matches(full, entry('/usr/sbin/nginx', '-g', 'daemon off;')), true)
  t.equal(matches(full, entry('nginx')), false)
  const exact = { ...RULES, parameters: '-c a b' }
  t.equal(matches(exact, entry('nginx', '-c', 'a b')), true)
  t.equal(matches(exact, entry('nginx', '-c', 'a')), false)
  t.equal(matches(exact, entry('nginx')), false)
  t.equal(matches({ ...RULES, parameters: '' }, entry('nginx')), true, 'no parameters at all')
  t.end()
})

t.test(
  'keepalived: param_match compares the first parameters, whole or the beginning of the last',
  (t) => {
    const entry = (...rest: readonly string[]): ProcessEntry => ({
      pid: 1,
      name: 'nginx',
      commandLine: ['nginx', ...rest]
    })
    const is = (parameterMatch: 'partial' | 'initial', ...rest: readonly string[]): boolean =>
      matches(
        { ...RULES, fullCommand: true, parameters: '-c /etc/a', parameterMatch },
        entry(...rest)
      )
    t.equal(is('partial', '-c', '/etc/a'), true)
    t.equal(is('partial', '-c', '/etc/a', '-q'), true)
    t.equal(is('partial', '-c', '/etc/abc'), false)
    t.equal(is('partial', '-c'), false)
    t.equal(is('initial', '-c', '/etc/abc'), true)
    t.equal(is('initial', '-q', '-c', '/etc/a'), false)
    const any = { ...RULES, fullCommand: true, parameters: '', parameterMatch: 'partial' as const }
    t.equal(matches(any, entry('-q')), true, 'no parameters are the first ones of any')
    t.end()
  }
)

t.test('Linux: the name in /proc/PID/stat may hold blanks and brackets', (t) => {
  const rest = '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20'
  t.same(parseStat(`12 (a) S (b c) Z ${rest}`), {
    name: 'a) S (b c',
    state: 'Z',
    startedAt: '4711'
  })
  t.equal(parseStat(''), null)
  t.end()
})

t.test('processes that begin and end are noticed', async (t) => {
  const path = program(t)
  const until = follow(t, { process: `tsha-${process.pid}`, quorum: 2 })
  t.same(await until(1), ['fails: 0 processes run'])
  const first = await start(t, path, '60')
  await start(t, path, '60')
  t.same((await until(2)).slice(1), ['passes: 2 processes run'])
  first.kill('SIGKILL')
  t.same((await until(3)).slice(2), ['fails: 1 process runs'])
})

t.test('the arguments of real processes are compared', async (t) => {
  const path = program(t)
  await start(t, path, '61')
  const until = follow(t, { process: path, parameters: '62', fullCommand: true })
  t.same(await until(1), ['fails: 0 processes run'])
  await start(t, path, '62')
  t.same((await until(2)).slice(1), ['passes: 1 process runs'])
})

t.test('keepalived: a zombie does not run', async (t) => {
  // A shell that starts a child and becomes a program that never waits for it.
  const parent = await start(t, '/bin/sh', '-c', 'sleep 0 & exec sleep 60')
  const args = ['-o', 'pid=,stat=', '--ppid', String(parent.pid)]
  let zombie = 0
  while (zombie === 0) {
    const found = /^ *(\d+) Z/.exec(spawnSync('ps', args, { encoding: 'utf8' }).stdout)
    zombie = Number(found?.[1] ?? 0)
  }
  const pids = (await new ProcessTable({ readsCommandLines: false }).read()).map(({ pid }) => pid)
  t.ok(pids.includes(parent.pid ?? 0))
  t.notOk(pids.includes(zombie))
})

t.test('the end of a delay is not late by an interval', async (t) => {
  const path = program(t)
  const child = await start(t, path, '60')
  let downAt = 0
  let startedAt = 0
  await new Promise<void>((resolve) => {
    const checks = new ProcessChecks({
      checks: [{ ...RULES, process: `tsha-${process.pid}`, terminateDelayMs: 300 }],
      intervalMs: 1000,
      table: new ProcessTable({ readsCommandLines: false }),
      now: () => performance.now(),
      onChange: (_name, isUp) => {
        if (isUp) child.kill('SIGKILL')
        else {
          downAt = performance.now()
          resolve()
        }
      },
      onTrouble: (message) => t.fail(message)
    })
    t.teardown(() => {
      checks.stop()
    })
    startedAt = performance.now()
    checks.start()
  })
  const took = downAt - startedAt
  t.ok(took >= 1290 && took < 1900, `one interval and the delay: ${took.toFixed(0)} ms`)
})
