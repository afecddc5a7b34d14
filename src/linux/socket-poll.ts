import { readdirSync } from 'node:fs'
import raw, { type Socket } from 'raw-socket'
import {
  AF_INET,
  readDrops,
  readSocketOption,
  replaceDescriptor,
  SO_DOMAIN,
  SO_ERROR,
  SO_PROTOCOL,
  SOL_SOCKET
} from './syscalls/socket.js'

/** IPPROTO_RAW: a socket of it never receives, and nobody else in this process opens one. */
const PLACEHOLDER_PROTOCOL = 255
/** A socket that reports an error is read again after this long. */
const RETRY_DELAY_MS = 100
const ENETDOWN = 100

/** Everything that is read at present: what nobody refers to would be collected and fall silent. */
const open = new Set<SocketPoll>()

/**
 * Reads any datagram socket as packets come in. Node cannot poll a descriptor, but raw-socket polls its
 * own with libuv: ours is put in its place before the event loop has seen it. One packet is read each time
 * round the event loop, so that packets cannot keep a timer waiting.
 */
export class SocketPoll {
  readonly #fd: number
  readonly #bufferLength: number
  readonly #onPacket: (packet: Uint8Array) => void
  readonly #onError: (error: Error) => void
  #socket: Socket | null = null
  #retry: NodeJS.Timeout | null = null
  #isPaused = false

  /**
   * @param fd stays the caller's, who closes it after `close`
   * @param bufferLength longer packets are cut
   * @param onPacket gets a copy of each packet; what it throws goes to `onError`
   * @param onError told of failures to receive; reading goes on by itself
   * @throws {Error} without a code, when no raw socket can be opened
   */
  constructor(
    fd: number,
    bufferLength: number,
    onPacket: (packet: Uint8Array) => void,
    onError: (error: Error) => void
  ) {
    this.#fd = fd
    this.#bufferLength = bufferLength
    this.#onPacket = onPacket
    this.#onError = onError
    this.#start()
    open.add(this)
  }

  /** Lets packets wait in the socket's queue, and the kernel throw away what does not fit. */
  pause(): void {
    this.#isPaused = true
    this.#socket?.pauseRecv()
  }

  resume(): void {
    this.#isPaused = false
    this.#socket?.resumeRecv()
  }

  /** How many packets the kernel has thrown away because they were not read in time. */
  get drops(): number {
    return readDrops(this.#fd)
  }

  close(): void {
    open.delete(this)
    if (this.#retry) clearTimeout(this.#retry)
    const socket = this.#socket
    this.#socket = null
    socket?.close()
  }

  #start(): void {
    const socket = raw.createSocket({
      protocol: PLACEHOLDER_PROTOCOL,
      bufferSize: this.#bufferLength
    })
    try {
      replaceDescriptor(this.#fd, findPlaceholder())
    } catch (error) {
      socket.close()
      throw error
    }
    this.#socket = socket
    socket.on('message', (packet: Buffer) => {
      // raw-socket reads the next packet into the same buffer.
      if (this.#socket === socket) this.#onPacket(Uint8Array.prototype.slice.call(packet))
    })
    socket.on('error', (error?: Error) => {
      // Without one it is libuv that cannot poll any more: raw-socket closes its socket then.
      if (error) this.#onError(error)
    })
    socket.on('close', () => {
      if (this.#socket === socket) this.#restart()
    })
    if (this.#isPaused) socket.pauseRecv()
  }

  /** libuv stops to poll a socket with an error, such as a packet socket whose interface goes down. */
  #restart(): void {
    this.#socket = null
    // Reading the error takes it away; a packet socket goes on when its interface is back.
    const errno = readSocketOption(this.#fd, SOL_SOCKET, SO_ERROR)
    if (errno !== 0 && errno !== ENETDOWN) this.#onError(new Error(`receiving: errno ${errno}`))
    this.#retry = setTimeout(() => {
      try {
        this.#start()
      } catch (error) {
        this.#onError(error instanceof Error ? error : new Error(String(error)))
        this.#restart()
      }
    }, RETRY_DELAY_MS)
  }
}

/** raw-socket does not tell the number of its descriptor, but the placeholder is the only one of its kind. */
function findPlaceholder(): number {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name)
    try {
      if (
        readSocketOption(fd, SOL_SOCKET, SO_PROTOCOL) === PLACEHOLDER_PROTOCOL &&
        readSocketOption(fd, SOL_SOCKET, SO_DOMAIN) === AF_INET
      )
        return fd
    } catch {
      // Not a socket, or the descriptor that read the folder.
    }
  }
  throw new Error('the descriptor of a raw socket cannot be found')
}
