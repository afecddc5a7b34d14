import { encodeArpProbe, parseMac, type ArpFrame } from '../../vrrp/wire/arp.js'
import { canonicalAddress } from '../../vrrp/wire/address.js'
import { encodeNeighbourProbe, type NeighbourFrame } from '../../vrrp/wire/ndisc.js'
import type { FrameSender } from '../elections/announcer.js'
import {
  NO_CONFLICT,
  nextConflictDeadline,
  stepConflict,
  type ConflictAction,
  type ConflictEvent,
  type ConflictState
} from './conflict-rules.js'
import type { Log } from '../log.js'
import { RuleDriver, type RuleClock } from './rule-driver.js'

/** What is watched. */
export interface WatchedSegment {
  readonly interface: string
  /** Our hardware address there, `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string
  /** The virtual addresses that are held there, excluded ones too. */
  readonly addresses: readonly string[]
}

/** What a watch uses of the director. */
export interface ConflictPorts {
  readonly clock: RuleClock
  readonly socket: FrameSender
  /** Announce the addresses once: the claim of another machine must not stand. */
  defend(): void
  /** Another machine claims an address, whoever is master. */
  claimed(): void
}

/**
 * Sees whether another machine claims the virtual addresses of one interface while we hold them: it
 * asks when we become master (RFC 5227 §2.1.1, without waiting for the answer), listens from then on
 * and answers a claim by announcing (RFC 5227 §2.4). The other machine is told by its hardware address.
 */
export class ConflictWatch {
  readonly #segment: WatchedSegment
  readonly #addresses: ReadonlySet<string>
  readonly #ports: ConflictPorts
  readonly #log: Log
  readonly #driver: RuleDriver<ConflictState, ConflictEvent, ConflictAction>

  constructor(segment: WatchedSegment, ports: ConflictPorts, log: Log) {
    this.#segment = segment
    this.#addresses = new Set(segment.addresses.map(canonicalAddress))
    this.#ports = ports
    this.#log = log
    this.#driver = new RuleDriver(
      {
        fresh: NO_CONFLICT,
        timer: { kind: 'timer' },
        step: stepConflict,
        nextDeadline: nextConflictDeadline
      },
      ports.clock,
      (action) => {
        this.#perform(action)
      }
    )
  }

  /** Goes on where `old` is, which watches other addresses on the same segment. */
  takeOver(old: ConflictWatch): void {
    old.close()
    this.#driver.takeOver(old.#driver.state)
  }

  /** The interface that is watched. */
  get interface(): string {
    return this.#segment.interface
  }

  /** Claims of other machines so far, seen while we were master. */
  get claims(): number {
    return this.#driver.state.claims
  }

  /**
   * We became master, or are not any more.
   *
   * @param hasPredecessor another director was heard just before: it may answer for a moment
   */
  mastery(isMaster: boolean, hasPredecessor: boolean): void {
    this.#driver.feed({ kind: 'mastery', isMaster, hasPredecessor })
  }

  /** An advertisement of another director passed the receive checks. */
  rival(): void {
    this.#driver.feed({ kind: 'rival' })
  }

  /** An ARP frame that this machine received. */
  arp(frame: ArpFrame): void {
    this.#claim(frame.senderAddress, frame.senderMac)
  }

  /** A neighbour solicitation or advertisement that this machine received. */
  neighbour(frame: NeighbourFrame): void {
    const address = frame.kind === 'advertisement' ? frame.target : frame.source
    this.#claim(address, frame.linkAddress ?? frame.from)
  }

  close(): void {
    this.#driver.close()
  }

  #claim(address: string, mac: string): void {
    if (mac === this.#segment.mac || !this.#addresses.has(address)) return
    this.#ports.claimed()
    this.#driver.feed({ kind: 'claim', address, mac })
  }

  #perform(action: ConflictAction): void {
    switch (action.kind) {
      case 'probe':
        this.#probe()
        return
      case 'defend':
        this.#ports.defend()
        return
      case 'tell':
        this.#log.error(
          {
            address: action.address,
            interface: this.#segment.interface,
            mac: action.mac,
            claims: action.count
          },
          'another machine claims a virtual address that is ours; announcing against it, told every ten minutes'
        )
        return
      case 'unclaimed':
        this.#log.info(
          { interface: this.#segment.interface, addresses: [...this.#addresses] },
          'asked for the virtual addresses: no other machine answers for them'
        )
    }
  }

  #probe(): void {
    const mac = parseMac(this.#segment.mac)
    for (const address of this.#addresses) {
      const frame = address.includes(':')
        ? encodeNeighbourProbe(mac, address)
        : encodeArpProbe(mac, address)
      try {
        this.#ports.socket.send(frame)
      } catch {
        // The announcement that follows is refused as well, and tells why.
      }
    }
  }
}
