import type { VirtualAddress, VirtualRouterConfig } from '../../config/model.js'
import { findInterfaceManager } from '../../linux/interface-manager.js'
import type { NetworkInterface } from '../../linux/interface.js'
import { OncePerPeriod } from '../../proxy/once-per-period.js'
import type { Announcer } from '../../vrrp/ports.js'
import { AddressCare, type PlacedAddress } from './address-care.js'
import { AddressAnnouncer, type AnnouncedAddress } from '../elections/announcer.js'
import { ConflictWatch } from './conflict-watch.js'
import { GatewayCheck } from './gateway-check.js'
import type { Log } from '../log.js'
import type { RuleClock } from './rule-driver.js'
import { hasNeighbours, Segment } from './segment.js'
import { Waiters } from '../waiters.js'

/** Longest Skew_Time of VRRPv2; of VRRPv3 it is shorter than an interval. */
const LONGEST_SKEW_MS = 1000
/** For a packet, and a busy machine. */
const MARGIN_MS = 500
const RECEIVE_FAILURE_PERIOD_MS = 600_000
/** A new master has added the addresses and announces them after about 15 ms; keepalived after 1 ms. */
const SUCCESSOR_MS = 100
/** Its announcement may be read before the advertisement that it sent first. */
const JUST_NOW_MS = 50

/** What the guard uses of the director. */
export interface GuardPorts {
  readonly clock: RuleClock
  readonly log: Log
  /** The addresses in the kernel. */
  readonly addresses: {
    /** Whether they are to be there. */
    readonly isHolding: boolean
    /** Until when the kernel keeps them without another renewal; Infinity for ever. */
    readonly heldUntil: number
    /** Adds those that are missing; never rejects. */
    add(): Promise<void>
  }
  /** Whether the kernel forwards IPv6 on an interface. */
  forwardsIpv6(interfaceName: string): boolean
  /** Somebody takes our addresses away: leave the election (true), or take part in it again. */
  yields(isYielding: boolean): void
}

/**
 * Everything that is done for the addresses of a virtual router besides adding and removing them: they
 * are announced, put back when somebody removes them, and defended when another machine claims them.
 */
export class AddressGuard {
  readonly announcer: Announcer
  readonly #clock: RuleClock
  readonly #segments: Segment[] = []
  readonly #watches: ConflictWatch[] = []
  readonly #gateway: GatewayCheck | null
  readonly #care: AddressCare
  /** A master that was heard less than this ago is there when we become master. */
  readonly #predecessorWithinMs: number
  #heardAt = -Infinity
  /** When another machine last claimed one of the addresses. */
  #claimedAt = -Infinity
  readonly #claims = new Waiters()

