import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Fleet } from './fleet.js'
import { LOAD_GRACE_MS, type LoadResult } from './load.js'
import { SMALL } from './scenarios.js'
import { LOOPBACK } from './sockets.js'

const CLIENTS = 32

/** The share of tsha's own peak at which everybody is measured. */
export const PACED_SHARE = 0.7

/** Latencies of the beginning, while connections are made, do not count. */
const WARM_UP_MICROSECONDS = 250_000

/**
 * Sends small GETs at a fixed rate with h2load, and reads the time of each from its log. A client that
 * waits for an answer sends nothing meanwhile: a proxy that cannot follow shows in the rate.
 */
export async function runPaced(
  fleet: Fleet,
  cores: string,
  port: number,
  rate: number,
  seconds: number
): Promise<LoadResult> {
  const log = join(fleet.directory, 'h2load.txt')
  rmSync(log, { force: true })
  const pace = ['-c', String(CLIENTS), '--rps', String(Math.max(1, Math.round(rate / CLIENTS)))]
  const flags = ['--h1', '-t', '1', ...pace, '-D', String(seconds), '--log-file', log]
  const url = `http://${LOOPBACK}:${port}${SMALL}`
  const command = ['taskset', '-c', cores, 'h2load', ...flags, url]
  await fleet.run(command, seconds * 1000 + LOAD_GRACE_MS)
  return summarize(readFileSync(log, 'utf8'))
}

/** Each line: start in microseconds since the epoch, status, duration in microseconds. */
function summarize(log: string): LoadResult {
  const rows = log
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').map(Number))
  const first = rows.reduce((least, [start = 0]) => Math.min(least, start), Infinity)
  const last = rows.reduce(
    (most, [start = 0, , duration = 0]) => Math.max(most, start + duration),
    0
  )
  const durations = rows
    .filter(([start = 0]) => start >= first + WARM_UP_MICROSECONDS)
    .map(([, , duration = 0]) => duration)
    .sort((a, b) => a - b)
  const percentile = (share: number): number => durations[Math.floor(durations.length * share)] ?? 0
  return {
    requests: rows.length,
    seconds: (last - first) / 1_000_000,
    bytes: 0,
    errors: rows.filter(([, status = 0]) => status < 200 || status > 399).length,
    p50: percentile(0.5),
    p99: percentile(0.99),
    p999: percentile(0.999)
  }
}
