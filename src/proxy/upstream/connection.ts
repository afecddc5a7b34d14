import { TcpSocket, type SocketUser } from '../tcp/socket.js'
import type { Peer } from './peer.js'
import type { Target } from './peer-addresses.js'

/** Who a connection belongs to at the moment: an attempt, or the pool while it is idle. */
export interface ConnectionUser {
  onConnected(): void
  /** The first `length` bytes of `buffer` are only valid during the call. */
  onData(buffer: Buffer, length: number): void
  /** The upstream server will send no more; the connection stays open until the user closes it. */
  onEnd(): void
  /** The connection broke; it is closed already. */
  onFailed(error: Error): void
  /** What was written has left this process. */
  onDrain(): void
  /** The instant in `deadline` has passed. */
  onDeadline(now: number): void
}

/** One TCP connection to a peer. */
export class UpstreamConnection implements SocketUser {
  readonly peer: Peer
  readonly target: Target
  /** Null only once it is of no use to anybody. */
  user: ConnectionUser | null
  /** The pool, while it is idle: kept from its first time on. */
  idleUser: ConnectionUser | null = null
  /** Requests sent on it. */
  requests = 0
  bytesSent = 0
  bytesReceived = 0
  /** What its server said last about the two limits below; null if it never did. */
  keepAliveField: string | null = null
  /** Requests that its server takes on it, as far as we know. */
  maxRequests = Infinity
  /** How long it may be idle before its server closes it, as far as we know. */
  maxIdleMs = Infinity
  readonly openedAt: number
  isConnected = false
  /** Its peer has this address no more: no further request goes out on it. */
  isOutdated = false
  /** When the user wants `onDeadline`; Infinity is never. */
  deadline = Infinity
  readonly #socket: TcpSocket
  readonly #onClosed: ClosedHandler
  /** Whether we have ended our side: then also a regular end leaves a connection without another end. */
  #hasEnded = false

  /** Begins to connect. */
  constructor(
    peer: Peer,
    target: Target,
    user: ConnectionUser,
    now: number,
    onClosed: ClosedHandler
  ) {
    this.peer = peer
    this.target = target
    this.user = user
    this.openedAt = now
    this.#onClosed = onClosed
    this.#socket = TcpSocket.connect(target.host, target.port)
    this.#socket.user = this
  }

  onConnect(): void {
    this.isConnected = true
    this.user?.onConnected()
  }

  onData(buffer: Buffer, length: number): void {
    this.bytesReceived += length
    this.user?.onData(buffer, length)
  }

  onEnd(): void {
    if (!this.#hasEnded && this.#isReset) this.#lose(RESET)
    else this.user?.onEnd()
  }

  onDrain(): void {
    this.user?.onDrain()
  }

  onError(error: Error): void {
    this.#lose(error)
  }

  onClose(): void {
    this.#lose(CLOSED)
    this.#onClosed(this)
  }

  /** Whether nothing speaks against sending a request on it. */
  get isUsable(): boolean {
    return this.isConnected && this.#socket.isUsable
  }

  /** Whether bytes wait for the upstream server to take them. */
  get isBlocked(): boolean {
    return this.#socket.isBlocked
  }

  /** Writes latin1 text or bytes; false asks to wait for `onDrain`. */
  write(data: string | Buffer): boolean {
    this.bytesSent += data.length
    return this.#socket.write(data)
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

  /** Sends nothing more after what was written; the upstream server may go on. */
  end(): void {
    this.#hasEnded = true
    this.#socket.end()
  }

  /** Closes at once; the user hears nothing any more. */
  destroy(): void {
    this.user = null
    this.deadline = Infinity
    this.#socket.destroy()
    this.#onClosed(this)
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

/** Told as soon as the connection takes no room any more; may be told again. */
export type ClosedHandler = (connection: UpstreamConnection) => void

const CLOSED = new Error('connection closed')
const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
