import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Fleet, Program } from '../../bench/fleet.js'
import { answering } from '../../bench/sockets.js'
import { Random } from '../fuzz/random.js'
import { signalProcess } from '../netns/lab/process-tree.js'

const PROGRAM = fileURLToPath(new URL('./upstream/main.js', import.meta.url))

/** Time in which a server was killed or stopped, by the wall clock. */
export interface Outage {
  readonly kind: 'killed' | 'stopped'
  readonly from: number
  to: number
}

/** Between two outages. */
const LONGEST_PEACE_MS = 4000
const LONGEST_STOP_MS = 5000
const SHORTEST_STOP_MS = 100
const LONGEST_ABSENCE_MS = 1500

/** The upstream servers, and what happens to them. */
export class Upstreams {
  readonly journals: readonly string[]
  readonly outages: Outage[] = []
  readonly #fleet: Fleet
  readonly #ports: readonly number[]
  readonly #seed: number
  readonly #programs: Program[] = []
  readonly #random: Random
  #trouble: Promise<void> | null = null
  readonly #peace = new AbortController()

  constructor(fleet: Fleet, ports: readonly number[], seed: number) {
    this.#fleet = fleet
    this.#ports = ports
    this.#seed = seed
    this.#random = new Random(seed)
    this.journals = ports.map((_, index) => join(fleet.directory, `upstream-${index}.journal`))
  }

  /** Resolves when all answer. */
  async start(): Promise<void> {
    await Promise.all(this.#ports.map((_, index) => this.#start(index)))
  }

  /** From now on one of them is killed or stopped now and then, until `makePeace`. */
  makeTrouble(): void {
    this.#trouble = this.#troubles()
    // `makePeace` tells of what went wrong.
    this.#trouble.catch(() => undefined)
  }

  /** Resolves when all of them run again. */
  async makePeace(): Promise<void> {
    this.#peace.abort()
    await this.#trouble
  }

  async #troubles(): Promise<void> {
    while (!this.#peace.signal.aborted) {
      await this.#pause(this.#random.below(LONGEST_PEACE_MS))
      const index = this.#random.below(this.#ports.length)
      if (this.#random.oneIn(2)) await this.#kill(index)
      else await this.#stop(index)
    }
  }

  async #kill(index: number): Promise<void> {
    const outage: Outage = { kind: 'killed', from: Date.now(), to: Infinity }
    this.outages.push(outage)
    const program = this.#programs[index]
    if (program === undefined) return
    signalProcess(program.pid, 'SIGKILL')
    const how = await program.exited
    if (how !== 'SIGKILL') throw new Error(`${program.name}: ${how}\n${program.output()}`)
    await this.#pause(this.#random.below(LONGEST_ABSENCE_MS))
    await this.#start(index)
    outage.to = Date.now()
  }

  async #stop(index: number): Promise<void> {
    const outage: Outage = { kind: 'stopped', from: Date.now(), to: Infinity }
    this.outages.push(outage)
    const { pid } = this.#programs[index] ?? { pid: 0 }
    if (pid === 0) return
    signalProcess(pid, 'SIGSTOP')
    await this.#pause(SHORTEST_STOP_MS + this.#random.below(LONGEST_STOP_MS - SHORTEST_STOP_MS))
    signalProcess(pid, 'SIGCONT')
    outage.to = Date.now()
  }

  async #pause(timeMs: number): Promise<void> {
    await sleep(timeMs, undefined, { signal: this.#peace.signal }).catch(() => undefined)
  }

  async #start(index: number): Promise<void> {
    const port = this.#ports[index] ?? 0
    const words = [port, index, this.#seed, this.journals[index] ?? ''].map(String)
    const argv = [process.execPath, '--enable-source-maps', PROGRAM, ...words]
    const program = this.#fleet.start(`upstream-${index}`, argv)
    this.#programs[index] = program
    await answering(program, port, '/')
  }
}
