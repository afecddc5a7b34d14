import type { Event } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { Random } from '../../fuzz/random.js'
import { PAIR_MASTER } from '../router.js'
import { Agenda } from './agenda.js'
import { advertisement } from './events.js'
import { GroupDirector } from './group-director.js'
import { killed, type Host, type Taken } from './host.js'
import { SHIPPED, type Machine } from './machine.js'
import { checkStep, type Violation } from './oracle.js'
import type { Run } from './simulate.js'

/** The members of each sync group, by index; every virtual router has a segment of its own. */
const GROUPS: readonly (readonly number[])[] = [
  [0, 1],
  [2, 3]
]
const ROUTERS = GROUPS.flat()
/** A packet of a whole network takes up to this long. */
const LATENCY: Milliseconds = 2
const INTERVAL: Milliseconds = 1000
/** Master_Down_Interval and the longest hand-over, in VRRPv2. */
const SILENCE: Milliseconds = 4000
const HAND_OVER: Milliseconds = 1250
/** What a group may take longer: one member's timer may have begun anew while it waited for the others. */
const ROUNDS = 3
/** How long nothing may change once it is calm. */
const REST: Milliseconds = 30_000
const QUEUE_LIMIT = 200

/** Two directors with two sync groups of two virtual routers each, through chaos and calm. */
export function simulateGroups(seed: number, machine: Machine = SHIPPED, isTraced = false): Run {
  const run = new GroupRun(new Random(Math.imul(seed, 0x9e3779b1)), machine, isTraced)
  run.play()
  return { seed, violation: run.violation, trace: run.trace, length: run.time }
}

class GroupRun {
  violation: Violation | null = null
  readonly trace: string[] = []
  time: Milliseconds = 0
  readonly #random: Random
  readonly #isTraced: boolean
  readonly #machine: Machine
  readonly #agenda = new Agenda()
  readonly #directors: readonly GroupDirector[]
  readonly #timers = new Map<string, number>()
  readonly #queues = new Map<number, (() => void)[]>()
  readonly #cut = new Set<string>()
  readonly #preemptDelay: Milliseconds
  readonly #weight: number
  readonly #priorities: readonly (readonly number[])[]
  #lost: number
  #changes = 0