  /**
   * @param found every interface that has an address of this virtual router
   * @throws {TshaError} `TSHA_E_PACKET_SOCKET`; nothing is left open
   */
  constructor(config: VirtualRouterConfig, found: readonly NetworkInterface[], ports: GuardPorts) {
    const { clock, log } = ports
    const addresses = [...config.addresses, ...config.excludedAddresses]
    const placeOf = (entry: VirtualAddress): string => entry.interface ?? config.interface
    this.#clock = clock
    try {
      for (const each of found.filter(hasNeighbours)) {
        const there = addresses.filter((entry) => placeOf(entry) === each.name)
        this.#openSegment(
          each,
          there.map(({ address }) => address),
          ports
        )
      }
    } catch (error) {
      for (const segment of this.#segments) segment.close()
      throw error
    }

    const announced = addresses.flatMap((entry): readonly AnnouncedAddress[] => {
      const segment = this.#segments.find(({ interface: { name } }) => name === placeOf(entry))
      if (!segment) return []
      const { name, mac } = segment.interface
      const isRouter = entry.address.includes(':') && ports.forwardsIpv6(name)
      return [{ address: entry.address, interface: name, mac, socket: segment, isRouter }]
    })
    const announcer = new AddressAnnouncer(announced, config.announcements, {
      now: clock.now,
      after: clock.after,
      failed: (message) => {
        log.error(message)
      }
    })
    const own = this.#segments.find(({ interface: { name } }) => name === config.interface)
    const { gateway } = config.announcements
    this.#gateway =
      gateway === null || !own
        ? null
        : new GatewayCheck(
            announcer,
            {
              gateway,
              addresses: announced
                .filter((each) => each.interface === config.interface)
                .map(({ address }) => address),
              mac: own.interface.mac
            },
            own,
            clock,
            log
          )
    this.announcer = this.#gateway ?? announcer

    const interval = config.advertIntervalMs
    const masterDownInterval =
      config.downTimerAdverts * interval + Math.max(interval, LONGEST_SKEW_MS)
    this.#predecessorWithinMs = ((config.downTimerAdverts + 1) * interval) / 2 + MARGIN_MS
    const cared = addresses
      .filter(({ noTrack }) => !noTrack)
      .map((entry) => ({
        address: entry.address,
        prefixLength: entry.prefixLength,
        interface: placeOf(entry)
      }))
    const indexOf = (name: string): number => found.find((each) => each.name === name)?.index ?? 0
    this.#care = new AddressCare(
      cared,
      { answerWithin: Math.max(interval, LONGEST_SKEW_MS) + MARGIN_MS, masterDownInterval },
      {
        clock,
        heldUntil: () => ports.addresses.heldUntil,
        // What was removed after we gave the addresses up stays removed.
        putBack: async () => {
          if (ports.addresses.isHolding) await ports.addresses.add()
        },
        announce: () => {
          this.announcer.announce('mastery')
        },
        yields: (isYielding) => {
          ports.yields(isYielding)
        },
        findManager: (name) => findInterfaceManager(indexOf(name))
      },
      log
    )
  }

  /** Claims of other machines on our addresses so far. */
  get foreignClaims(): number {
    return this.#watches.reduce((sum, watch) => sum + watch.claims, 0)
  }

  /** Goes on where `old` is, which guards other addresses of the same virtual router, and ends it. */
  takeOver(old: AddressGuard, isMaster: boolean): void {
    this.#heardAt = old.#heardAt
    this.#care.takeOver(old.#care)
    for (const watch of this.#watches) {
      const before = old.#watches.find((each) => each.interface === watch.interface)
      if (before) watch.takeOver(before)
      else watch.mastery(isMaster, false)
    }
    old.close()
  }

  /** The speaker became master, or is not any more; told of every change of its state. */
  mastery(isMaster: boolean): void {
    const hasPredecessor = this.#clock.now() - this.#heardAt < this.#predecessorWithinMs
    this.#care.mastery(isMaster)
    for (const watch of this.#watches) watch.mastery(isMaster, hasPredecessor)
  }

  /** An advertisement of another director passed the receive checks. */
  heard(priority: number): void {
    this.#heardAt = this.#clock.now()
    if (priority > 0) this.#care.heard()
    for (const watch of this.#watches) watch.rival()
  }

  /**
   * Resolves when the new master has announced the addresses, so that neighbours turn to it: until then
   * they need us. After a tenth of a second at the latest (docs/decisions/0040-served-until-announced.md).
   */
  async succeeded(): Promise<void> {
    if (this.#watches.length === 0) return
    const isAnnounced = (): boolean => this.#clock.now() - this.#claimedAt < JUST_NOW_MS
    await this.#claims.until(isAnnounced, SUCCESSOR_MS)
  }

  /** An interface with addresses of ours was switched on or off, or got or lost its carrier. */
  linkChanged(interfaceName: string, isUp: boolean): void {
    this.#care.linkChanged(interfaceName, isUp)
  }

  /** The kernel says that an address is on an interface, for the first time or again. */
  added(place: PlacedAddress): void {
    this.#care.added(place)
  }

  /** The kernel says that an address is gone from an interface, whoever removed it. */
  removed(place: PlacedAddress): void {
    this.#care.removed(place)
  }

  close(): void {
    this.announcer.cancel()
    this.#gateway?.close()
    this.#care.close()
    for (const watch of this.#watches) watch.close()
    for (const segment of this.#segments) segment.close()
  }

  #openSegment(found: NetworkInterface, addresses: readonly string[], ports: GuardPorts): void {
    const failures = new OncePerPeriod(RECEIVE_FAILURE_PERIOD_MS)
    const segment = new Segment(found, addresses, {
      arp: (frame) => {
        watch.arp(frame)
        this.#gateway?.arp(frame)
      },
      neighbour: (frame) => {
        watch.neighbour(frame)
        this.#gateway?.neighbour(frame)
      },
      failed: (message) => {
        const times = failures.happened(ports.clock.now())
        if (times > 0) ports.log.warn({ times }, message)
      }
    })
    const watch = new ConflictWatch(
      { interface: found.name, mac: found.mac, addresses },
      {
        clock: ports.clock,
        socket: segment,
        defend: () => {
          this.announcer.announce('refresh')
        },
        claimed: () => {
          this.#claimedAt = ports.clock.now()
          this.#claims.notify()
        }
      },
      ports.log
    )
    this.#segments.push(segment)
    this.#watches.push(watch)
  }
}
