import { messageOf } from '../../errors.js'
import type { CheckStatus, Hysteresis } from '../../health/status.js'
import type { FailureRules, PeerEvent, PeerStatus } from '../../proxy/upstream/peer-status.js'
import type { Json } from '../../vrrp/json-codec.js'
import type { ElectionSettings, Event, State, Step } from '../../vrrp/model.js'
import type { StepRecorder } from '../../vrrp/ports.js'
import { RateBudget, type Rate } from '../rate-budget.js'
import { RecordingRing, type RingBounds } from './recording-ring.js'
import {
  lineOf,
  RECORDING_FORMAT,
  type Entry,
  type GroupDecision,
  type HeaderEntry,
  type NoteTopic
} from './recording.js'
import { toIso } from '../iso-time.js'

/** Whose recording it is. */
export type RecorderIdentity = Pick<HeaderEntry, 'version' | 'role' | 'routerId' | 'pid'>

export interface RecorderClock {
  /** CLOCK_MONOTONIC in milliseconds. */
  now(): number
  /** Milliseconds since 1970. */
  wallTime(): number
}

export interface RecorderBounds extends RingBounds {
  /** For each virtual router, peer, check and kind of note. */
  readonly subject: Rate
  /** For all of them together. */
  readonly all: Rate
}

/**
 * An entry costs 4 µs, one that is refused in a flood 0.3 µs (measured): a flood of 50 000 advertisements
 * in a second costs 2 % of a processor. An advertisement a second fills
 * the ring in two hours; who keeps the lines too has room for more.
 */
export const RECORDER_BOUNDS: RecorderBounds = {
  bytes: 3 * 1024 * 1024,
  entries: 20_000,
  segmentBytes: 256 * 1024,
  subject: { perSecond: 500, burst: 1000 },
  all: { perSecond: 2000, burst: 4000 }
}

/** How often the wall clock is compared with the monotonic one. */
const CLOCK_CHECK_MS = 1000
/** A wall clock that is slewed moves less than this in between. */
const CLOCK_JUMP_MS = 500

interface Subject {
  /** Such as `virtual router nginx`. */
  readonly name: string
  readonly budget: RateBudget
  /** Entries that were not recorded since its gap began; null outside of one. */
  missed: number | null
  /** The segment that has its whole state. */
  segment: number
}

/** Takes new lines; `reset` says that they follow nothing. */
export type LinesListener = (lines: readonly string[], reset: boolean) => void

/**
 * The last inputs and decisions of a director, as lines that `tsha replay` can run again. All of it is
 * in memory and bounded, in bytes and in time; nothing waits for anything. What fails in here ends the
 * recording and nothing else.
 */
export class FlightRecorder implements StepRecorder {
  readonly #clock: RecorderClock
  readonly #failed: (message: string) => void
  readonly #bounds: RecorderBounds
  readonly #header: string
  readonly #ring: RecordingRing
  readonly #all: RateBudget
  readonly #subjects = new Map<string, Subject>()
  readonly #routers = new Map<string, { settings: ElectionSettings; state: State }>()
  #segment = 0
  #listener: LinesListener | null = null
  #reference: { at: number; wall: number }
  #isBroken = false

  /** @param failed told once when a recording cannot go on, which is a bug of ours */
  constructor(
    identity: RecorderIdentity,
    clock: RecorderClock,
    failed: (message: string) => void,
    bounds: RecorderBounds = RECORDER_BOUNDS
  ) {
    this.#clock = clock
    this.#failed = failed
    this.#bounds = bounds
    this.#ring = new RecordingRing(bounds)
    this.#all = new RateBudget(bounds.all)
    const now = clock.now()
    this.#reference = { at: now, wall: clock.wallTime() }
    const format = RECORDING_FORMAT
    this.#header = lineOf({ type: 'header', ...this.#stamp(now), format, ...identity })
    this.#begin(now)
  }

