import { readdirSync, readlinkSync } from 'node:fs'
import raw, { type Socket } from 'raw-socket'
import { messageOf, TshaError } from '../errors.js'
import { setCloseOnExec } from './syscalls.js'

const IPPROTO_IP = 0
const IP_TOS = 1
const IP_HDRINCL = 3
const IP_MULTICAST_IF = 32
const IP_MULTICAST_LOOP = 34
const IP_ADD_MEMBERSHIP = 35
const IP_MULTICAST_ALL = 49
const SOL_SOCKET = 1
const SO_PRIORITY = 12
const SO_BINDTODEVICE = 25

const TOS_INTERNETWORK_CONTROL = 0xc0
/** TC_PRIO_CONTROL of linux/pkt_sched.h: our adverts pass the queues before the traffic we proxy. */
const PRIORITY_CONTROL = 7
/** No advertisement is longer: 60 bytes of IP header, 8 + 255 × 4 + 8 of VRRP. */
const RECEIVE_BUFFER_LENGTH = 2048
const FLUSH_TIMEOUT_MS = 1000

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
  readonly #socket: Socket
  readonly #onError: (error: Error) => void
  #pending = 0
  #isClosed = false
  #idle: (() => void) | null = null

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
      this.#socket = openWithoutInheritance(options.protocol)
    } catch (cause) {
      throw refused('cannot open a raw socket', cause)
    }
    this.#socket.on('error', onError)
    this.#socket.on('message', onPacket)
    try {
      this.#configure(options)
    } catch (cause) {
      this.close()
      throw refused(`cannot set up a raw socket on ${options.interface}`, cause)
    }
  }

  #configure(options: RawSocketOptions): void {
    const device = Buffer.from(`${options.interface}\0`)
    const membership = multicastRequest(options.group, options.interfaceIndex)
    this.#socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, device, device.length)
    this.#socket.setOption(SOL_SOCKET, SO_PRIORITY, PRIORITY_CONTROL)
    this.#socket.setOption(IPPROTO_IP, IP_HDRINCL, 1)
    this.#socket.setOption(IPPROTO_IP, IP_TOS, TOS_INTERNETWORK_CONTROL)
    this.#socket.setOption(IPPROTO_IP, IP_MULTICAST_ALL, 0)
    this.#socket.setOption(IPPROTO_IP, IP_MULTICAST_LOOP, 0)
    this.#socket.setOption(IPPROTO_IP, IP_MULTICAST_IF, membership, membership.length)
    this.#socket.setOption(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership, membership.length)
  }

  /** Sends one packet, IP header included. */
  send(packet: Uint8Array, destination: string): void {
    if (this.#isClosed) return
    this.#pending += 1
    this.#socket.send(Buffer.from(packet), 0, packet.length, destination, (error) => {
      this.#pending -= 1
      if (error) this.#onError(error)
      if (this.#pending === 0) this.#idle?.()
    })
  }

  /** Resolves when every packet given to `send` has left or failed, at most after a second. */
  async flush(): Promise<void> {
    if (this.#pending === 0 || this.#isClosed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FLUSH_TIMEOUT_MS)
      this.#idle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#idle?.()
    this.#socket.close()
  }
}

/**
 * raw-socket opens its descriptor without O_CLOEXEC and does not tell its number. Workers and scripts
 * must not inherit a raw socket, so it is found by comparing our sockets before and after.
 */
function openWithoutInheritance(protocol: number): Socket {
  const before = listSockets()
  const socket = raw.createSocket({ protocol, bufferSize: RECEIVE_BUFFER_LENGTH })
  for (const [fd, inode] of listSockets()) if (before.get(fd) !== inode) setCloseOnExec(fd)
  return socket
}

/** Our open sockets: descriptor and inode, such as `socket:[4711]`. */
function listSockets(): ReadonlyMap<number, string> {
  const sockets = new Map<number, string>()
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      if (target.startsWith('socket:')) sockets.set(Number(fd), target)
    } catch {
      // The descriptor that read the folder: it is closed by now.
    }
  }
  return sockets
}

/** `struct ip_mreqn` of ip(7): group, local address any, interface index. */
function multicastRequest(group: string, interfaceIndex: number): Buffer {
  const request = Buffer.alloc(12)
  request.set(group.split('.').map(Number), 0)
  request.writeInt32LE(interfaceIndex, 8)
  return request
}

function refused(what: string, cause: unknown): TshaError {
  const text = messageOf(cause)
  const hint = text === 'Operation not permitted' ? 'needs root or CAP_NET_RAW' : text
  return new TshaError('TSHA_E_RAW_SOCKET', `${what}: ${hint}`, { cause })
}
