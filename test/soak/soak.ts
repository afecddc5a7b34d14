import { join } from 'node:path'
import type { Fleet } from '../../bench/fleet.js'
import { checkMemory, checkProcesses, checkStop, drained } from './checks.js'
import { runClients } from './clients.js'
import { Findings } from './findings.js'
import { audit, type Balance } from './ledger.js'
import { Load } from './load.js'
import type { SoakOptions } from './options.js'
import { Probes } from './probes.js'
import { startProxy, type ProxyUnderSoak } from './proxy.js'
import type { Sample } from './samples.js'
import { lastingPort } from './sockets.js'
import { Upstreams } from './upstreams.js'
import { lookAt, type Ports, type ProcessFacts } from './watch.js'

const SERVERS = 3

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

/** Everything that runs beside the clients. */
interface Scene {
  readonly fleet: Fleet
  readonly ports: Ports
  readonly upstreams: Upstreams
  readonly proxy: ProxyUnderSoak
  readonly probes: Probes
}

/**
 * One run, from the start of all programs to their end.
 * @throws {Error} when one of them cannot do its part; what runs then is ended with the fleet
 */
export async function soak(
  fleet: Fleet,
  options: SoakOptions,
  say: (line: string) => void
): Promise<SoakResult> {
  const listen = await lastingPort()
  const ports = { listen, upstreams: [] as number[] }
  while (ports.upstreams.length < SERVERS) ports.upstreams.push(await lastingPort())
  const upstreams = new Upstreams(fleet, ports.upstreams, options.seed)
  await upstreams.start()
  const proxy = await startProxy(fleet, listen, ports.upstreams, options.workers)
  const probes = new Probes(listen)
  try {
    return await run({ fleet, ports, upstreams, proxy, probes }, options, say)
  } finally {
    await upstreams.makePeace()
    await probes.stop()
  }
}

async function run(
  scene: Scene,
  options: SoakOptions,
  say: (line: string) => void
): Promise<SoakResult> {
  const { fleet, ports, upstreams, proxy, probes } = scene
  const findings = new Findings()
  const pids = proxy.pids()
  const before = lookAt(pids, ports)
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
  checkMemory(load.samples, pids, seconds, findings)
  await checkStop(proxy, findings)
  if (probes.failed > 0) findings.add('probes not answered', String(probes.failed))
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
