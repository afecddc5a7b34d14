import { loadavg } from 'node:os'
import { divideCores, type Cores } from './cores.js'
import { Fleet } from './fleet.js'
import { idleObstacle } from './idle.js'
import { isInstalled, machineFacts } from './machine.js'
import { readOptions, USAGE, type Options } from './options.js'
import { writePage } from './page.js'
import { PEERS } from './peers/list.js'
import { formatReport } from './report.js'
import { Results } from './results.js'
import { Run } from './run.js'
import type { ScenarioName } from './scenarios.js'

/** What everything that is not load may take together. */
const OVERHEAD_MS = 300_000

/** The options that can be met here, and what had to be left out. */
interface Plan {
  readonly options: Options
  readonly notes: readonly string[]
}

/**
 * Fits the wishes to the machine.
 * @throws {Error} when nothing can be measured
 */
function plan(wanted: Options): Plan {
  const missing = ['nginx', 'wrk', 'taskset', 'prlimit'].filter((program) => !isInstalled(program))
  if (missing.length > 0) throw new Error(`needs ${missing.join(', ')}; install them first`)
  const notes: string[] = []
  const peers = wanted.peers.filter((peer) => {
    const { needs } = PEERS[peer]
    if (needs === null || isInstalled(needs)) return true
    notes.push(`${peer}: ${needs} is not installed`)
    return false
  })
  const leaveOut = (name: ScenarioName, why: string | null): boolean => {
    if (why === null) return false
    notes.push(`${name}: ${why}`)
    return true
  }
  const scenarios = wanted.scenarios.filter((name) => {
    if (name === 'idle') return !leaveOut(name, idleObstacle())
    if (name !== 'paced') return true
    if (!isInstalled('h2load')) return !leaveOut(name, 'h2load is not installed')
    return !leaveOut(name, peers.includes('tsha') ? null : "needs tsha's own peak")
  })
  const needsPeak = scenarios.includes('paced') && !scenarios.includes('keepalive-32')
  const all: readonly ScenarioName[] = needsPeak ? ['keepalive-32', ...scenarios] : scenarios
  return { options: { ...wanted, peers, scenarios: all }, notes }
}

/** The whole run, in milliseconds, if nothing hangs. */
function limitMs({ rounds, seconds, scenarios, peers }: Options): number {
  return 2 * rounds * seconds * scenarios.length * peers.length * 1000 + OVERHEAD_MS
}

async function main(): Promise<void> {
  const wanted = readOptions(process.argv.slice(2))
  if (wanted.help) {
    process.stdout.write(USAGE)
    return
  }
  const { options, notes } = plan(wanted)
  const cores = divideCores()
  const fleet = new Fleet('bench')
  const end = (why: string, code: number): void => {
    process.stderr.write(`bench: ${why}\n`)
    void fleet.close().then(() => process.exit(code))
  }
  process.once('SIGINT', () => {
    end('interrupted', 130)
  })
  process.once('SIGTERM', () => {
    end('stopped', 143)
  })
  const limit = limitMs(options)
  const timer = setTimeout(() => {
    end(`not ready after ${limit / 1000} s`, 1)
  }, limit)
  try {
    await measure(options, notes, fleet, cores)
  } finally {
    clearTimeout(timer)
    await fleet.close()
  }
}

async function measure(
  options: Options,
  notes: readonly string[],
  fleet: Fleet,
  cores: Cores
): Promise<void> {
  const [busy = 0] = loadavg()
  const results = new Results()
  const run = new Run(fleet, cores, options, results, (text) => {
    process.stderr.write(`bench: ${text}\n`)
  })
  await run.startUpstream()
  const pacedRate = await run.measureLoad()
  await run.measureMemory()
  const { peers, rounds, seconds, node, write } = options
  const facts = machineFacts(node, busy)
  const report = formatReport({ results, peers, facts, rounds, seconds, pacedRate, notes })
  process.stdout.write(`${report}\n`)
  if (write) process.stderr.write(`bench: written to ${writePage(report)}\n`)
}

await main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
