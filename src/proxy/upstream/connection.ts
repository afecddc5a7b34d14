import { connect, type Socket } from 'node:net'
import type { Peer } from './peer.js'

/** Who a connection belongs to at the moment: an attempt, or the pool while it is idle. */
export interface ConnectionUser {
  onConnected(): void
  /** The first `length` bytes of `buffer` are only valid during the call. */
  onData(buffer: Buffer, length: number): void
  /** The upstream server will send no more. */
  onEnd(): void
  /** The connection broke; it is closed already. */
  onFailed(error: Error): void
  /** What was written has left this process. */
  onDrain(): void
  /** The instant in `deadline` has passed. */
  onDeadline(now: number): void
}

/** One TCP connection to a peer. Its socket has all its handlers for life. */
export class UpstreamConnection {
  readonly peer: Peer
  /** Null only once it is of no use to anybody. */
  user: ConnectionUser | null
  /** Requests sent on it. */
  requests = 0
  isConnected = false
  /** When the user wants `onDeadline`; Infinity is never. */
  deadline = Infinity
  readonly #socket: Socket

  /**
   * Begins to connect.
   * @param readBuffer shared by all connections of the worker: every read is used up before the next
   */
  constructor(peer: Peer, user: ConnectionUser, readBuffer: Buffer, onClosed: ClosedHandler) {
    this.peer = peer
    this.user = user
    this.#socket = connect({
      host: peer.server.host,
      port: peer.server.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          this.user?.onData(readBuffer, length)
          return true
        }
      }
    })
    this.#socket.on('connect', () => {
      this.isConnected = true
      this.user?.onConnected()
    })
    this.#socket.on('drain', () => this.user?.onDrain())
    this.#socket.on('end', () => {
      if (this.#isReset) this.#lose(RESET)
      else this.user?.onEnd()
    })
    this.#socket.on('error', (error) => {
      this.#lose(error)
    })
    this.#socket.on('close', () => {
      this.#lose(CLOSED)
      onClosed(this)
    })
  }

  /** Whether nothing speaks against sending a request on it. */
  get isUsable(): boolean {
    return this.isConnected && !this.#socket.destroyed && this.#socket.writable
  }

  /** Whether bytes wait for the upstream server to take them. */
  get isBlocked(): boolean {
    return this.#socket.writableLength > 0
  }

  /** Writes latin1 text or bytes; false asks to wait for `onDrain`. */
  write(data: string | Buffer): boolean {
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data)
  }

  /** Collects the writes up to `uncork` for one system call. */
  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  /** Stops reading, so that the upstream server has to wait. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Closes at once; the user hears nothing any more. */
  destroy(): void {
    this.user = null
    this.deadline = Infinity
    this.#socket.destroy()
  }

  /**
   * Whether the end that Node tells of was a reset: it tells of one right behind data as if the peer
   * had ended regularly (libuv, `uv__stream_io`), and then half a response would pass for a whole one.
   * The kernel knows better: a connection that was reset has no other end any more (getpeername(2)).
   */
  get #isReset(): boolean {
    return this.#socket.remoteAddress === undefined
  }

  #lose(error: Error): void {
    const { user } = this
    this.user = null
    this.deadline = Infinity
    user?.onFailed(error)
  }
}

/** Told once per connection, after its socket is gone. */
export type ClosedHandler = (connection: UpstreamConnection) => void

const CLOSED = new Error('connection closed')
const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
