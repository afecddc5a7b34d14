import { assemble, DROP, type Steps } from './bpf.js'
import { openPacketDescriptor } from './packet-receiver.js'
import { addressBytes, ipv4SocketAddress } from './socket-address.js'
import {
  AF_INET,
  AF_INET6,
  attachFilter,
  bindSocket,
  closeDescriptor,
  openSocket,
  setSocketOption,
  SO_BINDTODEVICE,
  SO_PRIORITY,
  SO_RCVBUF,
  SOCK_RAW,
  SOL_SOCKET
} from './syscalls/socket.js'

/** The raw sockets of VRRP, set up but not yet read. */

const IPPROTO_IP = 0
const IP_TOS = 1
const IP_HDRINCL = 3
const IP_FREEBIND = 15
const IP_MULTICAST_IF = 32
const IP_MULTICAST_LOOP = 34
const IP_ADD_MEMBERSHIP = 35
const IP_MULTICAST_ALL = 49
const IPPROTO_IPV6 = 41
const IPV6_MULTICAST_IF = 17
const IPV6_MULTICAST_HOPS = 18
const IPV6_MULTICAST_LOOP = 19
const IPV6_ADD_MEMBERSHIP = 20
const IPV6_HDRINCL = 36
const IPV6_TCLASS = 67
const IPPROTO_VRRP = 112

const TOS_INTERNETWORK_CONTROL = 0xc0
const VRRP_HOPS = 255
/** TC_PRIO_CONTROL of linux/pkt_sched.h: our adverts pass the queues before the traffic we proxy. */
const PRIORITY_CONTROL = 7
/** About 80 advertisements; what comes faster than it is read is thrown away by the kernel. */
const RECEIVE_BUFFER_LENGTH = 65_536

/** Where the sockets send and listen. */
export interface VrrpPlace {
  readonly interface: string
  readonly interfaceIndex: number
  /** Multicast group to join; null for unicast. */
  readonly group: string | null
  /** Our own address, where unicast is received. It need not be there yet. */
  readonly source: string
}

/**
 * Sends and receives IPv4 packets with their header.
 *
 * @throws {SyscallError}
 */
export function openIpv4Socket(place: VrrpPlace, filter: Steps): number {
  return setUp(openSocket(AF_INET, SOCK_RAW, IPPROTO_VRRP), place, filter, (fd) => {
    setSocketOption(fd, IPPROTO_IP, IP_HDRINCL, 1)
    setSocketOption(fd, IPPROTO_IP, IP_TOS, TOS_INTERNETWORK_CONTROL)
    setSocketOption(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0)
    setSocketOption(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
    if (place.group === null) {
      setSocketOption(fd, IPPROTO_IP, IP_FREEBIND, 1)
      bindSocket(fd, ipv4SocketAddress(place.source))
    } else {
      const membership = ipv4Membership(place.group, place.interfaceIndex)
      setSocketOption(fd, IPPROTO_IP, IP_MULTICAST_IF, membership)
      setSocketOption(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership)
    }
  })
}

/**
 * Sends IPv6 packets with their header, and is a member of the group. It receives nothing: an IPv6 raw
 * socket gives no headers. But while it is there, the kernel does not tell senders that nobody speaks VRRP.
 *
 * @throws {SyscallError}
 */
export function openIpv6Sender(place: VrrpPlace): number {
  return setUp(openSocket(AF_INET6, SOCK_RAW, IPPROTO_VRRP), place, DROP, (fd) => {
    setSocketOption(fd, IPPROTO_IPV6, IPV6_HDRINCL, 1)
    setSocketOption(fd, IPPROTO_IPV6, IPV6_TCLASS, TOS_INTERNETWORK_CONTROL)
    setSocketOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, VRRP_HOPS)
    setSocketOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0)
    setSocketOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, place.interfaceIndex)
    if (place.group === null) return
    const membership = ipv6Membership(place.group, place.interfaceIndex)
    setSocketOption(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, membership)
  })
}

/**
 * Receives IPv6 packets with their header.
 *
 * @throws {SyscallError}
 */
export function openIpv6Receiver(place: VrrpPlace, filter: Steps): number {
  return openPacketDescriptor(place.interfaceIndex, 'vrrp6', filter)
}

/** The filter comes first: a raw socket receives from the moment that it exists. */
function setUp(
  fd: number,
  place: VrrpPlace,
  filter: Steps,
  configure: (fd: number) => void
): number {
  try {
    attachFilter(fd, assemble(filter))
    setSocketOption(fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${place.interface}\0`))
    setSocketOption(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY_CONTROL)
    setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_LENGTH)
    configure(fd)
  } catch (error) {
    closeDescriptor(fd)
    throw error
  }
  return fd
}

/** `struct ip_mreqn` of ip(7): group, local address any, interface index. */
function ipv4Membership(group: string, interfaceIndex: number): Uint8Array {
  const request = Buffer.alloc(12)
  request.set(addressBytes(group), 0)
  request.writeInt32LE(interfaceIndex, 8)
  return request
}

/** `struct ipv6_mreq` of ipv6(7): group, interface index. */
function ipv6Membership(group: string, interfaceIndex: number): Uint8Array {
  const request = Buffer.alloc(20)
  request.set(addressBytes(group), 0)
  request.writeUInt32LE(interfaceIndex, 16)
  return request
}
