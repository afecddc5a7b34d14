import { errnoOf, messageOf, TshaError } from '../errors.js'
import type { Steps } from './bpf.js'
import {
  openIpv4Socket,
  openIpv6Receiver,
  openIpv6Sender,
  type VrrpPlace
} from './vrrp-descriptors.js'
import { ipv4SocketAddress, ipv6SocketAddress } from './socket-address.js'
import { SocketPoll } from './socket-poll.js'
import { closeDescriptor, sendTo } from './syscalls/socket.js'
import { anyVrrpFilter, vrrpFilters, type ExpectedAdvertisement } from './vrrp-filter.js'

/** Packets that will be discarded are read at most this fast, 100 each second; the rest is dropped unread. */
const DEVIATING_BURST = 20
const DEVIATING_PAUSE_MS = 200

/** Where a VRRP socket sends and listens, and what it lets through. */
export interface VrrpSocketOptions extends VrrpPlace {
  readonly family: 'ipv4' | 'ipv6'
  /** Null lets every packet of VRRP through. */
  readonly expected: ExpectedAdvertisement | null
  /** Whether packets for other virtual routers are received too, in moderation. */
  readonly tellsForeign: boolean
}

/** Sends and receives whole IPv4 or IPv6 packets of VRRP on one interface. */
export interface VrrpSocket {
  /** Sends one packet, IP header included, at once. */
  send(packet: Uint8Array, destination: string): void
  /** Resolves when every packet given to `send` has left or failed. */
  flush(): Promise<void>
  /** How many packets were thrown away unread because they came too fast. */
  readonly drops: number
  close(): void
}

/**
 * Opens the socket of one virtual router. The kernel sorts what comes: packets that may be accepted are
 * all read; of those that will be discarded a few, so that they can be told; others never wake us.
 *
 * @param onPacket gets a copy of each packet, IP header included
 * @param onError called with each failure to send or receive; the socket stays usable
 * @throws {TshaError} `TSHA_E_RAW_SOCKET`
 */
export function openVrrpSocket(
  options: VrrpSocketOptions,
  onPacket: (packet: Uint8Array) => void,
  onError: (error: Error) => void
): VrrpSocket {
  try {
    return new OpenVrrpSocket(options, onPacket, onError)
  } catch (cause) {
    const hint = errnoOf(cause) === 'EPERM' ? 'needs root or CAP_NET_RAW' : messageOf(cause)
    throw new TshaError(
      'TSHA_E_RAW_SOCKET',
      `cannot open a raw socket on ${options.interface}: ${hint}`,
      { cause }
    )
  }
}

class OpenVrrpSocket implements VrrpSocket {
  readonly #options: VrrpSocketOptions
  readonly #onError: (error: Error) => void
  readonly #descriptors: number[] = []
  readonly #polls: SocketPoll[] = []
  readonly #sender: number
  #pause: NodeJS.Timeout | null = null
  #finalDrops: number | null = null

  constructor(
    options: VrrpSocketOptions,
    onPacket: (packet: Uint8Array) => void,
    onError: (error: Error) => void
  ) {
    this.#options = options
    this.#onError = onError
    const { family, expected, tellsForeign } = options
    const filters = expected && vrrpFilters(expected, tellsForeign)
    try {
      const receiver = this.#open(filters?.expected ?? anyVrrpFilter(family))
      this.#sender = family === 'ipv4' ? receiver : this.#keep(openIpv6Sender(options))
      this.#read(receiver, onPacket)
      if (filters) this.#readInModeration(this.#open(filters.deviating), onPacket)
    } catch (error) {
      this.close()
      throw error
    }
  }

  send(packet: Uint8Array, destination: string): void {
    if (this.#finalDrops !== null) return
    const { family, interfaceIndex } = this.#options
    try {
      const address =
        family === 'ipv4'
          ? ipv4SocketAddress(destination)
          : ipv6SocketAddress(destination, interfaceIndex)
      sendTo(this.#sender, packet, address)
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  get drops(): number {
    return this.#finalDrops ?? this.#countDrops()
  }

  close(): void {
    if (this.#finalDrops !== null) return
    this.#finalDrops = this.#countDrops()
    if (this.#pause) clearTimeout(this.#pause)
    for (const poll of this.#polls) poll.close()
    for (const fd of this.#descriptors) closeDescriptor(fd)
  }

  #keep(fd: number): number {
    this.#descriptors.push(fd)
    return fd
  }

  #open(filter: Steps): number {
    const open = this.#options.family === 'ipv4' ? openIpv4Socket : openIpv6Receiver
    return this.#keep(open(this.#options, filter))
  }

  #read(fd: number, onPacket: (packet: Uint8Array) => void): SocketPoll {
    const poll = new SocketPoll(fd, onPacket, this.#onError)
    this.#polls.push(poll)
    return poll
  }

  #readInModeration(fd: number, onPacket: (packet: Uint8Array) => void): void {
    let count = 0
    const poll = this.#read(fd, (packet) => {
      onPacket(packet)
      count += 1
      if (count < DEVIATING_BURST) return
      poll.pause()
      this.#pause = setTimeout(() => {
        count = 0
        poll.resume()
      }, DEVIATING_PAUSE_MS)
    })
  }

  #countDrops(): number {
    return this.#polls.reduce((sum, { drops }) => sum + drops, 0)
  }
}
