import { messageOf } from '../../errors.js'
import type { NetworkInterface } from '../../linux/interface.js'
import { arpFilter, neighbourDiscoveryFilter } from '../../linux/packet-filter.js'
import { openPacketReceiver, type PacketReceiver } from '../../linux/packet-receiver.js'
import { openPacketSocket, type PacketSocket } from '../../linux/packet-socket.js'
import { addressBytes } from '../../linux/socket-address.js'
import { decodeArp, type ArpFrame } from '../../vrrp/wire/arp.js'
import { decodeNeighbour, type NeighbourFrame } from '../../vrrp/wire/ndisc.js'

/** Six bytes that are not all zero; the loopback and tunnels have no such address. */
const ETHERNET_ADDRESS = /^(?!00(:00){5}$)[0-9a-f]{2}(:[0-9a-f]{2}){5}$/

/** Who hears what is said of the addresses on a segment. */
export interface SegmentListener {
  arp(frame: ArpFrame): void
  neighbour(frame: NeighbourFrame): void
  /** Receiving failed; it goes on by itself. */
  failed(message: string): void
}

/** Whether addresses of an interface are known to neighbours by a hardware address. */
export function hasNeighbours({ mac }: Pick<NetworkInterface, 'mac'>): boolean {
  return ETHERNET_ADDRESS.test(mac)
}

/**
 * The network behind one interface, as far as the virtual addresses on it go: sends frames, and hears
 * those ARP and neighbour discovery frames that are about the addresses. The kernel sorts out the rest.
 */
export class Segment {
  readonly interface: NetworkInterface
  readonly #socket: PacketSocket
  readonly #receivers: PacketReceiver[] = []

  /**
   * @param found an interface that has neighbours
   * @param addresses the virtual addresses there
   * @throws {TshaError} `TSHA_E_PACKET_SOCKET`; nothing is left open
   */
  constructor(found: NetworkInterface, addresses: readonly string[], listener: SegmentListener) {
    this.interface = found
    this.#socket = openPacketSocket(found.index)
    try {
      this.#listen(addresses, listener)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** @throws {SyscallError} when the kernel refuses the frame, such as `ENETDOWN` */
  send(frame: Uint8Array): void {
    this.#socket.send(frame)
  }

  close(): void {
    for (const receiver of this.#receivers) receiver.close()
    this.#receivers.length = 0
    this.#socket.close()
  }

  #listen(addresses: readonly string[], listener: SegmentListener): void {
    const { index, name } = this.interface
    const ipv4 = addresses.filter((address) => !address.includes(':'))
    const ipv6 = addresses.filter((address) => address.includes(':'))
    const failed = (error: Error): void => {
      listener.failed(`listening to neighbours on ${name}: ${messageOf(error)}`)
    }
    if (ipv4.length > 0) {
      const filter = arpFilter(ipv4.map(addressBytes))
      const onFrame = (bytes: Uint8Array): void => {
        const frame = decodeArp(bytes)
        if (frame) listener.arp(frame)
      }
      this.#receivers.push(openPacketReceiver(index, 'arp', onFrame, failed, filter))
    }
    if (ipv6.length > 0) {
      const filter = neighbourDiscoveryFilter(ipv6.map(addressBytes))
      const onFrame = (bytes: Uint8Array): void => {
        const frame = decodeNeighbour(bytes)
        if (frame) listener.neighbour(frame)
      }
      this.#receivers.push(
        openPacketReceiver(index, 'neighbour-discovery', onFrame, failed, filter)
      )
    }
  }
}