  constructor(random: Random, machine: Machine, isTraced: boolean) {
    this.#random = random
    this.#machine = machine
    this.#isTraced = isTraced
    this.#lost = random.pick([0, 10, 100, 500])
    this.#preemptDelay = random.pick([0, 0, 500, 3000])
    this.#weight = random.pick([20, 60, 3])
    const isEqual = random.oneIn(5)
    this.#priorities = [0, 1].map((d) => ROUTERS.map(() => (isEqual ? 100 : 100 - 10 * d)))
    this.#directors = [0, 1].map((d) => {
      const common = {
        ...PAIR_MASTER,
        isGrouped: true,
        preemptDelay: this.#preemptDelay,
        preempts: !random.oneIn(4),
        startsAsMaster: random.oneIn(2),
        makesBeforeBreak: !random.oneIn(3)
      }
      const routers = ROUTERS.map((i) => ({
        ...common,
        vrid: 51 + i,
        primaryAddress: `10.0.${i}.${d + 9}`
      }))
      return new GroupDirector(routers, this.#priorities[d] ?? [], GROUPS, {
        machine,
        now: () => this.time,
        stepped: (i, before, event, taken) => {
          this.#stepped(d, i, before, event, taken)
        }
      })
    })
    if (isTraced)
      this.trace.push(
        `priorities ${this.#priorities.join(' / ')} - ${this.#weight}, preempt_delay ${this.#preemptDelay}, ${this.#lost} of 1000 packets lost`,
        ...this.#directors.map(({ hosts }, d) => {
          const router = hosts[0]?.router
          return `${nameOf(d)}: preempt ${router?.preempts}, make before break ${router?.makesBeforeBreak}, MASTER ${router?.startsAsMaster}`
        })
      )
  }

  play(): void {
    const chaos = INTERVAL * (5 + this.#random.below(25))
    this.#chaos(chaos)
    this.#runUntil(chaos)
    this.#calm()
    this.#changes = 0
    this.#runUntil(this.time + this.#preemptDelay + ROUNDS * SILENCE + HAND_OVER)
    this.#check()
    // A few for each virtual router: up, and for another group's sake down and up again.
    if (this.#changes > 6 * this.#directors.length * ROUTERS.length)
      this.#fail('settles in time', `${this.#changes} changes of state after the last fault`)
    this.#changes = 0
    this.#runUntil(this.time + REST)
    if (this.#changes > 0) this.#fail('settles in time', `${this.#changes} changes in calm`)
    this.#check()
  }

  #chaos(length: Milliseconds): void {
    const random = this.#random
    this.#directors.forEach((director, d) => {
      this.#at(random.oneIn(2) ? 0 : random.below(length / 2), () => {
        this.#tell(`${nameOf(d)} is started`)
        director.start()
      })
    })
    for (let fault = random.below(7); fault > 0; fault--) {
      const begin = random.below(length)
      const end = Math.min(length, begin + 100 + random.below(8000))
      const [start, stop] = this.#drawFault(random.below(2), random.pick([0, 1, 2, 3]))
      this.#at(begin, start)
      this.#at(end, stop)
    }
  }

  /** How a fault begins and how it ends. */
  #drawFault(d: number, i: number): readonly [() => void, () => void] {
    const director = this.#director(d)
    const label = `${nameOf(d)}${i}`
    const group = GROUPS.find((members) => members.includes(i)) ?? []
    const kind = this.#random.below(8)
    const isWhole = this.#random.oneIn(2)
    const cause = kind === 0 ? 'link' : 'tracker'
    switch (kind) {
      case 0:
      case 1:
        return [
          () => {
            this.#tell(`${label} has a fault: ${cause}`)
            if (cause === 'link') this.#cut.add(`${d}:${i}`)
            this.#orLater(d, () => {
              director.setFault(i, cause, true)
            })
          },
          () => {
            this.#tell(`${label} has no fault: ${cause}`)
            if (cause === 'link') this.#cut.delete(`${d}:${i}`)
            this.#orLater(d, () => {
              director.setFault(i, cause, false)
            })
          }
        ]
      case 2:
        return [
          () => {
            this.#tell(`${label} is cut off`)
            for (const each of isWhole ? ROUTERS : [i]) this.#cut.add(`${d}:${each}`)
          },
          () => {
            this.#tell(`${label} is not cut off any more`)
            for (const each of isWhole ? ROUTERS : [i])
              if (!director.hasFault(each)) this.#cut.delete(`${d}:${each}`)
          }
        ]
      case 3:
        return [
          () => {
            this.#kill(d)
          },
          () => {
            this.#start(d)
          }
        ]
      case 4:
        return [
          () => {
            this.#tell(`${nameOf(d)} is stopped`)
            if (isRunning(director)) director.stop()
          },
          () => {
            if (director.hosts.every(({ state }) => state.name === 'initialize')) {
              this.#kill(d)
              this.#start(d)
            }
          }
        ]
      case 5:
        return [
          () => {
            for (const each of group) this.#setService(d, each, false)
          },
          () => {
            for (const each of group) this.#setService(d, each, true)
          }
        ]
      case 6:
        return [
          () => {
            this.#tell(`the addresses of ${label} are lost`)
            if (isRunning(director)) director.happen(i, { kind: 'addresses-lost' })
          },
          () => undefined
        ]
      default:
        return [
          () => {
            this.#pause(d)
          },
          () => {
            this.#resume(d)
          }
        ]
    }
  }

  /** Whole is the network, and everybody lives; some faults stay, of one director only. */
  #calm(): void {
    if (this.violation) return
    this.#tell('calm')
    this.#lost = 0
    this.#cut.clear()
    const lame = this.#random.below(4)
    this.#directors.forEach((director, d) => {
      this.#resume(d)
      if (director.hosts.some(({ state }) => state.name === 'initialize')) {
        this.#kill(d)
        this.#start(d)
      }
      for (const i of ROUTERS) {
        director.setFault(i, 'link', false)
        director.setFault(i, 'tracker', d === lame && i === 1)
      }
      for (const i of ROUTERS) if (!(d === lame && i > 1)) this.#setService(d, i, true)
    })
  }

  #kill(d: number): void {
    const director = this.#director(d)
    if (director.hosts.every(({ process }) => process === 'dead')) return
    this.#tell(`${nameOf(d)} is killed`)
    this.#queues.delete(d)
    director.hosts.forEach((host, i) => {
      director.hosts[i] = killed(host, true)
      this.#timers.set(`${d}:${i}`, (this.#timers.get(`${d}:${i}`) ?? 0) + 1)
    })
  }

  #start(d: number): void {
    const director = this.#director(d)
    if (director.hosts.some(({ process }) => process !== 'dead')) return
    this.#tell(`${nameOf(d)} is started`)
    director.start()
  }

  #pause(d: number): void {
    if (!isRunning(this.#director(d)) || this.#queues.has(d)) return
    this.#tell(`${nameOf(d)} stands still`)
    this.#queues.set(d, [])
  }

  /** What waits is done in its order, then the timers. */
  #resume(d: number): void {
    const queue = this.#queues.get(d)
    if (!queue) return
    this.#tell(`${nameOf(d)} goes on`)
    this.#queues.delete(d)
    for (const each of queue) each()
    for (const i of ROUTERS) this.#director(d).happen(i, { kind: 'timer' })
  }

  #setService(d: number, i: number, serviceUp: boolean): void {
    this.#orLater(d, () => {
      const { state, process } = this.#director(d).host(i)
      if (process !== 'running' || state.serviceUp === serviceUp) return
      this.#tell(`the service of ${nameOf(d)}${i} is ${serviceUp ? 'well' : 'down'}`)
      const configured = this.#priorities[d]?.[i] ?? 100
      const priority = serviceUp ? configured : configured - this.#weight
      this.#director(d).happen(i, { kind: 'conditions', conditions: { priority, serviceUp } })
    })
  }

  /** At once, or when the director goes on. */
  #orLater(d: number, run: () => void): void {
    const queue = this.#queues.get(d)
    if (!queue) run()
    else if (queue.length < QUEUE_LIMIT) queue.push(run)
  }

  #stepped(d: number, i: number, before: Host, event: Event, taken: Taken): void {
    const { state, router } = taken.host
    if (before.state.name !== state.name) {
      this.#changes++
      this.#tell(`${nameOf(d)}${i} ${event.kind} -> ${state.name} (${taken.step.reason ?? ''})`)
    }
    const violation = checkStep(this.#machine, before, event, taken, this.time)
    if (violation) this.#fail(violation.invariant, `${nameOf(d)}${i}: ${violation.text}`)
    for (const action of taken.step.actions)
      if (action.kind === 'advertise')
        this.#send(
          d,
          i,
          advertisement(action.priority, router.primaryAddress, router.adverInterval)
        )
    this.#planTimer(d, i)
  }

  #send(from: number, i: number, event: Event): void {
    const to = 1 - from
    if (this.#cut.has(`${from}:${i}`) || this.#cut.has(`${to}:${i}`)) return
    if (this.#random.below(1000) < this.#lost) return
    this.#at(this.time + (LATENCY * this.#random.below(1000)) / 1000, () => {
      this.#orLater(to, () => {
        if (this.#director(to).host(i).process === 'running') this.#director(to).happen(i, event)
      })
    })
  }

  #planTimer(d: number, i: number): void {
    const key = `${d}:${i}`
    const mine = (this.#timers.get(key) ?? 0) + 1
    this.#timers.set(key, mine)
    const deadline = this.#machine.nextDeadline(this.#director(d).host(i).state)
    if (deadline === null) return
    this.#at(Math.max(this.time, deadline), () => {
      if (this.#timers.get(key) === mine && !this.#queues.has(d))
        this.#director(d).happen(i, { kind: 'timer' })
    })
  }

  /** Each group has one master, and is whole there, if any director can have all of it. */
  #check(): void {
    for (const members of GROUPS) {
      const masters = this.#directors.map(({ hosts }) =>
        members.filter((i) => hosts[i]?.state.name === 'master')
      )
      const text = masters.map((each, d) => `${nameOf(d)}: ${each.join()}`).join('; ')
      const able = this.#directors.filter((director) =>
        members.every((i) => !director.hasFault(i) && director.host(i).state.name !== 'initialize')
      )
      const holders = masters.filter((each) => each.length > 0)
      if (holders.length > 1) this.#fail('one holder', `masters of ${members.join()}: ${text}`)
      if (able.length > 0 && holders[0]?.length !== members.length)
        this.#fail('a group is whole', `masters of ${members.join()}: ${text}`)
    }
  }

  #fail(invariant: Violation['invariant'], text: string): void {
    this.violation ??= { invariant, text }
    this.#tell(`VIOLATED: ${invariant}: ${text}`)
  }

  #at(time: Milliseconds, run: () => void): void {
    this.#agenda.add(time, this.#random.below(1 << 20), run)
  }

  #runUntil(time: Milliseconds): void {
    while (this.violation === null) {
      const entry = this.#agenda.take(time)
      if (entry === null) break
      this.time = entry.at
      entry.run()
    }
    if (this.violation === null) this.time = time
  }

  #director(d: number): GroupDirector {
    const director = this.#directors[d]
    if (!director) throw new Error(`no director ${d}`)
    return director
  }

  #tell(line: string): void {
    if (this.#isTraced) this.trace.push(`${this.time.toFixed(3).padStart(11)}  ${line}`)
  }
}

function isRunning({ hosts }: GroupDirector): boolean {
  return hosts.every(({ process }) => process === 'running')
}

function nameOf(d: number): string {
  return String.fromCharCode(65 + d)
}
