// Everything that shows that tsha works: lint, types, then every test. `npm test`.
//
//   node scripts/test.mjs [unit|netns|interop] [PATTERN]
//
// With a part only the tests of that part run, with PATTERN only the files whose path contains it.
// Each file runs in a lane. Which one is not the usual one of its part, it says itself, with a reason, in
// a line such as `// lane: alone - sends 50 000 frames a second`:
//
//   early    takes longer than its lane would: begins with the first, beside prompt and shared
//   prompt   unit: as many as there are processors, and one that waits
//   shared   netns, interop: they wait for timers most of the time, so many run side by side
//   patient  takes a processor and has no clock: in what quiet and single leave of the processors
//   quiet    measures tenths of a second, and has little to do itself: three more beside it
//   single   counts what few requests or many networks come to: the only one, but for patient ones
//   alone    measures the machine itself: nothing runs beside it
//
// A file that fails while the machine was late itself, by more than a tenth of a second, may have measured
// nothing but that: it runs once more at the end, alone, and then it counts. What failed first is printed.
//
// Tests that build networks need root; without it, or without a program that they need, they are
// skipped by name and counted. The last line is `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const PARTS = ['unit', 'netns', 'interop']
const STEP_LIMIT_MS = 20 * 60_000
/** A file of one part, or a patient one, may take this long; then it is ended and has failed. */
const FILE_LIMITS_MS = { unit: 120_000, patient: 900_000, netns: 300_000, interop: 360_000 }
/** Networks side by side: more would make two processors late for the timers that are measured. */
const SIDE_BY_SIDE = {
  early: 1,
  prompt: availableParallelism() + 1,
  patient: availableParallelism(),
  shared: 5,
  quiet: 4,
  single: 1,
  alone: 1
}
/** The longest begin first, so that none is left over at the end of its lane. */
const LONGEST = [
  'fuzz/differential.test.ts',
  'netns/silent-partition.test.ts',
  'netns/failover-times.test.ts',
  'interop/baseline.test.ts',
  'interop/keepalived-notify.test.ts',
  'interop/systemd.test.ts',
  'netns/faults.test.ts',
  'netns/orders.test.ts',
  'interop/matrix.test.ts',
  'netns/sick-upstream.test.ts',
  'netns/replace-workers.test.ts',
  'soak/soak.test.ts',
  'vrrp/fuzz/fuzz.test.ts',
  'fuzz/differential-responses.test.ts',
  'director/workers/traffic.test.ts',
  'director/notify/notifier.test.ts',
  'director/workers/replace-workers.test.ts',
  'cli/ask.test.ts',
  'admin/process.test.ts',
  'admin/streams.test.ts',
  'health/file.test.ts'
].map((name) => join('test', name))
/**
 * Lowest priority: of the process within its session, and of the session among the others, which
 * is what counts where the kernel groups processes by session.
 */
const PATIENTLY = 'echo 19 2>/dev/null > /proc/self/autogroup; exec nice -n 19 "$@"'
const KILL_AFTER_MS = 10_000
/** A timer that fires so late says that the machine did not run us. */
const LATE_MS = 100
/** More files than this fail for another reason than a machine that was late. */
const MOST_AGAIN = 6
const OUTPUT_LIMIT = 1024 * 1024

const counts = { passed: 0, failed: 0, skipped: 0 }
const children = new Set()
/** Those that failed while the machine was late. */
const again = []
const [part, pattern = ''] = readArguments(process.argv.slice(2))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of children) child.kill('SIGTERM')
    process.exit(signal === 'SIGINT' ? 130 : 143)
  })
}

await main()

