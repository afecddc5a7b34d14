import type { Conditions, Reason, State } from '../vrrp/model.js'
import type { HeardAdvertisement, SpeakerObserver } from '../vrrp/ports.js'
import type { Discard } from '../vrrp/receive.js'
import type { Log } from './log.js'

/** Reasons told per sender; a segment with more senders than this is not ours to list. */
const MOST_TOLD = 256

/** What a discarded advertisement means to the reader of the log. */
const DISCARDS: Readonly<Record<Exclude<Discard, 'vrid'>, string>> = {
  'ip-header': 'its IP header is cut short',
  'ip-version': 'it is of the other version of IP',
  protocol: 'it is not VRRP',
  short: 'its VRRP header is cut short',
  'own-address': 'it carries our own address: another machine uses it',
  'ah-header': 'it has an IPsec Authentication Header, which tsha does not support',
  length: 'its length does not fit its address count',
  ttl: 'its TTL is not 255: it came through a router',
  version: 'it is of another version of VRRP',
  'hmac-missing': 'it has no HMAC authentication',
  'hmac-malformed': 'its HMAC authentication is of an unknown kind',
  'hmac-stale': 'its clock is too far from ours for HMAC authentication',
  'hmac-unknown-key': 'it is signed with a key that we do not have',
  'hmac-invalid': 'its HMAC is wrong: another key, or it was changed on its way',
  'hmac-replay': 'it was heard before, or is older than what was heard before',
  'auth-type-unknown': 'its authentication type does not exist',
  'auth-type': 'its authentication type differs from ours',
  'auth-data': 'its password differs from ours',
  interval: 'its advertisement interval differs from ours, or is 0',
  type: 'it is not an advertisement',
  'ip-length': 'its length is not the one in its IP header',
  checksum: 'its checksum is wrong',
  destination: 'it was not sent to our group or our address',
  'unicast-source': 'its sender is not one of our unicast peers',
  'ttl-range': 'its TTL is out of the bounds of its sender'
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
