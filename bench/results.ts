import type { IdleResult } from './idle.js'
import type { LoadResult } from './load.js'
import type { PeerName } from './peers/list.js'
import type { ScenarioName } from './scenarios.js'
import { median } from './statistics.js'

/** One figure of everything, of one proxy in one scenario. Latencies are in microseconds. */
export interface Sample {
  readonly requestsPerSecond: number
  readonly bytesPerSecond: number
  /** User and system time of the proxy's processes for each request. */
  readonly cpuPerRequest: number
  /** The part of its core that the proxy used, 0 to 1. */
  readonly coreShare: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly errors: number
}

/** Joins what the load generator and the kernel have counted. */
export function toSample(load: LoadResult, cpuMicroseconds: number): Sample {
  return {
    requestsPerSecond: load.requests / load.seconds,
    bytesPerSecond: load.bytes / load.seconds,
    cpuPerRequest: cpuMicroseconds / load.requests,
    coreShare: cpuMicroseconds / 1_000_000 / load.seconds,
    p50: load.p50,
    p99: load.p99,
    p999: load.p999,
    errors: load.errors
  }
}

/** All that was measured. */
export class Results {
  readonly idle = new Map<PeerName, IdleResult>()
  readonly #samples = new Map<string, Sample[]>()

  add(scenario: ScenarioName, peer: PeerName, sample: Sample): void {
    const key = `${scenario} ${peer}`
    this.#samples.set(key, [...(this.#samples.get(key) ?? []), sample])
  }

  /** The median of each value on its own, and all errors together; null when nothing was measured. */
  summary(scenario: ScenarioName, peer: PeerName): Sample | null {
    const samples = this.#samples.get(`${scenario} ${peer}`)
    if (!samples) return null
    const middle = (value: (sample: Sample) => number): number => median(samples.map(value))
    return {
      requestsPerSecond: middle((sample) => sample.requestsPerSecond),
      bytesPerSecond: middle((sample) => sample.bytesPerSecond),
      cpuPerRequest: middle((sample) => sample.cpuPerRequest),
      coreShare: middle((sample) => sample.coreShare),
      p50: middle((sample) => sample.p50),
      p99: middle((sample) => sample.p99),
      p999: middle((sample) => sample.p999),
      errors: samples.reduce((sum, sample) => sum + sample.errors, 0)
    }
  }
}
