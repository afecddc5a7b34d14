import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Findings } from './findings.js'
import type { ProxyUnderSoak } from './proxy.js'
import { memorySlope, type Sample } from './samples.js'
import { lookAt, type Ports, type ProcessFacts } from './watch.js'

/** The longest that anything idle is kept, on either side, and some time to notice. */
const DRAIN_LIMIT_MS = 90_000
const DRAIN_POLL_MS = 250
/** A process that grows faster than this, in MiB a minute and beyond doubt, is a finding. */
export const SLOPE_BOUND = 1
/** In shorter runs what the collector has not yet freed hides everything: the slope is only told. */
const SLOPE_MINIMUM_SECONDS = 480
/** Descriptors that Node may keep of its own once it has needed them. */
const SPARE_FDS = 4

/** Waits until nobody has a connection any more; what is left after a long time has leaked. */
export async function drained(
  pids: readonly number[],
  ports: Ports
): Promise<readonly ProcessFacts[]> {
  const giveUpAt = performance.now() + DRAIN_LIMIT_MS
  for (;;) {
    const facts = lookAt(pids, ports)
    const isEmpty = facts.every(({ clients, upstreams }) => clients + upstreams === 0)
    if (isEmpty || performance.now() > giveUpAt) return facts
    await sleep(DRAIN_POLL_MS)
  }
}

/** Nobody has died, and nobody keeps what is over. */
export function checkProcesses(
  proxy: ProxyUnderSoak,
  pids: readonly number[],
  before: readonly ProcessFacts[],
  after: readonly ProcessFacts[],
  findings: Findings
): void {
  const now = proxy.pids()
  if (now.join() !== pids.join()) {
    findings.add('workers that died', `at first ${pids.join()}, now ${now.join()}`)
  }
  for (const [i, facts] of after.entries()) {
    const { pid, fds, clients, upstreams } = facts
    const atFirst = before[i]?.fds ?? 0
    if (clients + upstreams > 0) {
      findings.add('leaked sockets', `process ${pid}: ${clients} of clients, ${upstreams} upstream`)
    } else if (fds > atFirst + SPARE_FDS) {
      findings.add('leaked descriptors', `process ${pid}: ${fds}, at first ${atFirst}`)
    }
  }
}

/** Nobody grows all the time. */
export function checkMemory(
  samples: readonly Sample[],
  pids: readonly number[],
  seconds: number,
  findings: Findings
): void {
  if (seconds < SLOPE_MINIMUM_SECONDS) return
  for (const pid of pids) {
    const { perUnit, error } = memorySlope(samples, pid)
    if (perUnit - 2 * error <= SLOPE_BOUND) continue
    findings.add(
      'memory',
      `process ${pid} grows by ${perUnit.toFixed(2)} ± ${error.toFixed(2)} MiB/min`
    )
  }
}

/** Stops tsha, and looks at what it had to complain about. */
export async function checkStop(proxy: ProxyUnderSoak, findings: Findings): Promise<void> {
  await proxy.program.stop()
  const how = await proxy.program.exited
  if (how !== 'exit code 0') findings.add('tsha did not stop as asked', how)
  for (const line of proxy.complaints()) findings.add('complaints of tsha', line)
  for (const line of critical(proxy.errorLog)) findings.add('critical errors', line)
}

function critical(errorLog: string): readonly string[] {
  return readFileSync(errorLog, 'latin1')
    .split('\n')
    .filter((line) => line.includes('[crit]'))
}