  /** What is kept at the moment. */
  get size(): { readonly bytes: number; readonly entries: number } {
    const { bytes, entries } = this.#ring
    return { bytes, entries }
  }

  /** Every line that is kept; they replay. */
  dump(): string[] {
    return [this.#header, ...this.#ring.lines()]
  }

  /**
   * Gives the lines to somebody who keeps them too: first all that are kept here, then each new one.
   * The one before gets no more.
   *
   * @param listener must not block
   */
  onLines(listener: LinesListener): void {
    this.#listener = listener
    listener(this.dump(), true)
  }

  began(settings: ElectionSettings, state: State): void {
    this.#guard(() => {
      const now = this.#clock.now()
      const subject = this.#subject('virtual router', settings.name)
      this.#roll(now)
      this.#write({
        type: 'virtual-router',
        ...this.#stamp(now),
        begins: true,
        settings,
        state
      })
      subject.segment = this.#segment
      subject.missed = null
      this.#routers.set(settings.name, { settings, state })
    })
  }

  stepped(settings: ElectionSettings, from: State, event: Event, step: Step, now: number): void {
    this.#guard(() => {
      const { name } = settings
      const subject = this.#subject('virtual router', name)
      if (this.#admits(subject, now)) {
        if (this.#isStateDue(subject)) this.#writeRouter(settings, from, now)
        this.#write({ type: 'step', ...this.#stamp(now), router: name, event, ...step })
      }
      this.#routers.set(name, { settings, state: step.state })
    })
  }

  ended({ name }: ElectionSettings): void {
    this.#routers.delete(name)
  }

  /** A sync group has decided. */
  grouped(decision: GroupDecision): void {
    this.#record(`sync group ${decision.group}`, (stamp) => ({
      type: 'sync-group',
      ...stamp,
      ...decision
    }))
  }

  /** A peer of which nothing is known yet. */
  peerBegan(peer: string, rules: FailureRules, status: PeerStatus): void {
    const subject = this.#subject('peer', peer)
    this.#record(subject.name, (stamp) => {
      subject.segment = this.#segment
      return { type: 'peer', ...stamp, peer, begins: true, rules, status }
    })
  }

  /** An event changed the status of a peer. */
  peerChanged(
    peer: string,
    rules: FailureRules,
    change: {
      readonly before: PeerStatus
      readonly event: PeerEvent
      readonly after: PeerStatus
      readonly detail: string
    }
  ): void {
    const { before, event, after, detail } = change
    this.#record(
      `peer ${peer}`,
      (stamp) => ({ type: 'peer-event', ...stamp, peer, event, status: after, detail }),
      (stamp) => ({ type: 'peer', ...stamp, peer, begins: false, rules, status: before })
    )
  }

  /** A check that has no result yet. */
  checkBegan(check: string, { rise, fall }: Hysteresis, status: CheckStatus): void {
    const subject = this.#subject('check', check)
    this.#record(subject.name, (stamp) => {
      subject.segment = this.#segment
      return { type: 'check', ...stamp, check, begins: true, rules: { rise, fall }, status }
    })
  }

  /** A result of a check; one that changes nothing is not recorded. */
  checked(
    check: string,
    { rise, fall }: Hysteresis,
    change: {
      readonly before: CheckStatus
      readonly passed: boolean
      readonly after: CheckStatus
      readonly detail: string
    }
  ): void {
    const { before, passed, after, detail } = change
    if (before.isUp === after.isUp && before.contradictions === after.contradictions) return
    const rules = { rise, fall }
    this.#record(
      `check ${check}`,
      (stamp) => ({ type: 'check-result', ...stamp, check, passed, status: after, detail }),
      (stamp) => ({ type: 'check', ...stamp, check, begins: false, rules, status: before })
    )
  }

  /** Something from outside, told and not replayed. @param facts nothing secret */
  note(topic: NoteTopic, subject: string | null, facts: Readonly<Record<string, Json>>): void {
    this.#record(`note ${topic}`, (stamp) => ({ type: 'note', ...stamp, topic, subject, facts }))
  }

  /** @param state what comes before in a segment that does not have it yet */
  #record(
    name: string,
    entry: (stamp: Stamp) => Entry,
    state: ((stamp: Stamp) => Entry) | null = null
  ): void {
    this.#guard(() => {
      const now = this.#clock.now()
      const subject = this.#subjectOf(name)
      if (!this.#admits(subject, now)) return
      const stamp = this.#stamp(now)
      if (state !== null && this.#isStateDue(subject)) this.#write(state(stamp))
      this.#write(entry(stamp))
    })
  }

  #isStateDue(subject: Subject): boolean {
    const isDue = subject.segment !== this.#segment
    subject.segment = this.#segment
    return isDue
  }

  /** Whether there is room for one more entry of a subject; tells when its gap begins and ends. */
  #admits(subject: Subject, now: number): boolean {
    this.#watchClock(now)
    this.#roll(now)
    const { name, missed, budget } = subject
    const isTaken = budget.take(now) && this.#all.take(now)
    if (missed === null) {
      if (isTaken) return true
      subject.missed = 1
      this.#write({ type: 'gap', ...this.#stamp(now), subject: name })
      return false
    }
    if (!isTaken || !budget.isCalm(now) || !this.#all.isCalm(now)) {
      subject.missed = missed + 1
      return false
    }
    subject.missed = null
    subject.segment = -1
    this.#write({ type: 'gap-end', ...this.#stamp(now), subject: name, missed })
    return true
  }

  #subject(kind: string, name: string): Subject {
    return this.#subjectOf(`${kind} ${name}`)
  }

  #subjectOf(name: string): Subject {
    const known = this.#subjects.get(name)
    if (known) return known
    const budget = new RateBudget(this.#bounds.subject)
    const subject = { name, budget, missed: null, segment: -1 }
    this.#subjects.set(name, subject)
    return subject
  }

  #roll(now: number): void {
    if (this.#ring.isFull) this.#begin(now)
  }

  /** A new segment, with the states of the virtual routers; those of others follow when they change. */
  #begin(now: number): void {
    this.#segment += 1
    this.#ring.begin()
    this.#write({ type: 'segment', ...this.#stamp(now), number: this.#segment })
    for (const { settings, state } of this.#routers.values()) {
      const subject = this.#subject('virtual router', settings.name)
      if (subject.missed !== null) continue
      subject.segment = this.#segment
      this.#writeRouter(settings, state, now)
    }
    this.#ring.hasBegun()
  }

  #writeRouter(settings: ElectionSettings, state: State, now: number): void {
    this.#write({ type: 'virtual-router', ...this.#stamp(now), begins: false, settings, state })
  }

  #write(entry: Entry): void {
    const line = lineOf(entry)
    this.#ring.add(line)
    this.#listener?.([line], false)
  }

  #stamp(now: number): Stamp {
    const { at, wall } = this.#reference
    return { time: toIso(wall + now - at), at: now }
  }

  /** Somebody may set the wall clock; times are those of the clock as it is now. */
  #watchClock(now: number): void {
    const { at, wall } = this.#reference
    if (now - at < CLOCK_CHECK_MS) return
    const found = this.#clock.wallTime()
    const jumped = found - (wall + now - at)
    this.#reference = { at: now, wall: found }
    if (Math.abs(jumped) < CLOCK_JUMP_MS) return
    const facts = { jumped_ms: Math.round(jumped) }
    this.#write({ type: 'note', ...this.#stamp(now), topic: 'clock', subject: null, facts })
  }

  /** An election must not end because it cannot be written down. */
  #guard(record: () => void): void {
    if (this.#isBroken) return
    try {
      record()
    } catch (error) {
      this.#isBroken = true
      this.#failed(`the flight recorder has stopped: ${messageOf(error)}`)
    }
  }
}

interface Stamp {
  readonly time: string
  readonly at: number
}
