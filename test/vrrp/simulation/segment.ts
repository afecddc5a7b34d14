import type { Event } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import type { Random } from '../../fuzz/random.js'
import { Agenda } from './agenda.js'
import { LINK_DOWN, LINK_UP, advertisement } from './events.js'
import { expired, holds, killed, newHost, renewed, take, type Host } from './host.js'
import type { Machine } from './machine.js'
import { checkAnswer, checkStep, type Violation } from './oracle.js'
import type { Scenario, Weather } from './scenario.js'

/** A packet of a whole network takes up to this long. */
const LATENCY: Milliseconds = 2
/** The kernel removes an address up to this much after the end of its lease (measured: 160 ms). */
const LEASE_LATENESS: Milliseconds = 160
/** Node's timers may fire this much early (measured). */
const EARLY: Milliseconds = 1.7
const QUEUE_LIMIT = 200

const FAIR: Weather = { lost: 0, late: 0, twice: 0, delay: 0 }

/** What the driver of one director has besides the host. */
interface Driver {
  /** Only the timer that was set last counts. */
  timer: number
  lease: number
  queue: Event[]
  /** When a packet last made it advertise as master. */
  answeredAt: Milliseconds | null
}

/** Directors, the network between them, and a client that follows their announcements. */
export class Segment {
  now: Milliseconds = 0
  readonly hosts: Host[]
  /** Whose announcement the client has heard last. */
  client: number | null = null
  violation: Violation | null = null
  weather: Weather
  /** Directions in which nothing is heard. */
  readonly cut = new Set<string>()
  readonly trace: string[] = []
  /** The masters that have heard from the one which the clients send to since it announced. */
  readonly told = new Set<number>()
  readonly #scenario: Scenario
  readonly #machine: Machine
  readonly #random: Random
  readonly #isTraced: boolean
  readonly #agenda = new Agenda()
  readonly #drivers: readonly Driver[]

  constructor(machine: Machine, scenario: Scenario, random: Random, isTraced: boolean) {
    this.#machine = machine
    this.#scenario = scenario
    this.#random = random
    this.#isTraced = isTraced
    this.weather = scenario.weather
    this.hosts = scenario.members.map(({ router, priority, lease }) =>
      newHost(router, priority, lease)
    )
    this.#drivers = this.hosts.map(() => ({ timer: 0, lease: 0, queue: [], answeredAt: null }))
  }

  /** Plans something. */
  at(time: Milliseconds, run: () => void): void {
    this.#agenda.add(time, this.#random.below(1 << 20), run)
  }

  /** Lets time pass; ends early at the first violation. */
  runUntil(time: Milliseconds): void {
    while (this.violation === null) {
      const entry = this.#agenda.take(time)
      if (entry === null) break
      this.now = entry.at
      entry.run()
    }
    if (this.violation === null) this.now = time
  }

  fail(violation: Violation): void {
    this.violation ??= violation
    this.#tell(`VIOLATED: ${violation.invariant}: ${violation.text}`)
  }

  /** The network is whole and takes good care of its packets from now on. */
  calm(): void {
    this.weather = FAIR
    this.cut.clear()
    this.#tell('calm')
  }

  start(i: number): void {
    const host = this.host(i)
    if (host.process !== 'dead') return
    this.hosts[i] = { ...host, process: 'running' }
    this.happen(i, host.isLinkUp ? { kind: 'startup' } : LINK_DOWN, 'is started')
  }

  kill(i: number, powerLoss: boolean): void {
    const host = this.host(i)
    if (host.process === 'dead') return
    this.#tell(`${nameOf(i)} ${powerLoss ? 'loses its power' : 'is killed'}`)
    this.hosts[i] = killed(host, powerLoss)
    const driver = this.#driver(i)
    driver.queue = []
    driver.timer++
    driver.answeredAt = null
  }

  pause(i: number): void {
    const host = this.host(i)
    if (host.process !== 'running') return
    this.#tell(`${nameOf(i)} stands still`)
    this.hosts[i] = { ...host, process: 'paused' }
  }

  /** What waits is done: packets in their order, then the timer; the renewal anywhere among them. */
  resume(i: number): void {
    const host = this.host(i)
    if (host.process !== 'paused') return
    this.#tell(`${nameOf(i)} goes on`)
    this.hosts[i] = { ...host, process: 'running' }
    const driver = this.#driver(i)
    const queue = driver.queue
    driver.queue = []
    const renewalPlace = this.#random.below(queue.length + 1)
    for (let place = 0; place <= queue.length && this.violation === null; place++) {
      if (place === renewalPlace) this.#renew(i)
      const event = queue[place]
      if (event) this.happen(i, event, '(waited)')
    }
    this.#timer(i)
  }

  setLink(i: number, isUp: boolean): void {
    const host = this.host(i)
    if (host.isLinkUp === isUp) return
    this.hosts[i] = { ...host, isLinkUp: isUp }
    const event = isUp ? LINK_UP : LINK_DOWN
    this.#tellProcess(i, event, isUp ? 'gets its link' : 'loses its link')
  }

  setService(i: number, serviceUp: boolean): void {
    const { state, router } = this.host(i)
    const member = this.#scenario.members[i]
    if (!member || router.isOwner || state.serviceUp === serviceUp) return
    const priority = serviceUp ? member.priority : member.priority - member.weight
    const event: Event = { kind: 'conditions', conditions: { priority, serviceUp } }
    if (this.host(i).process === 'running')
      this.happen(i, event, serviceUp ? 'is well' : 'has a failing service')
  }

  stop(i: number): void {
    if (this.host(i).process === 'running') this.happen(i, { kind: 'shutdown' }, 'is stopped')
  }

  /** A process that has stopped ends. */
  leave(i: number): void {
    if (this.host(i).state.name === 'initialize') this.kill(i, false)
  }

