import type { Bodies } from '../bodies.js'
import { drawErrand, type Errand } from '../draw.js'
import { Expectation } from './expectation.js'
import { journalLine } from './journal.js'
import type { IntervalFacts } from './protocol.js'
import { Session } from './session.js'
import { runErrand } from './errand.js'

/** So many requests run at once at most. */
const MAX_RUNNING = 1000
/** A connection is left after it was idle for so long: well before the proxy would close it. */
const MAX_IDLE_MS = 3000
const SMALL = 2048

/** All clients of a run: gives errands to connections, and writes down how they end. */
export class Clients {
  /** Requests begun or held back. */
  started = 0
  /** The id of the next request. */
  nextId = 0
  readonly #port: number
  readonly #bodies: Bodies
  readonly #seed: number
  readonly #note: (line: string) => void
  readonly #idle: Session[] = []
  readonly #errands = new Set<Promise<void>>()
  #latencies: number[] = []
  #finished = 0
  #heldBack = 0

  constructor(port: number, bodies: Bodies, seed: number, note: (line: string) => void) {
    this.#port = port
    this.#bodies = bodies
    this.#seed = seed
    this.#note = note
  }

  /** Begins an errand, unless too many are running. */
  begin(): void {
    if (this.#errands.size >= MAX_RUNNING) {
      this.#heldBack++
      this.started++
      return
    }
    const errand = this.runOne(false).finally(() => this.#errands.delete(errand))
    this.#errands.add(errand)
  }

  /** Draws the next errand and runs it. */
  async runOne(isCalm: boolean): Promise<void> {
    const errand = drawErrand({ seed: this.#seed, isCalm }, this.nextId)
    this.nextId += errand.plans.length
    this.started += errand.plans.length
    await this.run(errand)
  }

  /** Runs an errand on a connection that is idle, or on a new one. */
  async run(errand: Errand): Promise<readonly Expectation[]> {
    const expectations = errand.plans.map((plan) => new Expectation(plan, this.#bodies))
    const session = this.#session(errand)
    await runErrand(session, this.#bodies, errand, expectations)
    for (const expectation of expectations) this.#settled(expectation, errand)
    if (session.isReusable && !errand.isFresh) this.#idle.push(session)
    else if (session.isReusable) session.leave(false)
    return expectations
  }

  /** Resolves when everything is answered and every connection is left. */
  async drain(): Promise<void> {
    await Promise.all(this.#errands)
    for (const session of this.#idle.splice(0)) session.leave(false)
  }

  /** What has happened since the last call. */
  takeFacts(): IntervalFacts {
    const sorted = this.#latencies.sort((a, b) => a - b)
    const facts = {
      atMs: Date.now(),
      finished: this.#finished,
      running: this.#errands.size,
      medianMs: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      heldBack: this.#heldBack
    }
    this.#latencies = []
    this.#finished = 0
    this.#heldBack = 0
    this.#leaveOld()
    return facts
  }

  #session({ isFresh }: Errand): Session {
    const freshEnough = Date.now() - MAX_IDLE_MS
    for (let idle = isFresh ? undefined : this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (idle.isReusable && idle.idleSince >= freshEnough) return idle
      idle.leave(false)
    }
    return new Session(this.#port, (detail) => {
      this.#note(`unasked\t${detail}`)
    })
  }

  #leaveOld(): void {
    const old = this.#idle.filter(({ idleSince }) => idleSince < Date.now() - MAX_IDLE_MS)
    for (const session of old) {
      this.#idle.splice(this.#idle.indexOf(session), 1)
      session.leave(false)
    }
  }

  #settled(expectation: Expectation, errand: Errand): void {
    this.#finished++
    const { plan, outcome } = expectation
    const isSmallGet = plan.method === 'GET' && plan.size < SMALL && plan.fault === null
    if (isSmallGet && outcome === 'ok' && errand.manner.kind === 'plain') {
      this.#latencies.push(expectation.elapsedMs)
    }
    this.#note(journalLine(expectation, errand.manner.kind))
  }
}
