import { errnoOf, messageOf, TshaError } from '../errors.js'
import { assemble, type Steps } from './bpf.js'
import { arpFilter, neighbourDiscoveryFilter } from './packet-filter.js'
import { packetSocketAddress } from './socket-address.js'
import { SocketPoll } from './socket-poll.js'
import { anyVrrpFilter } from './vrrp-filter.js'
import {
  AF_PACKET,
  attachFilter,
  bindSocket,
  closeDescriptor,
  openSocket,
  readSocketOption,
  setSocketOption,
  SO_ERROR,
  SO_RCVBUF,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET
} from './syscalls/socket.js'

/** About 80 small packets; what comes faster than it is read is thrown away by the kernel. */
const RECEIVE_BUFFER_LENGTH = 65_536
const ETHERTYPE_ARP = 0x0806
const ETHERTYPE_IPV6 = 0x86dd

/** What a receiver gets. */
export type PacketKind =
  /** Ethernet frames of ARP. */
  | 'arp'
  /** Ethernet frames of neighbour solicitations and advertisements. */
  | 'neighbour-discovery'
  /** IPv6 packets of VRRP, header included, without the link's. */
  | 'vrrp6'

/** Receives packets of one kind on one interface. */
export interface PacketReceiver {
  /** How many packets were thrown away because they came too fast. */
  readonly drops: number
  close(): void
}

const KINDS: Readonly<Record<PacketKind, { type: number; etherType: number; filter: Steps }>> = {
  arp: { type: SOCK_RAW, etherType: ETHERTYPE_ARP, filter: arpFilter([]) },
  'neighbour-discovery': {
    type: SOCK_RAW,
    etherType: ETHERTYPE_IPV6,
    filter: neighbourDiscoveryFilter([])
  },
  vrrp6: {
    type: SOCK_DGRAM,
    etherType: ETHERTYPE_IPV6,
    filter: anyVrrpFilter('ipv6')
  }
}

/**
 * The descriptor of a receiver.
 *
 * @throws {SyscallError}
 */
export function openPacketDescriptor(
  interfaceIndex: number,
  kind: PacketKind,
  filter: Steps
): number {
  const { type, etherType } = KINDS[kind]
  // With protocol 0 nothing is queued before the filter is there.
  const fd = openSocket(AF_PACKET, type, 0)
  try {
    attachFilter(fd, assemble(filter))
    setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_LENGTH)
    bindSocket(fd, packetSocketAddress(interfaceIndex, etherType))
    // An interface that is down leaves an error, which would end the polling.
    readSocketOption(fd, SOL_SOCKET, SO_ERROR)
  } catch (error) {
    closeDescriptor(fd)
    throw error
  }
  return fd
}

/**
 * Opens a packet socket that receives only what its filter, which the kernel runs, lets through. It
 * sees packets before any firewall, and none that this machine sends. While the interface is down
 * nothing comes; after that it goes on by itself. It dies with its interface.
 *
 * @param onPacket gets a copy of each packet
 * @param onError told of failures to receive; the receiver stays usable
 * @param filter narrower than that of the kind, such as `arpFilter(addresses)`
 * @throws {TshaError} `TSHA_E_PACKET_SOCKET`
 */
export function openPacketReceiver(
  interfaceIndex: number,
  kind: PacketKind,
  onPacket: (packet: Uint8Array) => void,
  onError: (error: Error) => void,
  filter: Steps = KINDS[kind].filter
): PacketReceiver {
  let fd: number | null = null
  let poll: SocketPoll
  try {
    fd = openPacketDescriptor(interfaceIndex, kind, filter)
    poll = new SocketPoll(fd, onPacket, onError)
  } catch (cause) {
    if (fd !== null) closeDescriptor(fd)
    const hint = errnoOf(cause) === 'EPERM' ? 'needs root or CAP_NET_RAW' : messageOf(cause)
    throw new TshaError('TSHA_E_PACKET_SOCKET', `cannot open a packet socket: ${hint}`, { cause })
  }
  const open = fd
  let finalDrops: number | null = null
  return {
    get drops() {
      return finalDrops ?? poll.drops
    },
    close() {
      if (finalDrops !== null) return
      finalDrops = poll.drops
      poll.close()
      closeDescriptor(open)
    }
  }
}
