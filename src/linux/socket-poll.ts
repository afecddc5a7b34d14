import { createSocket, type Socket } from 'node:dgram'
import { errnoOf } from '../errors.js'
import { AF_INET, openSocket, readDrops, replaceDescriptor, SOCK_DGRAM } from './syscalls/socket.js'

/** A socket that reports an error is read again after this long. */
const RETRY_DELAY_MS = 100

/** Everything that is read at present: what nobody refers to would be collected and fall silent. */
const open = new Set<SocketPoll>()

/**
 * Reads any datagram socket as packets come in. Node polls UDP sockets only, but reads whatever has the
 * number of one: ours is put in the place of a UDP socket before the event loop has seen that. At most 32
 * packets are read each time round the event loop (libuv), so that packets cannot keep a timer waiting.
 */
export class SocketPoll {
  readonly #fd: number
  readonly #onPacket: (packet: Uint8Array) => void
  readonly #onError: (error: Error) => void
  #socket: Socket | null = null
  #retry: NodeJS.Timeout | null = null

  /**
   * @param fd stays the caller's, who closes it after `close`
   * @param onPacket gets each packet, as long as it is
   * @param onError told of failures to receive; reading goes on by itself
   * @throws {SyscallError} when no socket can be opened
   */
  constructor(fd: number, onPacket: (packet: Uint8Array) => void, onError: (error: Error) => void) {
    this.#fd = fd
    this.#onPacket = onPacket
    this.#onError = onError
    this.#read()
  }

  /** Lets packets wait in the socket's queue, and the kernel throw away what does not fit. */
  pause(): void {
    open.delete(this)
    if (this.#retry) clearTimeout(this.#retry)
    this.#retry = null
    const socket = this.#socket
    this.#socket = null
    socket?.close()
  }

  /** Never throws: what keeps it from reading is told, and tried again. */
  resume(): void {
    if (this.#socket || this.#retry) return
    try {
      this.#read()
    } catch (error) {
      this.#readLater(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** How many packets the kernel has thrown away because they were not read in time. */
  get drops(): number {
    return readDrops(this.#fd)
  }

  close(): void {
    this.pause()
  }

  #read(): void {
    this.#socket = this.#openSocket()
    open.add(this)
  }

  #openSocket(): Socket {
    const placeholder = openSocket(AF_INET, SOCK_DGRAM, 0)
    const socket = createSocket('udp4')
    socket.on('message', (packet) => {
      if (this.#socket === socket) this.#onPacket(packet)
    })
    socket.on('error', (error) => {
      if (this.#socket === socket) this.#readLater(error)
    })
    try {
      socket.bind({ fd: placeholder })
      replaceDescriptor(this.#fd, placeholder)
    } catch (error) {
      socket.close()
      throw error
    }
    return socket
  }

  /** A packet socket has an error when its interface goes down, and goes on when that is back. */
  #readLater(error: Error): void {
    this.pause()
    if (errnoOf(error) !== 'ENETDOWN') this.#onError(error)
    this.#retry = setTimeout(() => {
      this.#retry = null
      this.resume()
    }, RETRY_DELAY_MS)
  }
}
