import { receive, type Verdict } from '../../../src/vrrp/receive.js'
import { ReplayMemory } from '../../../src/vrrp/stamp.js'
import { Random } from '../../fuzz/random.js'
import { CAPTURED_AT } from '../golden-routers.js'
import { toHex } from '../golden.js'
import { objection } from './oracle.js'
import { PacketSource, TARGETS, type Target } from './packets.js'
import { Subject } from './subject.js'

export interface FuzzOptions {
  readonly seed: number
  readonly packets: number
  /** The ladder under test; a broken one must be found. */
  readonly ladder?: typeof receive
}

export interface FuzzReport {
  readonly packets: number
  /** How often each verdict was given. */
  readonly verdicts: ReadonlyMap<string, number>
  /** State changes of the speakers by an accepted packet. */
  readonly changes: number
  /** The first wrong one: seed, number, listener, what is wrong and the packet in hex. */
  readonly find: string | null
}

/** Packets for one listener before the next one's turn; HMAC costs most and gets fewer. */
const BATCH = 2000
const SIGNED_BATCH = 400
/** After so many packets time passes. */
const PACKETS_PER_TICK = 20
const LONGEST_TICK_MS = 4000
/** Stamps of HMAC authentication begin behind those of the golden packets, and count. */
const FIRST_STAMP = BigInt(CAPTURED_AT / 1000 + 1) << 32n

/**
 * Throws packets at the receive path, the ladder alone and a whole speaker, and objects when one of
 * them throws, when they disagree, when a packet is accepted that no sender could have sent, when a
 * right one is not, or when a packet that was not accepted changes the state.
 */
export async function fuzzReceive(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, packets, ladder = receive } = options
  const verdicts = new Map<string, number>()
  const count = (verdict: string): void => {
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
  }
  let changes = 0
  let find: string | null = null
  let done = 0
  for (let batch = 0; done < packets && find === null; batch++) {
    const index = batch % TARGETS.length
    const target = TARGETS[index]
    if (!target) break
    const round = new Batch(Random.ofCase(seed, batch), target, ladder)
    const isSigned = target.listener.authentication.type === 'hmac'
    const size = Math.min(isSigned ? SIGNED_BATCH : BATCH, packets - done)
    for (let i = 0; i < size && find === null; i++, done++) {
      const wrong = round.next(i, count)
      if (wrong !== null) find = `seed ${seed}, packet ${done}, listener ${index}: ${wrong}`
    }
    changes += round.changes
    // Lets the speaker's promises be dropped.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { packets, verdicts, changes, find }
}

class Batch {
  changes = 0
  readonly #random: Random
  readonly #source: PacketSource
  readonly #subject: Subject
  readonly #replay: ReplayMemory
  readonly #listener: Target['listener']
  readonly #ladder: typeof receive

  constructor(random: Random, target: Target, ladder: typeof receive) {
    const { listener } = target
    this.#random = random
    this.#listener = listener
    this.#ladder = ladder
    this.#source = new PacketSource(random, target, FIRST_STAMP)
    this.#subject = new Subject(listener)
    this.#replay = new ReplayMemory(listener.destination)
  }

  /** Feeds one packet; returns what is wrong. */
  next(number: number, count: (verdict: string) => void): string | null {
    if (number % PACKETS_PER_TICK === 0) this.#subject.advance(this.#random.below(LONGEST_TICK_MS))
    const isRight = number % 64 === 63
    const packet = isRight ? this.#source.right() : this.#source.next()
    const before = this.#subject.state
    let verdict: Verdict
    try {
      verdict = this.#ladder(this.#listener, packet, this.#replay, CAPTURED_AT)
      this.#subject.receive(packet)
    } catch (error) {
      return `${String(error)}: ${toHex(packet)}`
    }
    const outcome = verdict.ok ? 'accepted' : verdict.reason
    count(outcome)
    const isChanged = this.#subject.state !== before
    if (isChanged) this.changes += 1
    const wrong = verdict.ok
      ? objection(this.#listener, packet, verdict)
      : isChanged
        ? 'the state changed'
        : isRight && verdict.reason !== 'owner-ignores'
          ? 'it is right'
          : null
    if (wrong !== null) return `${outcome}, but ${wrong}: ${toHex(packet)}`
    if (outcome !== this.#subject.outcome) {
      return `${outcome}, but the speaker says ${this.#subject.outcome}: ${toHex(packet)}`
    }
    return null
  }
}

/** One line about a run. */
export function summaryOf(report: FuzzReport): string {
  const verdicts = [...report.verdicts].sort(([, a], [, b]) => b - a)
  const list = verdicts.map(([verdict, times]) => `${verdict} ${times}`).join(', ')
  return `${report.packets} packets, ${report.changes} state changes by accepted ones; ${list}`
}
