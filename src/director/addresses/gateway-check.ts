import type { AnnouncementKind, Announcer } from '../../vrrp/ports.js'
import { encodeArpRequest, parseMac, type ArpFrame } from '../../vrrp/wire/arp.js'
import { canonicalAddress } from '../../vrrp/wire/address.js'
import { encodeNeighbourSolicitation, type NeighbourFrame } from '../../vrrp/wire/ndisc.js'
import type { FrameSender } from '../elections/announcer.js'
import {
  nextGatewayDeadline,
  NOT_ASKING,
  stepGateway,
  type GatewayAction,
  type GatewayEvent,
  type GatewayState
} from './gateway-rules.js'
import type { Log } from '../log.js'
import { RuleDriver, type RuleClock } from './rule-driver.js'

/** Who is asked, from where. */
export interface GatewayQuestion {
  readonly gateway: string
  /** Virtual addresses on the interface towards the gateway; those of another family are left out. */
  readonly addresses: readonly string[]
  /** Hardware address of that interface, `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string
}

/**
 * An announcer that does not believe its frames have arrived: after each announcement it asks the
 * gateway from the virtual addresses, by ARP or neighbour solicitation, and repeats both until the
 * answer comes to our hardware address. Who answers has read the question, which carries the new
 * mapping (RFC 826, RFC 4861 §7.2.3); what that proves and what not is in
 * docs/decisions/0026-address-care.md.
 */
export class GatewayCheck implements Announcer {
  readonly #announcer: Announcer
  readonly #gateway: string
  readonly #addresses: readonly string[]
  readonly #mac: string
  readonly #socket: FrameSender
  readonly #log: Log
  readonly #driver: RuleDriver<GatewayState, GatewayEvent, GatewayAction>

  constructor(
    announcer: Announcer,
    question: GatewayQuestion,
    socket: FrameSender,
    clock: RuleClock,
    log: Log
  ) {
    this.#announcer = announcer
    this.#gateway = canonicalAddress(question.gateway)
    this.#addresses = question.addresses
      .map(canonicalAddress)
      .filter((address) => address.includes(':') === this.#gateway.includes(':'))
    this.#mac = question.mac
    this.#socket = socket
    this.#log = log
    this.#driver = new RuleDriver(
      {
        fresh: NOT_ASKING,
        timer: { kind: 'timer' },
        step: stepGateway,
        nextDeadline: nextGatewayDeadline
      },
      clock,
      (action) => {
        this.#perform(action)
      }
    )
  }

  announce(kind: AnnouncementKind): void {
    this.#announcer.announce(kind)
    this.#driver.feed({ kind: 'announced', addresses: this.#addresses })
  }

  cancel(): void {
    this.#announcer.cancel()
    this.#driver.feed({ kind: 'cancel' })
  }

  /** An ARP frame that this machine received. */
  arp(frame: ArpFrame): void {
    if (!frame.isReply || frame.senderAddress !== this.#gateway) return
    if (frame.to !== this.#mac || frame.targetMac !== this.#mac) return
    this.#driver.feed({ kind: 'answer', address: frame.targetAddress })
  }

  /** A neighbour solicitation or advertisement that this machine received. */
  neighbour(frame: NeighbourFrame): void {
    if (frame.kind !== 'advertisement' || !frame.isSolicited) return
    if (frame.target !== this.#gateway || frame.to !== this.#mac) return
    this.#driver.feed({ kind: 'answer', address: frame.destination })
  }

  close(): void {
    this.#driver.close()
  }

  #perform(action: GatewayAction): void {
    const gateway = this.#gateway
    switch (action.kind) {
      case 'announce':
        this.#announcer.announce('refresh')
        return
      case 'ask':
        for (const address of action.addresses) this.#ask(address)
        return
      case 'answered-late':
        this.#log.warn(
          { gateway, questions: action.questions, afterMs: Math.round(action.after) },
          'the gateway answers to the virtual addresses only now: it missed an announcement'
        )
        return
      case 'gave-up':
        this.#log.error(
          { gateway, addresses: action.addresses },
          'the gateway does not answer to the virtual addresses: it may send their traffic elsewhere; told once'
        )
    }
  }

  #ask(address: string): void {
    const mac = parseMac(this.#mac)
    const frame = address.includes(':')
      ? encodeNeighbourSolicitation(mac, address, this.#gateway)
      : encodeArpRequest(mac, address, this.#gateway)
    try {
      this.#socket.send(frame)
    } catch {
      // The announcement just before it was refused as well, and tells why.
    }
  }
}
