import type { VirtualRouter } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { Random } from '../../fuzz/random.js'
import { PAIR_MASTER } from '../router.js'

/** A director of a simulated group. */
export interface Member {
  readonly router: VirtualRouter
  readonly priority: number
  readonly lease: Milliseconds
  /** What a failing service takes from the priority. */
  readonly weight: number
}

/** How badly the network treats a packet while there is chaos. */
export interface Weather {
  /** Of 1000 packets. */
  readonly lost: number
  readonly late: number
  readonly twice: number
  /** The longest delay. */
  readonly delay: Milliseconds
}

/** Everything that one run is made of, besides the order of chance. */
export interface Scenario {
  readonly members: readonly Member[]
  readonly weather: Weather
  /** How long faults happen. */
  readonly chaos: Milliseconds
  readonly faults: number
}

const OWN_ADDRESSES = ['10.0.0.9', '10.0.0.10', '10.0.0.130', '10.0.0.20', '10.0.1.1'] as const

/** What everything is measured by: one unit of the scenario's time. */
export function longestInterval({ members }: Scenario): Milliseconds {
  return Math.max(...members.map(({ router }) => router.adverInterval))
}

/** A group, and what will happen to it, out of chance. */
export function drawScenario(random: Random): Scenario {
  const count = random.pick([2, 2, 2, 3, 3, 4, 5])
  const version = random.oneIn(3) ? 3 : 2
  const interval = version === 2 ? random.pick([1000, 1000, 2000]) : random.pick([100, 250, 1000])
  const hasEqual = random.oneIn(5)
  const hasOwner = random.oneIn(8)
  const members = Array.from({ length: count }, (_, i): Member => {
    const isOwner = hasOwner && i === 0
    const priority = isOwner ? 255 : hasEqual ? 100 : 100 - 10 * i + random.below(5)
    // Three directors and more need one interval: docs/proof.md, limits.
    const mayDiffer = version === 3 && count === 2
    const own = mayDiffer && random.oneIn(3) ? random.pick([100, 500, 1500]) : interval
    return {
      router: {
        ...PAIR_MASTER,
        version,
        adverInterval: own,
        primaryAddress: OWN_ADDRESSES[i] ?? '10.0.2.2',
        preempts: isOwner || !random.oneIn(4),
        preemptDelay: random.oneIn(4) ? random.pick([500, 3000]) : 0,
        isOwner,
        startsAsMaster: isOwner || random.oneIn(2),
        makesBeforeBreak: !random.oneIn(3)
      },
      priority,
      lease: random.oneIn(6) ? Infinity : random.pick([1000, 2000, 3000]),
      weight: isOwner ? 0 : random.pick([20, 20, 60, 3])
    }
  })
  const unit = Math.max(...members.map(({ router }) => router.adverInterval))
  return {
    members,
    weather: {
      lost: random.pick([0, 0, 10, 100, 500]),
      late: random.pick([0, 10, 100]),
      twice: random.pick([0, 10, 100]),
      delay: (unit * random.pick([1, 10, 30])) / 10
    },
    chaos: unit * (4 + random.below(20)),
    faults: random.below(6)
  }
}
