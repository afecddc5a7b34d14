import type { Conditions, Reason, State } from '../vrrp/model.js'
import type { HeardAdvertisement, SpeakerObserver } from '../vrrp/ports.js'
import type { Discard } from '../vrrp/receive.js'
import type { Log } from './log.js'

/** Reasons told per sender; a segment with more senders than this is not ours to list. */
const MOST_TOLD = 256

/** What a discarded advertisement means to the reader of the log. */
const DISCARDS: Readonly<Record<Exclude<Discard, 'vrid'>, string>> = {
  'ip-header': 'the IP header is cut short',
  protocol: 'it is not VRRP',
  'own-address': 'it carries our own address: another machine uses it',
  ttl: 'its TTL is not 255: it came through a router',
  length: 'its length does not fit its address count',
  version: 'it is not VRRP version 2',
  type: 'it is not an advertisement',
  'auth-type': 'its authentication type differs from ours',
  'auth-data': 'its password differs from ours',
  interval: 'its advertisement interval differs from ours',
  checksum: 'its checksum is wrong',
  destination: 'it was not sent to 224.0.0.18'
}

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
      `advertisement discarded: ${DISCARDS[reason]}; told once for each sender`
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
