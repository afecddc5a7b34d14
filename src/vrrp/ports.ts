import type {
  AnnouncementKind,
  Conditions,
  ElectionSettings,
  Event,
  Reason,
  State,
  Step
} from './model.js'
import type { Discard } from './receive.js'
import type { Milliseconds } from './timing.js'

export type { AnnouncementKind }

/** The monotonic clock and the one timer of a speaker. */
export interface Clock {
  now(): Milliseconds
  /** Milliseconds since 1970: for the stamps of HMAC authentication and nothing else. */
  wallTime(): Milliseconds
  /** Calls back once, not before `delay`; the returned function cancels it. */
  after(delay: Milliseconds, callback: () => void): () => void
  /** Calls back once, when every socket that has packets has been asked for one. */
  afterPoll(callback: () => void): void
}

/** The raw socket of one virtual router; it has joined the VRRP group unless it speaks unicast. */
export interface AdvertisementSocket {
  /**
   * Sends an IPv4 or IPv6 packet with its header; failures are reported by the adapter.
   *
   * @param destination the group, or the address of a partner
   */
  send(packet: Uint8Array, destination: string): void
  /** Resolves when every packet given to `send` has left or failed, at most after a second. */
  flush(): Promise<void>
  close(): void
}

/** The virtual addresses on the interface. Calls are carried out in order and never throw. */
export interface AddressManager {
  /** Adds the addresses, and keeps them there until `remove`. Resolves when they are usable. */
  add(): Promise<void>
  /** Removes them; addresses that are not there are no failure. */
  remove(): Promise<void>
}

/** Tells the segment who holds the addresses now. */
export interface Announcer {
  /**
   * One burst for every virtual address, `repeat` frames each; failures are reported by the adapter.
   */
  announce(kind: AnnouncementKind): void
  /** Forgets what is not sent yet: the addresses are not ours any more. */
  cancel(): void
}

/** Who wants to know what a speaker does. Must not block. */
export interface SpeakerObserver {
  /** A step that changed the state or has something to tell. */
  stepped(from: State, to: State, reason: Reason, heard: HeardAdvertisement | null): void
  conditionsChanged(from: Conditions, to: Conditions): void
  discarded(reason: Discard, source: string | null): void
  accepted(advertisement: HeardAdvertisement, state: State): void
}

/** Who writes down every step of a speaker, so that it can be made again. Must neither block nor throw. */
export interface StepRecorder {
  began(router: ElectionSettings, state: State): void
  /** Before what the step asks for is done. */
  stepped(router: ElectionSettings, from: State, event: Event, step: Step, now: Milliseconds): void
  /** It will take no more steps. */
  ended(router: ElectionSettings): void
}

/** An advertisement that passed the receive checks. */
export interface HeardAdvertisement {
  readonly source: string
  readonly priority: number
  readonly sameAddresses: boolean
}
