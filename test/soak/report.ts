import { formatTable } from '../../bench/table.js'
import { SLOPE_BOUND } from './checks.js'
import { OUTCOMES } from './client/outcome.js'
import { memorySlope } from './samples.js'
import type { SoakResult } from './soak.js'
import type { SoakOptions } from './options.js'

/** What a run has shown, for people. */
export function formatReport(options: SoakOptions, result: SoakResult): string {
  const { balance, findings, outages } = result
  const parts = [
    `seed ${options.seed}, ${options.workers} workers, ${options.seconds} s at ${result.rate.toFixed(0)} requests/s` +
      (result.peak > 0 ? ` (peak ${result.peak.toFixed(0)})` : ''),
    `upstream servers killed ${outages.killed} times, stopped ${outages.stopped} times`,
    outcomeTable(result),
    processTable(result),
    `${balance.accessLines} access log lines, ${balance.posts} POSTs executed, ` +
      `${balance.collateral} times 502 or 504 without a fault of the request's own or an outage`,
    `small GET: median ${middle(result, (each) => each.interval.medianMs)} ms, ` +
      `99th percentile ${middle(result, (each) => each.interval.p99Ms)} ms; own answers: ` +
      `99th percentile ${middle(result, (each) => each.probeP99Ms)} ms (medians of the samples)`,
    `all connections gone after ${(result.drainedMs / 1000).toFixed(1)} s`,
    findings.length === 0 ? 'nothing found' : `FOUND\n${findings.join('\n')}`
  ]
  return parts.join('\n\n')
}

function outcomeTable({ balance }: SoakResult): string {
  const rows = OUTCOMES.map((each) => [each, String(balance.outcomes[each])])
  return formatTable(['outcome', 'requests'], [...rows, ['all', String(balance.requests)]])
}

function processTable(result: SoakResult): string {
  const rows = result.before.map((before, index) => {
    const after = result.after[index] ?? before
    const own = result.samples.flatMap(
      ({ processes }) => processes.find(({ pid }) => pid === before.pid) ?? []
    )
    const { perUnit, error } = memorySlope(result.samples, before.pid)
    const most = (values: readonly number[]): number => Math.max(0, ...values)
    return [
      index === 0 ? 'director' : `worker ${index}`,
      before.rssMib.toFixed(1),
      most(own.map(({ rssMib }) => rssMib)).toFixed(1),
      after.rssMib.toFixed(1),
      Number.isNaN(error) ? 'too short' : `${perUnit.toFixed(2)} ± ${error.toFixed(2)}`,
      `${before.fds}, ${most(own.map(({ fds }) => fds))}, ${after.fds}`,
      `${most(own.map(({ clients }) => clients))}`,
      `${most(own.map(({ upstreams }) => upstreams))}`,
      `${most(own.map(({ closeWait }) => closeWait))}`
    ]
  })
  return formatTable(
    [
      'process',
      'RSS at first, MiB',
      'most',
      'at the end',
      `MiB/min in the second half (bound ${SLOPE_BOUND})`,
      'descriptors at first, most, at the end',
      'most clients',
      'most upstream connections',
      'most CLOSE_WAIT'
    ],
    rows
  )
}

function middle({ samples }: SoakResult, pick: (sample: SoakResult['samples'][number]) => number) {
  const sorted = samples.map(pick).sort((a, b) => a - b)
  return (sorted[Math.floor(sorted.length / 2)] ?? NaN).toFixed(1)
}
