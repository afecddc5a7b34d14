import type { Conditions, Reason, State } from '../../vrrp/model.js'
import type { HeardAdvertisement, SpeakerObserver } from '../../vrrp/ports.js'
import type { Discard } from '../../vrrp/receive.js'
import { DISCARD_TEXTS } from './discard-texts.js'
import type { Log } from '../log.js'
import { ToldSenders, type TellingClock } from './told-senders.js'

/**
 * Writes down what a speaker does and why. Of what arrives from the network each reason is told for a
 * few senders and then counted, so that nobody can fill the log.
 */
export class SpeakerLog implements Omit<SpeakerObserver, 'stepped' | 'conditionsChanged'> {
  readonly #log: Log
  readonly #tellsForeign: boolean
  readonly #told: ToldSenders<Discard | 'addresses'>

  /** @param tellsForeign whether advertisements of other virtual routers are told */
  constructor(log: Log, clock: TellingClock, tellsForeign: boolean) {
    this.#log = log
    this.#tellsForeign = tellsForeign
    this.#told = new ToldSenders(clock, (kind, count) => {
      if (kind === 'addresses') log.warn({ count }, `more advertisements: ${OTHER_ADDRESSES}`)
      else log.warn({ reason: kind, count }, `more ${discardText(kind)}`)
    })
  }

  /** @param because why it is in its new state, as sentences; empty where it stayed in the old one */
  stepped(
    from: State,
    to: State,
    reason: Reason,
    heard: HeardAdvertisement | null,
    because: readonly string[]
  ): void {
    const fields = {
      from: from.name,
      to: to.name,
      reason,
      priority: to.priority,
      ...(heard ? { sender: heard.source, senderPriority: heard.priority } : {}),
      ...(because.length > 0 ? { because } : {})
    }
    this.#log.info(fields, from.name === to.name ? 'vrrp event' : 'vrrp state change')
  }

  /** @param because what makes the priority what it is, as sentences */
  conditionsChanged(from: Conditions, to: Conditions, because: readonly string[]): void {
    this.#log.info(
      {
        priority: to.priority,
        before: from.priority,
        serviceUp: to.serviceUp,
        ...(because.length > 0 ? { because } : {})
      },
      messageOf(from, to)
    )
  }

  discarded(reason: Discard, source: string | null): void {
    if (reason === 'vrid' && !this.#tellsForeign) return
    if (!this.#told.happened(reason, source ?? '')) return
    this.#log.warn({ reason, sender: source }, discardText(reason))
  }

  accepted({ source, sameAddresses }: HeardAdvertisement): void {
    if (sameAddresses || !this.#told.happened('addresses', source)) return
    this.#log.warn({ sender: source }, OTHER_ADDRESSES)
  }

  /** Tells what was only counted so far. */
  close(): void {
    this.#told.close()
  }
}

function messageOf(from: Conditions, to: Conditions): string {
  if (from.priority !== to.priority) return 'effective priority changed'
  return to.serviceUp ? 'fit to serve again' : 'not fit to serve'
}

const OTHER_ADDRESSES = 'the virtual addresses of another director differ from ours'

function discardText(reason: Discard): string {
  return `advertisement discarded: ${DISCARD_TEXTS[reason]}`
}
