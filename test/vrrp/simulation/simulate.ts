import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { Random } from '../../fuzz/random.js'
import { holds, isInElection, type Host } from './host.js'
import { SHIPPED, type Machine } from './machine.js'
import { isRightHolder, type Violation } from './oracle.js'
import { drawScenario, longestInterval, type Scenario } from './scenario.js'
import { Segment, nameOf } from './segment.js'

/** The outcome of one run. */
export interface Run {
  readonly seed: number
  readonly violation: Violation | null
  /** What happened, a line for each event; empty unless it was asked for. */
  readonly trace: readonly string[]
  /** Simulated milliseconds. */
  readonly length: Milliseconds
}

/** Added to every bound: packets, and the kernel's late end of a lease. */
const MARGIN: Milliseconds = 20
/** The second announcement comes 5 s after the first one. */
const SECOND_BURST: Milliseconds = 5000

/** One group through chaos, calm, and the loss of its master. The same seed is the same run. */
export function simulate(seed: number, machine: Machine = SHIPPED, isTraced = false): Run {
  const random = new Random(Math.imul(seed, 0x9e3779b1))
  const scenario = drawScenario(random)
  const segment = new Segment(machine, scenario, random, isTraced)
  if (isTraced) segment.trace.push(...describe(scenario))
  chaos(segment, scenario, random)
  // What was late in the chaos still comes in the calm.
  segment.runUntil(segment.now + scenario.weather.delay)
  const masters = segment.hosts.filter(({ state }) => state.name === 'master')
  const settle = settleTime(scenario)
  segment.runUntil(segment.now + settle)
  checkRest(segment)
  segment.runUntil(segment.now + settle + SECOND_BURST)
  checkRest(segment)
  checkClients(segment, masters)
  loseMaster(segment, scenario, random)
  return { seed, violation: segment.violation, trace: segment.trace, length: segment.now }
}

/** The longest time until a whole and calm network has one master, the right one. */
function settleTime({ members }: Scenario): Milliseconds {
  const interval = Math.max(...members.map(({ router }) => router.adverInterval))
  const lease = Math.max(...members.map(({ lease }) => (lease === Infinity ? 0 : lease + 160)))
  const silence = 3 * interval + Math.max(1000, interval)
  const preemptDelay = Math.max(...members.map(({ router }) => router.preemptDelay))
  // A weaker one takes over first, is left alone, and then no longer listened to.
  const patience = preemptDelay === 0 ? 0 : preemptDelay + silence
  return Math.max(patience + silence + handOverOf(interval), lease) + MARGIN
}

/** The longest Skew_Time, and 250 ms. */
function handOverOf(interval: Milliseconds): Milliseconds {
  return Math.max(1000, interval) + 250
}

function chaos(segment: Segment, scenario: Scenario, random: Random): void {
  const unit = longestInterval(scenario)
  const count = scenario.members.length
  const sometime = (): Milliseconds => (scenario.chaos * random.below(1000)) / 1000
  const aWhile = (): Milliseconds => (unit * (1 + random.below(60))) / 10
  for (let i = 0; i < count; i++) {
    const at = random.oneIn(2) ? 0 : sometime() / 2
    segment.at(at, () => {
      segment.start(i)
    })
  }
  for (let fault = 0; fault < scenario.faults; fault++) {
    const i = random.below(count)
    const begin = sometime()
    const end = begin + aWhile()
    const [start, stop] = drawFault(segment, random, i, count)
    segment.at(begin, start)
    segment.at(Math.min(end, scenario.chaos), stop)
  }
  segment.runUntil(scenario.chaos)
  if (segment.violation) return
  segment.calm()
  for (let i = 0; i < count; i++) {
    segment.resume(i)
    segment.setLink(i, true)
    // Some stay dead, and some services stay down: the rest has to do without.
    if (i === 0 || !random.oneIn(4)) segment.start(i)
    if (!random.oneIn(4)) segment.setService(i, true)
  }
}

