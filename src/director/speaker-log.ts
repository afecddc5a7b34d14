import type { Conditions, Reason, State } from '../vrrp/model.js'
import type { HeardAdvertisement, SpeakerObserver } from '../vrrp/ports.js'
import type { Discard } from '../vrrp/receive.js'
import { DISCARD_TEXTS } from './discard-texts.js'
import type { Log } from './log.js'

/** Reasons told per sender; a segment with more senders than this is not ours to list. */
const MOST_TOLD = 256

/**
 * Writes down what a speaker does and why. What arrives from the network is told once for each reason
 * and sender, so that nobody can fill the log.
 */
export class SpeakerLog implements SpeakerObserver {
  readonly #log: Log
  readonly #told = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  stepped(from: State, to: State, reason: Reason, heard: HeardAdvertisement | null): void {
    const fields = {
      from: from.name,
      to: to.name,
      reason,
      priority: to.priority,
      ...(heard ? { sender: heard.source, senderPriority: heard.priority } : {})
    }
    this.#log.info(fields, from.name === to.name ? 'vrrp event' : 'vrrp state change')
  }

  conditionsChanged(from: Conditions, to: Conditions): void {
    this.#log.info(
      { priority: to.priority, before: from.priority, serviceUp: to.serviceUp },
      'effective priority changed'
    )
  }

  discarded(reason: Discard, source: string | null): void {
    // Another virtual router of the segment is none of our business.
    if (reason === 'vrid' || this.#isTold(`${reason} ${source ?? ''}`)) return
    this.#log.warn(
      { reason, sender: source },
      `advertisement discarded: ${DISCARD_TEXTS[reason]}; told once for each sender`
    )
  }

  accepted({ source, sameAddresses }: HeardAdvertisement): void {
    if (sameAddresses || this.#isTold(`addresses ${source}`)) return
    this.#log.warn(
      { sender: source },
      'the virtual addresses of another director differ from ours; told once for each sender'
    )
  }

  #isTold(what: string): boolean {
    if (this.#told.has(what) || this.#told.size >= MOST_TOLD) return true
    this.#told.add(what)
    return false
  }
}
