import { Counters, type LateAdvertisement, type Statistics } from './counters.js'
import { DISCARD_COUNTERS } from './discards.js'
import { nextDeadline, step } from './machine.js'
import { reconfigure, type Changes } from './machine-reconfigure.js'
import type { Action, Conditions, Event, FaultCause, Order, State, VirtualRouter } from './model.js'
import type {
  AddressManager,
  AdvertisementSocket,
  Announcer,
  Clock,
  HeardAdvertisement,
  SpeakerObserver,
  StepRecorder
} from './ports.js'
import { receive } from './receive.js'
import { encodeAdvertisement, targetsOf } from './send.js'
import { nextStamp, ReplayMemory } from './stamp.js'
import type { Stamp } from './wire/hmac.js'

const LAST_IDENTIFICATION = 0xffff
/** Packets that are read before a timer decides: more than wait in the queue of a quiet segment. */
const MOST_READ_FIRST = 32

/** What a speaker drives. */
export interface SpeakerPorts {
  readonly clock: Clock
  readonly socket: AdvertisementSocket
  readonly addresses: AddressManager
  readonly announcer: Announcer
  readonly observer: SpeakerObserver
  readonly recorder?: StepRecorder
}

/**
 * Drives one virtual router: feeds packets, time and conditions to the state machine and carries out
 * what it asks for. It has one timer, which always stands at the state's next deadline.
 */
export class Speaker {
  readonly #router: VirtualRouter
  readonly #ports: SpeakerPorts
  #state: State
  #cancelTimer: (() => void) | null = null
  #counters = new Counters()
  /** The timer has fired, and the packets that came before it are being read. */
  #isReading = false
  #packetsHeard = 0
  /** Identification of the next packet: from 1, skipping 0 (keepalived). */
  #identification = 1
  /** Of the last packet that HMAC authentication signed. */
  #stamp: Stamp | null = null
  #replay: ReplayMemory
  /** Address changes and the announcements that must follow them, one after the other. */
  #addressWork: Promise<void> = Promise.resolve()
  #isStarted = false
  #isRecorded = false
  #isStopping = false
  readonly #left: Promise<void>
  #leave: () => void = () => undefined

  constructor(router: VirtualRouter, conditions: Conditions, ports: SpeakerPorts) {
    this.#router = router
    this.#ports = ports
    this.#replay = new ReplayMemory(router.destination)
    this.#state = { name: 'initialize', ...conditions }
    this.#left = new Promise((resolve) => (this.#leave = resolve))
  }

  get state(): State {
    return this.#state
  }

  /** What was counted since the beginning. */
  get statistics(): Statistics {
    return this.#counters.statistics
  }

  /** The last regular advertisement that was notably late; null when none was. */
  get lastLate(): LateAdvertisement | null {
    return this.#counters.lastLate
  }

  /** Begins to listen as Backup; with a fault it waits in Fault for `setFault(null)`. */
  start(fault: FaultCause | null): void {
    this.#isStarted = true
    this.#handle(fault === null ? { kind: 'startup' } : { kind: 'fault', cause: fault })
  }