async function main() {
  const setup = join(ROOT, 'scripts/setup.mjs')
  const ready = await run(
    process.execPath,
    [setup, '--for', 'test', '--allow-missing', '--no-build'],
    {
      stdio: 'inherit'
    }
  )
  if (ready.code !== 0) {
    counts.failed += 1
    return finish()
  }
  await check('types and build', 'scripts/build.mjs', [])
  const files = testFiles().filter((file) => file.source.includes(pattern))
  const wanted = files.filter((file) => part === null || file.part === part)
  const { Parser } = await import(await parserModule())
  const { Lateness } = await import(`file://${join(ROOT, 'dist/test/netns/lab/lateness.js')}`)
  const lane = (name, first = []) => {
    const runs = wanted
      .filter((file) => file.lane === name)
      .map((file) => () => runFile(file, { Parser, Lateness }, name !== 'patient'))
    return inParallel([...first, ...runs], SIDE_BY_SIDE[name], (work) => work())
  }
  const prettier = ['--check', '--log-level', 'warn', '.']
  const lint = [
    () => check('eslint', 'node_modules/eslint/bin/eslint.js', ['.'], { patient: true }),
    () => check('prettier', 'node_modules/prettier/bin/prettier.cjs', prettier, { patient: true })
  ]
  const early = lane('early')
  await lane('prompt')
  await lane('shared')
  await early
  const patient = lane('patient', part === null && pattern === '' ? lint : [])
  await lane('quiet')
  await lane('single')
  await patient
  await lane('alone')
  for (const file of again) await runFile(file, { Parser, Lateness }, false)
  if (wanted.length === 0) {
    print(`FAIL no test file matches ${part ?? ''} ${pattern}`)
    counts.failed += 1
  }
  finish()
}

function finish() {
  process.exitCode = counts.failed === 0 ? 0 : 1
  print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
}

function readArguments(args) {
  if (args.length > 0 && PARTS.includes(args[0])) return args
  return [null, args[0] ?? '']
}

function print(text) {
  process.stdout.write(`${text}\n`)
}

/** One line of the report: verdict, name, what was found, how long it took. */
function report(verdict, name, found, startedAt) {
  const seconds = `${((Date.now() - startedAt) / 1000).toFixed(1)} s`
  print(`${verdict.padEnd(4)} ${name.padEnd(52)} ${found.padEnd(28)} ${seconds.padStart(8)}`)
}

/** tap's own parser, also when npm has put it below tap. */
async function parserModule() {
  const places = ['node_modules/tap-parser', 'node_modules/tap/node_modules/tap-parser']
  const place = places.find((each) => existsSync(join(ROOT, each)))
  return `file://${join(ROOT, place ?? places[0], 'dist/esm/index.js')}`
}

/** Every test file with its compiled program, the longest first; `dist` may hold programs whose source is gone. */
function testFiles() {
  const found = readdirSync(join(ROOT, 'test'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return found.map((source) => {
    const folder = source.split('/')[1]
    const part = folder === 'netns' || folder === 'interop' ? folder : 'unit'
    return {
      source,
      program: join(ROOT, 'dist', source.replace(/\.ts$/, '.js')),
      part,
      lane: laneOf(source, part)
    }
  })
}

function rank(source) {
  const place = LONGEST.indexOf(source)
  return place < 0 ? LONGEST.length : place
}

function laneOf(source, part) {
  const said = /^\/\/ lane: (\w+)/m.exec(readFileSync(join(ROOT, source), 'utf8'))?.[1]
  if (said !== undefined && !(said in SIDE_BY_SIDE)) throw new Error(`${source}: no lane ${said}`)
  return said ?? (part === 'unit' ? 'prompt' : 'shared')
}

async function inParallel(items, limit, work) {
  const queue = [...items]
  const next = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: limit }, next))
}

/** Runs a program to its end; its output goes to `onStdout` or is kept. */
function run(program, args, options = {}) {
  const { stdio = ['ignore', 'pipe', 'pipe'], limitMs = STEP_LIMIT_MS, onStdout } = options
  const { patient = false } = options
  return new Promise((resolve) => {
    const command = patient ? ['sh', '-c', PATIENTLY, 'sh', program, ...args] : [program, ...args]
    const child = spawn(command[0], command.slice(1), {
      ...{ cwd: ROOT, stdio, env: testEnvironment() },
      // A session of its own.
      detached: patient
    })
    children.add(child)
    let output = ''
    let errors = ''
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGTERM')
      setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref()
    }, limitMs)
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-OUTPUT_LIMIT)
      onStdout?.(text)
    })
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      errors = (errors + text).slice(-OUTPUT_LIMIT)
    })
    const end = (code, signal) => {
      clearTimeout(timer)
      children.delete(child)
      resolve({ code, signal, output, errors, late })
    }
    child.once('error', (error) => {
      errors += error.message
      end(127, null)
    })
    child.once('close', end)
  })
}

function testEnvironment() {
  const environment = { ...process.env, NO_COLOR: '1' }
  delete environment.FORCE_COLOR
  return environment
}

