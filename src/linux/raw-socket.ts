import { errnoOf, messageOf, TshaError } from '../errors.js'
import { addressBytes, ipv4SocketAddress } from './socket-address.js'
import { SocketPoll } from './socket-poll.js'
import {
  AF_INET,
  closeDescriptor,
  openSocket,
  sendTo,
  setSocketOption,
  SO_BINDTODEVICE,
  SO_PRIORITY,
  SOCK_RAW,
  SOL_SOCKET
} from './syscalls/socket.js'

const IPPROTO_IP = 0
const IP_TOS = 1
const IP_HDRINCL = 3
const IP_MULTICAST_IF = 32
const IP_MULTICAST_LOOP = 34
const IP_ADD_MEMBERSHIP = 35
const IP_MULTICAST_ALL = 49

const TOS_INTERNETWORK_CONTROL = 0xc0
/** TC_PRIO_CONTROL of linux/pkt_sched.h: our adverts pass the queues before the traffic we proxy. */
const PRIORITY_CONTROL = 7
/** No advertisement is longer: 60 bytes of IP header, 8 + 255 × 4 + 8 of VRRP. */
const RECEIVE_BUFFER_LENGTH = 2048

/** Where the socket sends and listens. */
export interface RawSocketOptions {
  /** IP protocol number. */
  readonly protocol: number
  readonly interface: string
  readonly interfaceIndex: number
  /** Multicast group to join and to send to. */
  readonly group: string
}

/** Sends and receives whole IPv4 packets of one protocol on one interface and multicast group. */
export class RawSocket {
  readonly #fd: number
  readonly #poll: SocketPoll
  readonly #onError: (error: Error) => void
  #isClosed = false

  /**
   * @param onPacket called with each received packet, IP header included
   * @param onError called with each failure to send or receive; the socket stays usable
   * @throws {TshaError} `TSHA_E_RAW_SOCKET`
   */
  constructor(
    options: RawSocketOptions,
    onPacket: (packet: Uint8Array) => void,
    onError: (error: Error) => void
  ) {
    this.#onError = onError
    try {
      this.#fd = openSocket(AF_INET, SOCK_RAW, options.protocol)
    } catch (cause) {
      throw refused('cannot open a raw socket', cause)
    }
    try {
      this.#configure(options)
      this.#poll = new SocketPoll(this.#fd, RECEIVE_BUFFER_LENGTH, onPacket, onError)
    } catch (cause) {
      closeDescriptor(this.#fd)
      throw refused(`cannot set up a raw socket on ${options.interface}`, cause)
    }
  }

  #configure(options: RawSocketOptions): void {
    const membership = multicastRequest(options.group, options.interfaceIndex)
    setSocketOption(this.#fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${options.interface}\0`))
    setSocketOption(this.#fd, SOL_SOCKET, SO_PRIORITY, PRIORITY_CONTROL)
    setSocketOption(this.#fd, IPPROTO_IP, IP_HDRINCL, 1)
    setSocketOption(this.#fd, IPPROTO_IP, IP_TOS, TOS_INTERNETWORK_CONTROL)
    setSocketOption(this.#fd, IPPROTO_IP, IP_MULTICAST_ALL, 0)
    setSocketOption(this.#fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
    setSocketOption(this.#fd, IPPROTO_IP, IP_MULTICAST_IF, membership)
    setSocketOption(this.#fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership)
  }

  /** Sends one packet, IP header included. */
  send(packet: Uint8Array, destination: string): void {
    if (this.#isClosed) return
    try {
      sendTo(this.#fd, packet, ipv4SocketAddress(destination))
    } catch (error) {
      this.#onError(error as Error)
    }
  }

  /** Packets leave at once: there is nothing to wait for. */
  async flush(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#poll.close()
    closeDescriptor(this.#fd)
  }
}

/** `struct ip_mreqn` of ip(7): group, local address any, interface index. */
function multicastRequest(group: string, interfaceIndex: number): Buffer {
  const request = Buffer.alloc(12)
  request.set(addressBytes(group), 0)
  request.writeInt32LE(interfaceIndex, 8)
  return request
}

function refused(what: string, cause: unknown): TshaError {
  const hint = errnoOf(cause) === 'EPERM' ? 'needs root or CAP_NET_RAW' : messageOf(cause)
  return new TshaError('TSHA_E_RAW_SOCKET', `${what}: ${hint}`, { cause })
}
