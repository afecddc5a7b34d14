import { errnoOf, messageOf } from '../../errors.js'
import type { Announcements } from '../../config/model.js'
import type { AnnouncementKind, Announcer } from '../../vrrp/ports.js'
import { encodeGratuitousArp, parseMac } from '../../vrrp/wire/arp.js'
import { encodeUnsolicitedNa } from '../../vrrp/wire/ndisc.js'

/** The same failure of the same interface is told again after this long. */
const TELL_AGAIN_MS = 600_000

/** Sends whole Ethernet frames on one interface; throws when the kernel refuses one. */
export interface FrameSender {
  send(frame: Uint8Array): void
}

/** An address that is announced, and where. */
export interface AnnouncedAddress {
  readonly address: string
  readonly interface: string
  /** Hardware address of that interface, `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string
  readonly socket: FrameSender
  /** Whether this machine forwards IPv6 there: neighbours are told so. */
  readonly isRouter: boolean
}

/** What an announcer uses of the world. */
export interface AnnouncerPorts {
  /** Monotonic milliseconds. */
  now(): number
  after(delayMs: number, callback: () => void): () => void
  /** A frame could not be sent; told once for each interface and failure in ten minutes. */
  failed(message: string): void
}

interface Frame {
  readonly bytes: Uint8Array
  readonly interface: string
  readonly socket: FrameSender
}

/** Frames that go out in turn, each `intervalMs` after the one before it. */
interface Lane {
  readonly frames: readonly Frame[]
  readonly intervalMs: number
  /** How many are still to be sent, and which of `frames` is the next one. */
  left: number
  next: number
  /** From when on the next one may go. */
  dueAt: number
}

/**
 * Announces addresses: IPv4 with gratuitous ARP, IPv6 with unsolicited neighbour advertisements, all of
 * them once, then all of them again (keepalived's order). Without intervals a burst leaves at once:
 * five frames take 0.1 ms, measured. With them it is paced by one timer; what waits is a count and no
 * list, and an announcement that comes meanwhile begins anew where that makes the burst longer.
 */
export class AddressAnnouncer implements Announcer {
  readonly #repeats: Readonly<Record<AnnouncementKind, number>>
  readonly #ports: AnnouncerPorts
  readonly #lanes: readonly Lane[]
  readonly #toldAt = new Map<string, number>()
  #cancelTimer: (() => void) | null = null

  /** @param addresses in the order of the configuration, excluded ones last */
  constructor(
    addresses: readonly AnnouncedAddress[],
    config: Announcements,
    ports: AnnouncerPorts
  ) {
    this.#repeats = {
      mastery: config.repeat,
      refresh: config.refreshRepeat,
      'lower-priority': config.lowerPriorityRepeat
    }
    this.#ports = ports
    const arp = addresses.filter(({ address }) => !isIpv6(address))
    const ndisc = addresses.filter(({ address }) => isIpv6(address))
    this.#lanes =
      config.garpIntervalMs === 0 && config.gnaIntervalMs === 0
        ? [lane(addresses, 0)]
        : [lane(arp, config.garpIntervalMs), lane(ndisc, config.gnaIntervalMs)]
  }

  announce(kind: AnnouncementKind): void {
    for (const each of this.#lanes) {
      const length = this.#repeats[kind] * each.frames.length
      if (length <= each.left) continue
      each.left = length
      each.next = 0
    }
    this.#sendDue()
  }

  cancel(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    for (const each of this.#lanes) each.left = 0
  }

  #sendDue(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    const now = this.#ports.now()
    for (const each of this.#lanes)
      while (each.left > 0 && each.dueAt <= now) this.#sendNext(each, now)
    const waiting = this.#lanes.filter(({ left }) => left > 0).map(({ dueAt }) => dueAt)
    if (waiting.length === 0) return
    this.#cancelTimer = this.#ports.after(Math.max(0, Math.min(...waiting) - now), () => {
      this.#sendDue()
    })
  }

  #sendNext(each: Lane, now: number): void {
    const frame = each.frames[each.next]
    each.next = (each.next + 1) % each.frames.length
    each.left -= 1
    each.dueAt = now + each.intervalMs
    if (!frame) return
    try {
      frame.socket.send(frame.bytes)
    } catch (error) {
      this.#tell(frame.interface, error, now)
    }
  }

  #tell(name: string, error: unknown, now: number): void {
    const message = `cannot announce addresses on ${name}: ${errnoOf(error) ?? messageOf(error)}`
    if (now - (this.#toldAt.get(message) ?? -Infinity) < TELL_AGAIN_MS) return
    this.#toldAt.set(message, now)
    this.#ports.failed(message)
  }
}

function lane(addresses: readonly AnnouncedAddress[], intervalMs: number): Lane {
  const frames = addresses.map(({ address, mac, isRouter, socket, interface: name }) => {
    const bytes = isIpv6(address)
      ? encodeUnsolicitedNa(parseMac(mac), address, isRouter)
      : encodeGratuitousArp(parseMac(mac), address)
    return { bytes, socket, interface: name }
  })
  return { frames, intervalMs, left: 0, next: 0, dueAt: -Infinity }
}

function isIpv6(address: string): boolean {
  return address.includes(':')
}