/** A check that is one program: it counts as one, its output is shown when it fails. */
async function check(name, program, args, options = {}) {
  const startedAt = Date.now()
  const path = join(ROOT, program)
  const outcome = await run(process.execPath, [path, ...args], options)
  const passed = outcome.code === 0
  counts[passed ? 'passed' : 'failed'] += 1
  report(passed ? 'ok' : 'FAIL', name, '', startedAt)
  if (!passed) print(indent(`${outcome.output}${outcome.errors}`.trim()))
}

/** @param mayRunAgain whether a failure may be the machine's */
async function runFile(file, { Parser, Lateness }, mayRunAgain) {
  const startedAt = Date.now()
  const lateness = new Lateness()
  const result = { passed: 0, failed: 0, skipped: 0, details: [], notes: [] }
  let final = null
  const parser = new Parser((results) => {
    final = results
  })
  collect(parser, [], result)
  const outcome = await run(process.execPath, ['--enable-source-maps', file.program], {
    limitMs: FILE_LIMITS_MS[file.lane === 'patient' ? 'patient' : file.part],
    patient: file.lane === 'patient',
    onStdout: (text) => parser.write(text)
  })
  parser.end()
  const problem = problemOf(outcome, final, result)
  if (problem) {
    result.failed += 1
    result.details.push(problem, outcome.errors.trim())
  }
  const lateMs = Math.round(lateness.end())
  const isLate = mayRunAgain && result.failed > 0 && lateMs > LATE_MS && again.length < MOST_AGAIN
  if (isLate) {
    again.push(file)
    result.notes.push(`the machine was ${lateMs} ms late: this file runs again at the end, alone`)
  } else {
    for (const key of ['passed', 'failed', 'skipped']) counts[key] += result[key]
  }
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : ''
  const failed = result.failed > 0 ? `, ${result.failed} failed` : ''
  const verdict = isLate ? 'late' : result.failed > 0 ? 'FAIL' : result.passed === 0 ? 'skip' : 'ok'
  report(verdict, file.source, `${result.passed} passed${failed}${skipped}`, startedAt)
  for (const note of result.notes) print(indent(note))
  for (const detail of result.details) if (detail !== '') print(indent(detail))
}

/** What is wrong with a whole file although no assertion of it has failed. */
function problemOf(outcome, final, result) {
  if (outcome.late) return 'took too long and was ended'
  if (result.failed > 0) return null
  if (outcome.signal) return `ended by ${outcome.signal}`
  if (outcome.code !== 0) return `ended with exit code ${outcome.code}`
  if (!final?.ok) return 'its report is incomplete'
  if (result.passed + result.skipped === 0) return 'asserts nothing'
  return null
}

/** Counts assertions, not the subtests that only sum them up; shows comments, skips and failures. */
function collect(parser, path, result) {
  parser.on('child', (child) => {
    collect(child, [...path, child.name ?? ''], result)
  })
  parser.on('comment', (comment) => {
    const text = comment.trim()
    const isSummary = /^# (\{|time=|Subtest)/.test(text)
    if (!isSummary) result.notes.push(text)
  })
  parser.on('assert', (assertion) => {
    const reason = assertion.skip || assertion.todo
    if (reason) {
      result.skipped += 1
      const why = typeof reason === 'string' ? reason : 'no reason given'
      result.notes.push(`skipped: ${[...path, assertion.name].join(' > ')}: ${why}`)
    } else if (assertion.closingTestPoint) {
      // Its assertions have been counted one by one.
    } else if (assertion.ok) {
      result.passed += 1
    } else {
      result.failed += 1
      result.details.push(describeFailure(path, assertion))
    }
  })
  parser.on('bailout', (reason) => {
    result.failed += 1
    result.details.push(`bailed out: ${reason}`)
  })
}

function describeFailure(path, assertion) {
  const lines = [`not ok: ${[...path, assertion.name].join(' > ')}`]
  const shown = ['message', 'diff', 'found', 'wanted', 'pattern', 'error', 'stack', 'source']
  for (const [key, value] of Object.entries(assertion.diag ?? {})) {
    if (!shown.includes(key)) continue
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    lines.push(
      `  ${key}:`,
      ...text
        .trimEnd()
        .split('\n')
        .map((line) => `    ${line}`)
    )
  }
  if (assertion.tapError) lines.push(`  ${assertion.tapError}`)
  return lines.join('\n')
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `     ${line}`)
    .join('\n')
}