/** How a fault begins and how it ends. */
function drawFault(
  segment: Segment,
  random: Random,
  i: number,
  count: number
): readonly [() => void, () => void] {
  const others = Array.from({ length: count }, (_, j) => j).filter((j) => j !== i)
  const direction = random.below(3)
  const powerLoss = random.oneIn(2)
  switch (random.below(7)) {
    case 0:
      return [
        () => {
          segment.kill(i, powerLoss)
        },
        () => {
          segment.start(i)
        }
      ]
    case 1:
      return [
        () => {
          segment.pause(i)
        },
        () => {
          segment.resume(i)
        }
      ]
    case 2:
      return [
        () => {
          segment.setLink(i, false)
        },
        () => {
          segment.setLink(i, true)
        }
      ]
    case 3:
      return [
        () => {
          segment.setService(i, false)
        },
        () => {
          segment.setService(i, true)
        }
      ]
    case 4:
      return [
        () => {
          segment.stop(i)
        },
        () => {
          segment.leave(i)
          segment.start(i)
        }
      ]
    case 5:
      return [
        () => {
          segment.setService(i, false)
        },
        () => undefined
      ]
    default:
      return [
        () => {
          for (const j of others) {
            if (direction !== 0) segment.cut.add(`${i}${j}`)
            if (direction !== 1) segment.cut.add(`${j}${i}`)
          }
        },
        () => {
          for (const j of others) {
            segment.cut.delete(`${i}${j}`)
            segment.cut.delete(`${j}${i}`)
          }
        }
      ]
  }
}

/** One holder, and the right one. */
function checkRest(segment: Segment): void {
  const { hosts } = segment
  if (segment.violation || !hosts.some(isInElection)) return
  // An address without a lease that a dead process left behind is nobody's fault but the lease's.
  const holders = hosts.filter((host) => holds(host) && (host.wants || host.heldUntil !== Infinity))
  const names = holders.map((host) => nameOf(hosts.indexOf(host))).join(', ') || 'nobody'
  const [holder] = holders
  if (holder === undefined || holders.length > 1) {
    segment.fail({ invariant: 'one holder', text: `the holders are ${names}` })
  } else if (!isRightHolder(hosts, holder)) {
    segment.fail({ invariant: 'settles in time', text: `${names} should not be the holder` })
  }
}

/**
 * The clients send to the holder. It cannot know of a master that it never heard: that is excused
 * when every packet of that one was lost, or when it gives way without a word, as keepalived does.
 *
 * @param mastersAtCalm those that were master when the network was made whole
 */
function checkClients(segment: Segment, mastersAtCalm: readonly Host[]): void {
  const { hosts, client, told } = segment
  const holder = hosts.findIndex((host) => host.wants)
  if (segment.violation || holder < 0 || client === holder) return
  const other = mastersAtCalm.find(({ router }) => router === hosts[client ?? -1]?.router)
  if (!told.has(holder) && !other?.router.makesBeforeBreak) return
  const cached = client === null ? 'nobody' : nameOf(client)
  const text = `${nameOf(holder)} has the addresses, the clients send to ${cached}`
  segment.fail({ invariant: 'the survivor announces', text })
}

/** The master dies in a calm network: the best of the others takes over in its time. */
function loseMaster(segment: Segment, scenario: Scenario, random: Random): void {
  if (segment.violation) return
  const { hosts } = segment
  const lost = hosts.findIndex((host) => host.state.name === 'master')
  const heirs = hosts.filter((host) => host.state.name === 'backup' && host.process === 'running')
  if (lost < 0 || heirs.length === 0) return
  segment.runUntil(segment.now + random.below(longestInterval(scenario)))
  segment.kill(lost, random.oneIn(2))
  const interval = Math.max(
    ...heirs.map(({ router }) => router.adverInterval),
    hosts[lost]?.router.adverInterval ?? 0
  )
  const wait = Math.min(
    ...heirs.map(({ router, state }) => {
      const unit = router.version === 2 ? 1000 : interval
      return 3 * interval + ((256 - state.priority) / 256) * unit
    })
  )
  // Heirs that cannot serve may offer the addresses to each other first.
  const canServe = heirs.every(({ state }) => state.serviceUp)
  const handOver = canServe ? 0 : handOverOf(interval)
  segment.runUntil(segment.now + wait + handOver + MARGIN)
  const isServed = hosts.some((host) => host.wants && host.process === 'running')
  if (!isServed)
    segment.fail({ invariant: 'takes over in time', text: `nobody took over within ${wait} ms` })
  segment.runUntil(segment.now + settleTime(scenario))
  checkRest(segment)
}

function describe(scenario: Scenario): readonly string[] {
  const { lost, late, twice, delay } = scenario.weather
  return [
    `weather: ${lost} of 1000 packets lost, ${late} up to ${delay} ms late, ${twice} twice`,
    ...scenario.members.map(({ router, priority, lease, weight }, i) => {
      const mode = router.makesBeforeBreak ? 'make before break' : 'as keepalived'
      const preempt = router.preempts ? `preempt after ${router.preemptDelay} ms` : 'nopreempt'
      return `${nameOf(i)}: VRRPv${router.version}, priority ${priority} - ${weight}, every ${router.adverInterval} ms, ${preempt}, ${mode}, lease ${lease} ms, ${router.primaryAddress}`
    })
  ]
}
