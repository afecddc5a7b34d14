// lane: early - installs, builds and boots two machines
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { errnoOf } from '../../src/errors.js'
import { setNice } from '../../src/linux/syscalls/scheduling.js'
import type { Load } from '../netns/lab/load.js'
import type { Outcome } from '../netns/lab/lab-process.js'
import { Lab } from '../netns/lab/lab.js'
import { REPOSITORY } from '../netns/lab/pair-files.js'
import { familyOf, signalProcess } from '../netns/lab/process-tree.js'
import { cannotRun } from '../netns/lab/requirements.js'
import { patternOf, readSteps, type Step } from './readme-path.js'
import { SystemdMachine, unifiedCgroup } from './systemd-machine.js'

/*
 * A newcomer does what README.md says, word for word: clones the repository and plays the demo; then builds
 * the package in the clone, installs it on two machines of the real systemd, starts them and fails over.
 */

const README = await readFile(join(REPOSITORY, 'README.md'), 'utf8')
const DEMO_TIMEOUT_MS = 210_000
const PAIR_TIMEOUT_MS = 140_000
/** A command that takes longer is ended, with all that it has started. */
const HERE_LIMIT_MS = 200_000
/** Who looks on looks again, as long as it may take until a director is master. */
const SETTLE_TIMEOUT_MS = 10_000
const LOOK_AGAIN_MS = 200
/** Commands that change nothing, so that they may be typed again. */
const LOOKS_ON = /^(?:tsha (?:status|why)|curl)\b/
/** A machine that does many things at once may be late and says so, which a newcomer's two do not. */
const LATE = /\d+ problems?(.*)\n\n(?: {2}! an advertisement of .* late, .*\n(?: {4}.*\n)*)+/
/** Two for each of the three times that the address moves. */
const FAILED_LIMIT = 6
/** Requests per second of the client that asks all the time while the pair is worked on. */
const RATE = 50

/** npm and the compiler come behind those beside them, and before those who have no clock. */
const PATIENTLY = 'echo 5 2>/dev/null > /proc/self/autogroup; exec nice -n 5 "$@"'
const DEMO_BEGINS = /^tsha: two directors/m
/** What npm test tells its children is nothing that a newcomer has. */
const NPMS_OWN =
  /^(?:INIT_CWD|npm_(?:package|lifecycle|command|execpath|node_execpath|config_local_prefix))/

function whyNot(): string | false {
  const missing = cannotRun('systemctl', 'useradd', 'dpkg-deb', 'git', 'npm', 'curl')
  if (missing !== false) return missing
  if (!existsSync('/lib/systemd/systemd')) return 'needs systemd'
  if (!existsSync(join(REPOSITORY, '.git'))) return 'needs the repository'
  return unifiedCgroup() === null ? 'needs cgroup2' : false
}

