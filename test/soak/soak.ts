import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fleet } from '../../bench/fleet.js'
import { freePort } from '../../bench/sockets.js'
import type { ClientReport, IntervalFacts } from './client/protocol.js'
import { runClients } from './clients.js'
import { Findings } from './findings.js'
import { audit, type Balance } from './ledger.js'
import type { SoakOptions } from './options.js'
import { Probes } from './probes.js'
import { startProxy, type ProxyUnderSoak } from './proxy.js'
import { memorySlope, sampleLine, type Sample } from './samples.js'
import { Upstreams } from './upstreams.js'
import { lookAt, type Ports, type ProcessFacts } from './watch.js'

const SERVERS = 3
/** The longest that anything idle is kept, on either side, and some time to notice. */
const DRAIN_LIMIT_MS = 90_000
const DRAIN_POLL_MS = 250
/** A worker that grows faster than this, beyond doubt, is a finding; shorter runs only tell. */
export const SLOPE_BOUND = 1
const SLOPE_MINIMUM_SECONDS = 240
/** Descriptors that Node may keep of its own once it has needed them. */
const SPARE_FDS = 4

/** The access log is rotated after so many samples. */
const SAMPLES_A_LOG = 4

/** What a run has shown. */
export interface SoakResult {
  readonly findings: readonly string[]
  readonly balance: Balance
  readonly peak: number
  readonly rate: number
  readonly samples: readonly Sample[]
  /** Before the first request, and at the end. */
  readonly before: readonly ProcessFacts[]
  readonly after: readonly ProcessFacts[]
  readonly drainedMs: number
  readonly outages: { readonly killed: number; readonly stopped: number }
}

/** One run, from the start of all programs to their end. */
export async function soak(
  fleet: Fleet,
  options: SoakOptions,
  say: (line: string) => void
): Promise<SoakResult> {
  const findings = new Findings()
  const ports = { listen: await freePort(), upstreams: [] as number[] }
  for (let i = 0; i < SERVERS; i++) ports.upstreams.push(await freePort())
  const upstreams = new Upstreams(fleet, ports.upstreams, options.seed)
  await upstreams.start()
  const proxy = await startProxy(fleet, ports.listen, ports.upstreams, options.workers)
  const pids = proxy.pids()
  const before = lookAt(pids, ports)
  const probes = new Probes(ports.listen)
  const load = new Load(proxy, ports, probes, upstreams, say)
  const journal = join(fleet.directory, 'clients.journal')
  const { seed, calibrateSeconds, seconds, rate, sampleMs } = options
  const order = { port: ports.listen, seed, journal, calibrateSeconds, seconds, rate }
  await runClients(fleet, { ...order, tellEveryMs: sampleMs }, (report) => {
    load.onReport(report)
  })
  await upstreams.makePeace()
  await probes.stop()
  const began = performance.now()
  const after = await drained(pids, ports)
  const drainedMs = performance.now() - began
  checkProcesses(proxy, pids, before, after, findings)
  checkMemory(load.samples, pids, options.seconds, findings)
  if (probes.failed > 0) findings.add('probes not answered', String(probes.failed))
  if (upstreams.unexpectedEnds > 0) {
    findings.add('upstream servers that ended by themselves', String(upstreams.unexpectedEnds))
  }
  await proxy.program.stop()
  const how = await proxy.program.exited
  if (how !== 'exit code 0') findings.add('tsha did not stop as asked', how)
  for (const line of proxy.complaints()) findings.add('complaints of tsha', line)
  for (const line of critical(proxy.errorLog)) findings.add('critical errors', line)
  const { outages } = upstreams
  const balance = await audit(
    {
      clients: journal,
      upstreams: upstreams.journals,
      accessLogs: proxy.accessLogs(),
      outages,
      probes: probes.answered
    },
    findings
  )
  const killed = outages.filter(({ kind }) => kind === 'killed').length
  return {
    findings: findings.lines(),
    balance,
    peak: load.peak,
    rate: load.rate,
    samples: load.samples,
    before,
    after,
    drainedMs,
    outages: { killed, stopped: outages.length - killed }
  }
}

/** Listens to the clients while they run, and samples the proxy as often as they tell. */
class Load {
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

/** Waits until nobody has a connection any more; what is left after a long time has leaked. */
async function drained(pids: readonly number[], ports: Ports): Promise<readonly ProcessFacts[]> {
  const giveUpAt = performance.now() + DRAIN_LIMIT_MS
  for (;;) {
    const facts = lookAt(pids, ports)
    const isEmpty = facts.every(({ clients, upstreams }) => clients + upstreams === 0)
    if (isEmpty || performance.now() > giveUpAt) return facts
    await sleep(DRAIN_POLL_MS)
  }
}

function checkProcesses(
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

function checkMemory(
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

function critical(errorLog: string): readonly string[] {
  return readFileSync(errorLog, 'latin1')
    .split('\n')
    .filter((line) => line.includes('[crit]'))
}
