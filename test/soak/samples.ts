import type { IntervalFacts } from './client/protocol.js'
import { slopeOf, type Slope } from './slope.js'
import type { ProcessFacts } from './watch.js'

/** Everything measured at one moment. */
export interface Sample {
  readonly atMs: number
  readonly processes: readonly ProcessFacts[]
  /** Of the proxy's own answers. */
  readonly probeP99Ms: number
  readonly probeLongestMs: number
  readonly interval: IntervalFacts
}

const MS_PER_MINUTE = 60_000

/** The growth of a process in the second half of the run, in MiB per minute. */
export function memorySlope(samples: readonly Sample[], pid: number): Slope {
  const first = samples[0]?.atMs ?? 0
  const half = (first + (samples.at(-1)?.atMs ?? 0)) / 2
  const points = samples
    .filter(({ atMs }) => atMs >= half)
    .map(({ atMs, processes }) => {
      const rssMib = processes.find((each) => each.pid === pid)?.rssMib ?? 0
      return [(atMs - first) / MS_PER_MINUTE, rssMib] as const
    })
  return slopeOf(points)
}

/** One line that tells how it goes. */
export function sampleLine(sample: Sample, beganAtMs: number): string {
  const { processes, interval, probeP99Ms, probeLongestMs } = sample
  const sum = (pick: (facts: ProcessFacts) => number): number =>
    processes.reduce((total, facts) => total + pick(facts), 0)
  const rss = processes.map(({ rssMib }) => rssMib.toFixed(1)).join(' + ')
  return [
    `${((sample.atMs - beganAtMs) / 1000).toFixed(0)} s`,
    `${interval.finished} requests`,
    `${interval.running} running`,
    `small GET p50 ${interval.medianMs.toFixed(1)} p99 ${interval.p99Ms.toFixed(1)} ms`,
    `own answers p99 ${probeP99Ms.toFixed(1)} max ${probeLongestMs.toFixed(1)} ms`,
    `RSS ${rss} MiB`,
    `fds ${sum(({ fds }) => fds)}`,
    `clients ${sum(({ clients }) => clients)}`,
    `upstream ${sum(({ upstreams }) => upstreams)}`,
    `CLOSE_WAIT ${sum(({ closeWait }) => closeWait)}`
  ].join(', ')
}
