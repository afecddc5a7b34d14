import type { Cores } from './cores.js'
import type { Fleet, Program } from './fleet.js'
import { IDLE_CONNECTIONS, manyFiles, measureIdle } from './idle.js'
import { runWrk, type LoadResult } from './load.js'
import type { Options } from './options.js'
import { PACED_SHARE, runPaced } from './paced.js'
import { PEERS, type PeerName } from './peers/list.js'
import { toSample, type Results } from './results.js'
import { SCENARIOS, SMALL, type ClosedLoop } from './scenarios.js'
import { answering, freePort, saying } from './sockets.js'
import { startUpstream } from './upstream.js'
import { cpuMicroseconds } from './usage.js'

/** What the example's nginx.conf is written for. */
const LOAD_CONNECTIONS = 1024
/** Node compiles what it runs often only after a while. */
const WARM_UP: ClosedLoop = { path: SMALL, connections: 32 }
const WARM_UP_SECONDS = 1

/** A proxy that listens. */
interface Running {
  readonly peer: PeerName
  readonly port: number
  readonly program: Program
}

/** Measures what is asked for. One object is one run. */
export class Run {
  readonly #fleet: Fleet
  readonly #cores: Cores
  readonly #options: Options
  readonly #results: Results
  readonly #say: (text: string) => void
  #upstreams: readonly [number, number] = [0, 0]

  constructor(
    fleet: Fleet,
    cores: Cores,
    options: Options,
    results: Results,
    say: (text: string) => void
  ) {
    this.#fleet = fleet
    this.#cores = cores
    this.#options = options
    this.#results = results
    this.#say = say
  }

  /** Starts the web servers; to be called first. */
  async startUpstream(): Promise<void> {
    this.#upstreams = [await freePort(), await freePort()]
    const upstream = startUpstream(this.#fleet, this.#cores.others, this.#upstreams)
    for (const port of this.#upstreams) await answering(upstream, port, SMALL)
  }

  /** All scenarios under load. Returns the rate of the paced one, or null when there was none. */
  async measureLoad(): Promise<number | null> {
    const { scenarios } = this.#options
    if (scenarios.every((name) => name === 'idle')) return null
    const running: Running[] = []
    for (const peer of this.#options.peers) {
      running.push(await this.#start(peer, LOAD_CONNECTIONS, []))
    }
    for (const { port } of running) {
      await runWrk(this.#fleet, this.#cores.others, port, WARM_UP, WARM_UP_SECONDS)
    }
    await this.#measureClosedLoops(running)
    const rate = scenarios.includes('paced') ? await this.#measurePaced(running) : null
    await Promise.all(running.map(({ program }) => program.stop()))
    return rate
  }

  /** Memory of each proxy, one after the other. */
  async measureMemory(): Promise<void> {
    if (!this.#options.scenarios.includes('idle')) return
    for (const peer of this.#options.peers) {
      this.#say(`idle clients, ${peer}`)
      const { port, program } = await this.#start(peer, IDLE_CONNECTIONS, manyFiles())
      const result = await measureIdle(this.#fleet, this.#cores.others, program, port)
      this.#results.idle.set(peer, result)
      await program.stop()
    }
  }

  async #start(peer: PeerName, connections: number, limits: readonly string[]): Promise<Running> {
    const port = await freePort()
    const program = PEERS[peer].start({
      fleet: this.#fleet,
      name: peer,
      prefix: ['taskset', '-c', this.#cores.proxy, ...limits],
      port,
      upstreams: this.#upstreams,
      connections,
      node: this.#options.node
    })
    await answering(program, port, SMALL)
    const { lastWord } = PEERS[peer]
    if (lastWord !== undefined) await saying(program, lastWord)
    return { peer, port, program }
  }

  async #measureClosedLoops(running: readonly Running[]): Promise<void> {
    const { rounds, scenarios, seconds } = this.#options
    for (let round = 1; round <= rounds; round += 1) {
      for (const { name, load } of SCENARIOS) {
        if (!load || !scenarios.includes(name)) continue
        this.#say(`round ${round} of ${rounds}, ${name}`)
        for (const proxy of inTurn(running, round)) {
          const sample = await this.#sample(proxy, (port) =>
            runWrk(this.#fleet, this.#cores.others, port, load, seconds)
          )
          this.#results.add(name, proxy.peer, sample)
        }
      }
    }
  }

  async #measurePaced(running: readonly Running[]): Promise<number> {
    const { rounds, seconds } = this.#options
    const peak = this.#results.summary('keepalive-32', 'tsha')?.requestsPerSecond ?? 0
    const rate = peak * PACED_SHARE
    for (let round = 1; round <= rounds; round += 1) {
      this.#say(`round ${round} of ${rounds}, paced`)
      for (const proxy of inTurn(running, round)) {
        const sample = await this.#sample(proxy, (port) =>
          runPaced(this.#fleet, this.#cores.others, port, rate, seconds)
        )
        this.#results.add('paced', proxy.peer, sample)
      }
    }
    return rate
  }

  async #sample({ port, program }: Running, load: (port: number) => Promise<LoadResult>) {
    const before = cpuMicroseconds(program.pid)
    const result = await load(port)
    const sample = toSample(result, cpuMicroseconds(program.pid) - before)
    this.#fleet.emptyLogs()
    return sample
  }
}

/** Every other round goes backwards, so that nobody always follows the same neighbour. */
function inTurn(running: readonly Running[], round: number): readonly Running[] {
  return round % 2 === 1 ? running : running.toReversed()
}
