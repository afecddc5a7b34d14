import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fleet } from './fleet.js'
import type { ClosedLoop } from './scenarios.js'
import { LOOPBACK } from './sockets.js'

/** What wrk measured. Latencies are in microseconds. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly bytes: number
  /** Refused or broken connections, timeouts and answers other than 2xx and 3xx. */
  readonly errors: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** How much longer than asked a load generator may take. */
export const LOAD_GRACE_MS = 15_000

/** wrk itself prints neither the 99.9th percentile nor anything that is meant to be read by programs. */
const REPORT = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%f,"bytes":%d,"errors":%d,"p50":%d,"p99":%d,"p999":%d}\\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
`

/** Loads a proxy with wrk for some seconds. */
export async function runWrk(
  fleet: Fleet,
  cores: string,
  port: number,
  load: ClosedLoop,
  seconds: number
): Promise<LoadResult> {
  const script = join(fleet.directory, 'load.lua')
  writeFileSync(script, wrkScript(load))
  const url = `http://${LOOPBACK}:${port}${load.path}`
  const flags = ['-t', '1', '-c', String(load.connections), '-d', `${seconds}s`, '-s', script]
  const command = ['taskset', '-c', cores, 'wrk', ...flags, url]
  const output = await fleet.run(command, seconds * 1000 + LOAD_GRACE_MS)
  const result = /^RESULT (.*)$/m.exec(output)?.[1]
  if (result === undefined) throw new Error(`wrk gave no result:\n${output}`)
  return JSON.parse(result) as LoadResult
}

function wrkScript({ isFresh, bodyLength }: ClosedLoop): string {
  const lines: string[] = []
  if (isFresh) lines.push('wrk.headers["Connection"] = "close"')
  if (bodyLength !== undefined) {
    lines.push('wrk.method = "POST"', `wrk.body = string.rep("x", ${bodyLength})`)
  }
  return `${lines.join('\n')}${REPORT}`
}