  host(i: number): Host {
    const host = this.hosts[i]
    if (!host) throw new Error(`no director ${i}`)
    return host
  }

  #driver(i: number): Driver {
    const driver = this.#drivers[i]
    if (!driver) throw new Error(`no director ${i}`)
    return driver
  }

  #tellProcess(i: number, event: Event, label: string): void {
    const { process } = this.host(i)
    if (process === 'running') this.happen(i, event, label)
    if (process === 'paused' && this.#driver(i).queue.length < QUEUE_LIMIT)
      this.#driver(i).queue.push(event)
  }

  /** A director takes an event; what follows from it is planned. */
  happen(i: number, event: Event, label: string): void {
    const before = this.host(i)
    const taken = take(this.#machine, before, event, this.now)
    const { host, step } = taken
    this.hosts[i] = host
    const violation = checkStep(this.#machine, before, event, taken, this.now)
    const isQuiet = event.kind === 'advertisement' || event.kind === 'timer'
    if (this.#isTraced && (step.actions.length > 0 || !isQuiet))
      this.#tell(`${nameOf(i)} ${label} -> ${host.state.name}${told(taken.step.actions)}`)
    if (violation) this.fail(violation)
    const driver = this.#driver(i)
    const answer = checkAnswer(driver.answeredAt, before, event, taken, this.now)
    driver.answeredAt = answer.answeredAt
    if (answer.violation) this.fail(answer.violation)
    for (const action of step.actions) {
      switch (action.kind) {
        case 'advertise':
          this.#send(i, action.priority)
          break
        case 'announce':
          if (!host.isLinkUp) break
          this.client = i
          this.told.clear()
          break
        case 'add-addresses':
          this.#planRenewal(i)
          break
        case 'remove-addresses':
      }
    }
    this.#planTimer(i)
  }

  #send(from: number, priority: number): void {
    const { router, isLinkUp } = this.host(from)
    if (!isLinkUp) return
    for (let to = 0; to < this.hosts.length; to++) {
      if (to === from || this.cut.has(`${from}${to}`)) continue
      const { lost, late, twice, delay } = this.weather
      if (this.#random.below(1000) < lost) continue
      const copies = this.#random.below(1000) < twice ? 2 : 1
      for (let copy = 0; copy < copies; copy++) {
        const isLate = this.#random.below(1000) < late
        const longest = isLate ? delay : LATENCY
        const event = advertisement(priority, router.primaryAddress, router.adverInterval)
        this.at(this.now + (longest * this.#random.below(1000)) / 1000, () => {
          if (!this.host(to).isLinkUp) return
          if (this.client === from && this.host(to).state.name === 'master') this.told.add(to)
          this.#tellProcess(to, event, `hears ${priority} from ${nameOf(from)}`)
        })
      }
    }
  }

  #planTimer(i: number): void {
    const driver = this.#driver(i)
    const mine = ++driver.timer
    const deadline = this.#machine.nextDeadline(this.host(i).state)
    if (deadline === null || this.host(i).process !== 'running') return
    const mayBeEarly = deadline - EARLY > this.now && this.#random.oneIn(8)
    const early = mayBeEarly ? (EARLY * this.#random.below(100)) / 100 : 0
    this.at(Math.max(this.now, deadline - early), () => {
      if (driver.timer === mine && this.host(i).process === 'running') this.#timer(i)
    })
  }

  /** A timer that is early changes nothing, and is set again for the rest. */
  #timer(i: number): void {
    if (this.#machine.nextDeadline(this.host(i).state) !== null)
      this.happen(i, { kind: 'timer' }, 'has a timer that is over')
  }

  /** A renewal by the process while it lives, and the kernel's end of the lease when it does not. */
  #planRenewal(i: number): void {
    const driver = this.#driver(i)
    const mine = ++driver.lease
    const { renewAt, heldUntil } = this.host(i)
    if (renewAt === null || heldUntil === null || heldUntil === Infinity) return
    this.#planNextRenewal(i, renewAt)
    const late = this.#random.below(LEASE_LATENESS)
    this.at(heldUntil + late, () => {
      if (driver.lease !== mine || this.host(i).heldUntil !== heldUntil) return
      this.#tell(`${nameOf(i)}'s lease ends`)
      this.hosts[i] = expired(this.host(i))
    })
  }

  #planNextRenewal(i: number, renewAt: Milliseconds | null): void {
    const driver = this.#driver(i)
    const mine = driver.lease
    this.at(renewAt ?? Infinity, () => {
      if (driver.lease === mine && this.host(i).process === 'running') this.#renew(i)
    })
  }

  #renew(i: number): void {
    const { renewAt } = this.host(i)
    if (renewAt === null || renewAt > this.now) return
    const host = renewed(this.host(i), this.now)
    this.hosts[i] = host
    if (!host.isRenewalPutOff) this.#planRenewal(i)
    else this.#planNextRenewal(i, host.renewAt)
  }

  #tell(line: string): void {
    if (!this.#isTraced) return
    const holders = this.hosts.flatMap((host, i) => (holds(host) ? [nameOf(i)] : []))
    const cache = this.client === null ? '-' : nameOf(this.client)
    const where = `[${holders.join('+') || 'nobody'}, clients: ${cache}]`
    this.trace.push(`${this.now.toFixed(3).padStart(11)}  ${line.padEnd(64)} ${where}`)
  }
}

function told(actions: readonly { kind: string; priority?: number }[]): string {
  const words = actions.map(({ kind, priority }) =>
    priority === undefined ? kind : `${kind} ${priority}`
  )
  return words.length > 0 ? `: ${words.join(', ')}` : ''
}

export function nameOf(index: number): string {
  return String.fromCharCode(65 + index)
}