process.once('SIGTERM', () => process.exit(143))
t.setTimeout(DEMO_TIMEOUT_MS + PAIR_TIMEOUT_MS)
const skip = whyNot()
const folder = await mkdtemp(join(tmpdir(), 'tsha-newcomer-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const clone = join(folder, 'tsha')

await t.test('Try it', { skip, timeout: DEMO_TIMEOUT_MS }, async (t) => {
  const [step, ...others] = readSteps(README, 'Try it')
  t.same(others, [], 'one block of commands')
  const script = (step?.commands ?? []).join('\n').replace('<this repository>', REPOSITORY)
  t.match(script, 'npm run demo')
  const { code, stdout, stderr } = await runHere(script, folder)
  t.equal(code, 0, code === 0 ? 'the demo ends well' : `${stdout}${stderr}`.slice(-4000))
  t.match(stdout, 'Everything behaved')
})

await t.test('A pair in five minutes', { skip, timeout: PAIR_TIMEOUT_MS }, async (t) => {
  const [build, ...steps] = readSteps(README, 'A pair in five minutes')
  t.equal(build?.where, 'the clone')
  for (const command of build?.commands ?? []) {
    const { code, stderr } = await runHere(command, clone)
    t.equal(code, 0, `${command}: ${code === 0 ? '' : stderr}`)
  }
  const parcel = await pack(t)
  const lab = await Lab.create({ web: 'node' })
  t.teardown(() => lab.close())
  const machines = await Promise.all(
    (['director1', 'director2'] as const).map((name) =>
      SystemdMachine.boot(unifiedCgroup() ?? '', parcel, lab.host(name))
    )
  )
  t.teardown(() => Promise.all(machines.map((machine) => machine.close())))
  await Promise.all([lab.web1.start(), lab.web2.start()])
  const [first, second] = machines
  if (!first || !second) throw new Error('two machines are there')
  const places: Readonly<Record<string, readonly ((line: string) => Promise<Outcome>)[]>> = {
    'both directors': machines.map((machine) => onDirector(machine)),
    'the first director': [onDirector(first)],
    'the second director': [onDirector(second)],
    'a client': [(line) => lab.host('client').run('sh', ['-c', line])]
  }
  let client: Load | null = null
  for (const step of steps) {
    const place = places[step.where]
    if (!place) throw new Error(`README.md names no such machine: ${step.where}`)
    await Promise.all(place.map((run) => follow(t, step, run)))
    if (step.where === 'a client') client ??= await lab.steadyClient({ rate: RATE })
  }
  await lab.watch.waitForOwners(['director2'], SETTLE_TIMEOUT_MS)
  const summary = await client?.stop()
  t.ok((summary?.total ?? 0) > 5 * RATE, `the client asked ${summary?.total ?? 0} times`)
  t.ok(
    (summary?.failed ?? Infinity) <= FAILED_LIMIT,
    `failed: ${JSON.stringify(summary?.failures)}`
  )
  t.same(lab.watch.owners, ['director2'])
  t.comment(`${summary?.failed ?? 0} of ${summary?.total ?? 0} requests failed in all of it`)
})

function onDirector(machine: SystemdMachine): (line: string) => Promise<Outcome> {
  return (line) => machine.run(`cd /opt/packages; ${line}`)
}

/** Types the commands of a step, one after the other. */
async function follow(t: Test, step: Step, run: (line: string) => Promise<Outcome>): Promise<void> {
  for (const [index, command] of step.commands.entries()) {
    const isLast = index === step.commands.length - 1
    const wanted = isLast && step.output !== null ? patternOf(step.output) : null
    const deadline = Date.now() + SETTLE_TIMEOUT_MS
    let outcome = calm(await run(command))
    while (LOOKS_ON.test(command) && wanted?.test(outcome.stdout) === false) {
      if (Date.now() > deadline) break
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
      outcome = calm(await run(command))
    }
    const name = `${step.where}: ${command}`
    // What follows would fail as well, and say less.
    if (outcome.code !== 0) throw new Error(`${name}: ${outcome.stdout}${outcome.stderr}`)
    if (!t.match(outcome.stdout, wanted ?? /^/, name))
      throw new Error(`${name} does not print what README.md shows`)
  }
}

function calm(outcome: Outcome): Outcome {
  return { ...outcome, stdout: outcome.stdout.replace(LATE, 'all is well$1\n') }
}

/** The two files that README.md says to copy to the directors, in a folder of their own. */
async function pack(t: Test): Promise<string> {
  const copied = /^Copy `(packages\/tsha_\*\.deb)` and `(\S+)` to both directors/m.exec(README)
  t.ok(copied, 'README.md says what to copy')
  const parcel = join(folder, 'parcel')
  await mkdir(parcel)
  const outcome = await runHere(`cp ${copied?.[1] ?? ''} ${copied?.[2] ?? ''} ${parcel}`, clone)
  t.equal(outcome.code, 0, outcome.stderr)
  return parcel
}

/** Runs a line of shell on this machine, as somebody who has typed nothing else. */
async function runHere(line: string, cwd: string): Promise<Outcome> {
  const gitConfig = join(folder, 'gitconfig')
  // The repository may be somebody else's.
  await writeFile(gitConfig, '[safe]\n\tdirectory = *\n')
  const own = Object.entries(process.env).filter(([name]) => !NPMS_OWN.test(name))
  const child = spawn('sh', ['-c', PATIENTLY, 'sh', 'sh', '-ec', line], {
    cwd,
    env: {
      ...Object.fromEntries(own),
      PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
      GIT_CONFIG_GLOBAL: gitConfig,
      npm_config_prefer_offline: 'true'
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) signalProcess(-child.pid, 'SIGTERM')
  }
  process.once('exit', end)
  const closed = once(child, 'close')
  const timer = setTimeout(end, HERE_LIMIT_MS)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece
    if (DEMO_BEGINS.test(piece)) hurry(child.pid)
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece))
  try {
    const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null]
    return { code, signal, stdout, stderr }
  } finally {
    clearTimeout(timer)
    process.off('exit', end)
  }
}

/** From here on time is measured: nobody comes before it any longer. */
function hurry(pid: number | undefined): void {
  if (pid === undefined) return
  for (const each of familyOf(pid)) {
    try {
      setNice(each, 0)
    } catch (error) {
      // It has ended since it was found.
      if (errnoOf(error) !== 'ESRCH') throw error
    }
  }
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '0')
  } catch {
    // A kernel without groups of processes.
  }
}
