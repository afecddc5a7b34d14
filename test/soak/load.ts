import type { ClientReport, IntervalFacts } from './client/protocol.js'
import type { Probes } from './probes.js'
import type { ProxyUnderSoak } from './proxy.js'
import { sampleLine, type Sample } from './samples.js'
import type { Upstreams } from './upstreams.js'
import { lookAt, type Ports } from './watch.js'

/** The access log is rotated after so many samples. */
const SAMPLES_A_LOG = 4

/** Listens to the clients while they run, and samples the proxy as often as they tell. */
export class Load {
  peak = 0
  rate = 0
  readonly samples: Sample[] = []
  readonly #proxy: ProxyUnderSoak
  readonly #pids: readonly number[]
  readonly #ports: Ports
  readonly #probes: Probes
  readonly #upstreams: Upstreams
  readonly #say: (line: string) => void
  #beganAt = 0

  constructor(
    proxy: ProxyUnderSoak,
    ports: Ports,
    probes: Probes,
    upstreams: Upstreams,
    say: (line: string) => void
  ) {
    this.#proxy = proxy
    this.#pids = proxy.pids()
    this.#ports = ports
    this.#probes = probes
    this.#upstreams = upstreams
    this.#say = say
  }

  onReport(report: ClientReport): void {
    switch (report.type) {
      case 'rate':
        this.peak = report.peak
        this.rate = report.rate
        this.#beganAt = Date.now()
        this.#probes.take()
        this.#upstreams.makeTrouble()
        this.#say(`peak ${report.peak.toFixed(0)} requests/s, rate ${report.rate.toFixed(0)}/s`)
        break
      case 'interval':
        this.#sample(report)
        break
      case 'end':
        this.#say(`${report.requests} requests made`)
    }
  }

  #sample(interval: IntervalFacts): void {
    const { p99Ms, longestMs } = this.#probes.take()
    const processes = lookAt(this.#pids, this.#ports)
    const times = { atMs: Date.now(), probeP99Ms: p99Ms, probeLongestMs: longestMs }
    const sample = { ...times, processes, interval }
    this.samples.push(sample)
    this.#say(sampleLine(sample, this.#beganAt))
    if (this.samples.length % SAMPLES_A_LOG === 0) this.#proxy.rotate()
  }
}