  /** A packet from the socket, with its IP header. */
  receive(packet: Uint8Array): void {
    if (!this.#isStarted) return
    this.#packetsHeard += 1
    const verdict = receive(this.#router, packet, this.#replay, this.#ports.clock.wallTime())
    if (!verdict.ok) {
      this.#counters.count(DISCARD_COUNTERS[verdict.reason])
      this.#ports.observer.discarded(verdict.reason, verdict.source)
      return
    }
    const { priority, source, sameAddresses, adverInterval } = verdict
    const heard = { priority, source, sameAddresses }
    if (!sameAddresses) this.#counters.count('addr_list_err')
    this.#ports.observer.accepted(heard, this.#state)
    this.#handle({ kind: 'advertisement', priority, source, adverInterval }, heard)
  }

  /**
   * Goes on where `old` is, which ends without a word: the same virtual router with another configuration.
   *
   * @param priority the effective one from now on
   * @param move takes the addresses over; called when what `old` still had to do with them is done
   */
  takeOver(old: Speaker, priority: number, changes: Changes, move: () => Promise<void>): void {
    const from = old.#state
    const now = this.#ports.clock.now()
    this.#counters = old.#counters
    this.#identification = old.#identification
    this.#stamp = old.#stamp
    // Only that of unicast peers depends on the configuration.
    if (sameSenders(old.#router, this.#router)) this.#replay = old.#replay
    this.#isStarted = old.#isStarted
    this.#addressWork = old.#addressWork.then(move)
    old.#end()
    const outcome = reconfigure(old.#router, this.#router, from, priority, changes, now)
    this.#state = outcome.state
    this.#record()
    this.#counters.countStep(from, { kind: 'timer' }, outcome)
    for (const action of outcome.actions) this.#perform(action)
    this.#armTimer(now)
  }

  /** The effective priority or the service's health changed. */
  setConditions(conditions: Conditions): void {
    const { priority, serviceUp } = this.#state
    if (conditions.priority === priority && conditions.serviceUp === serviceUp) return
    this.#ports.observer.conditionsChanged({ priority, serviceUp }, conditions)
    this.#handle({ kind: 'conditions', conditions })
  }

  /** The first fault that keeps us out of the election, or null when the last one is over. */
  setFault(fault: FaultCause | null): void {
    this.order(fault === null ? { kind: 'fault-cleared' } : { kind: 'fault', cause: fault })
  }

  /** What the sync group demands, or what was seen of the addresses. */
  order(order: Order): void {
    if (this.#isStarted) this.#handle(order)
  }

  /** Resolves when every change of the addresses that was asked for so far is made. */
  settled(): Promise<void> {
    return this.#addressWork
  }

  /**
   * Leaves the election. A master says so with priority 0; where it makes before it breaks, it keeps
   * the addresses until the partner is heard, at most HAND_OVER_WAIT. A second call does not wait.
   * Resolves when the addresses are removed and the last packet has left.
   */
  async stop(): Promise<void> {
    if (this.#isStarted) {
      this.#isStopping = true
      this.#handle({ kind: 'shutdown' })
      await this.#left
    }
    this.#ports.recorder?.ended(this.#router)
    await this.#addressWork
    await this.#ports.socket.flush()
  }

  /** One that takes the place of another must not be recorded before it does. */
  #record(): void {
    this.#isRecorded = true
    this.#ports.recorder?.began(this.#router, this.#state)
  }

  /** Another speaker has its place: it sends and decides nothing more. */
  #end(): void {
    this.#isStarted = false
    this.#cancelTimer?.()
    this.#cancelTimer = null
    this.#ports.announcer.cancel()
    this.#ports.recorder?.ended(this.#router)
    this.#leave()
  }

  #handle(event: Event, heard: HeardAdvertisement | null = null): void {
    const now = this.#ports.clock.now()
    const from = this.#state
    if (!this.#isRecorded) this.#record()
    const outcome = step(this.#router, from, event, now)
    const { state, actions, reason } = outcome
    this.#ports.recorder?.stepped(this.#router, from, event, outcome, now)
    this.#state = state
    this.#counters.countStep(from, event, outcome)
    this.#measure(from, event, actions, now)
    for (const action of actions) this.#perform(action)
    this.#armTimer(now)
    if (reason !== null) this.#ports.observer.stepped(from, state, reason, heard)
    if (this.#isStopping && state.name === 'initialize') {
      this.#isStarted = false
      this.#leave()
    }
  }

  #perform(action: Action): void {
    const { addresses, announcer } = this.#ports
    switch (action.kind) {
      case 'advertise':
        this.#advertise(action.priority)
        return
      case 'add-addresses':
        this.#addressWork = this.#addressWork.then(() => addresses.add())
        return
      case 'remove-addresses':
        announcer.cancel()
        this.#addressWork = this.#addressWork.then(() => addresses.remove())
        return
      case 'announce':
        this.#addressWork = this.#addressWork.then(() => {
          // By the time the addresses are there, they may already be given up again.
          if (this.#state.name === 'master') announcer.announce(action.announcement)
        })
    }
  }

  #advertise(priority: number): void {
    const { authentication } = this.#router
    if (authentication.type === 'hmac') {
      this.#stamp = nextStamp(this.#stamp, this.#ports.clock.wallTime(), authentication)
    }
    const [identification, stamp] = [this.#identification, this.#stamp]
    for (const destination of targetsOf(this.#router)) {
      const sent = { priority, identification, destination, stamp }
      this.#ports.socket.send(encodeAdvertisement(this.#router, sent), destination)
    }
    this.#identification = identification === LAST_IDENTIFICATION ? 1 : identification + 1
  }

  /** How late a regular advertisement is. */
  #measure(from: State, event: Event, actions: readonly Action[], now: number): void {
    if (from.name !== 'master' || event.kind !== 'timer' || from.handOver) return
    if (actions.some(({ kind }) => kind === 'advertise')) {
      this.#counters.countLateness(now - from.adverAt, now)
    }
  }

  #armTimer(now: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    const deadline = nextDeadline(this.#state)
    if (deadline === null || this.#isReading) return
    this.#cancelTimer = this.#ports.clock.after(Math.max(0, deadline - now), () => {
      this.#cancelTimer = null
      this.#isReading = true
      this.#readFirst(MOST_READ_FIRST)
    })
  }

  /**
   * A packet that waits in the socket was there before the timer ran out: it is heard first, else a
   * director that comes back from a pause takes over from a master that lives. One packet is read at
   * a time, so this goes on until none comes.
   */
  #readFirst(most: number): void {
    const before = this.#packetsHeard
    this.#ports.clock.afterPoll(() => {
      if (this.#packetsHeard > before && most > 1) {
        this.#readFirst(most - 1)
        return
      }
      this.#isReading = false
      if (this.#isStarted) this.#handle({ kind: 'timer' })
    })
  }
}

function sameSenders(one: VirtualRouter, other: VirtualRouter): boolean {
  const [before, after] = [one.destination, other.destination].map((destination) =>
    destination.kind === 'unicast' ? destination.peers.length : 0
  )
  return before === after
}
