import { connect, type Socket } from 'node:net'
import { canWriteDirectly, writeDirectly } from './direct-write.js'
import { sendAtEndOfTurn } from './outbox.js'

/** Who hears what happens on a connection. */
export interface SocketUser {
  /** A connection that was begun here is there. */
  onConnect(): void
  /** The first `length` bytes of `buffer` are only valid during the call. */
  onData(buffer: Buffer, length: number): void
  /** The other side will send no more. */
  onEnd(): void
  /** What made `write` or `writableNeedDrain` ask to wait has left this process. */
  onDrain(): void
  /** What broke the connection; `onClose` follows. */
  onError(error: Error): void
  /** The connection is closed; nothing follows. */
  onClose(): void
}

/** The option of `net.Socket` for reading to a given buffer. */
export interface OnRead {
  readonly buffer: Buffer
  readonly callback: (length: number) => boolean
}

/**
 * Where all connections of this process read to: every read is used up before the next one. A buffer
 * of its own for each read would cost an allocation of 64 KiB.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024)

/** Where text and bytes are put together for one system call: a full read and a head fit in. */
const SCRATCH_SIZE = 72 * 1024
let scratch = Buffer.allocUnsafeSlow(SCRATCH_SIZE)

/** Text up to this length may wait for the end of the turn. */
const MAX_DELAYED = 16 * 1024

/**
 * One TCP connection, of a client or to an upstream server: a `net.Socket` that reads to a shared
 * buffer, writes text past its own stream where that is possible, and has all its handlers for life.
 * What has the name of a member of `net.Socket` does the same.
 */
export class TcpSocket {
  /** Null hears nothing. */
  user: SocketUser | null = null
  readonly #socket: Socket
  /** Text that waits for the end of the turn. */
  #out = ''
  #isCorked = false
  #hasEnded = false
  /** Whether text that was written directly still waits for the kernel. */
  #isPending = false

  /** @param make makes the socket; one that cannot use the option emits 'data' instead */
  constructor(make: (onread: OnRead) => Socket) {
    this.#socket = make({
      buffer: READ_BUFFER,
      callback: (length) => {
        this.user?.onData(READ_BUFFER, length)
        return true
      }
    })
    this.#socket.on('connect', () => this.user?.onConnect())
    this.#socket.on('drain', () => this.user?.onDrain())
    this.#socket.on('end', () => this.user?.onEnd())
    this.#socket.on('error', (error) => this.user?.onError(error))
    this.#socket.on('close', () => this.user?.onClose())
  }

  /** Begins to connect to an address. */
  static connect(host: string, port: number): TcpSocket {
    return new TcpSocket((onread) =>
      connect({ host, port, noDelay: true, allowHalfOpen: true, onread })
    )
  }

  /** Takes over an accepted socket that reads by itself. */
  static adopt(socket: Socket): TcpSocket {
    const adopted = new TcpSocket(() => socket)
    socket.on('data', (chunk) => adopted.user?.onData(chunk, chunk.length))
    return adopted
  }

  /** Calls `callback` when the connection is closed, whoever its user is then. */
  onceClosed(callback: () => void): void {
    this.#socket.once('close', callback)
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  get localPort(): number | undefined {
    return this.#socket.localPort
  }

  /** Whether nothing speaks against writing. */
  get isUsable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable
  }

  /** Whether bytes wait for the other side to take them. */
  get isBlocked(): boolean {
    return this.#isPending || this.#socket.writableLength > 0
  }

  /** Whether so many bytes wait that more should not be written before `onDrain`. */
  get writableNeedDrain(): boolean {
    return this.#isPending || this.#socket.writableNeedDrain
  }

  /**
   * Writes latin1 text or bytes; short text leaves at the end of this turn of the event loop. False
   * asks to wait for `onDrain`.
   */
  write(data: string | Buffer): boolean {
    if (typeof data === 'string' && !this.#isCorked && data.length <= MAX_DELAYED) {
      if (this.#out === '') sendAtEndOfTurn(this)
      this.#out += data
      if (this.#out.length > MAX_DELAYED) this.sendNow()
      return !this.writableNeedDrain
    }
    this.sendNow()
    return this.#write(data)
  }

  /**
   * Writes bytes that are only valid during the call, and text behind them. False asks to wait for
   * `onDrain`.
   */
  writeCopy(bytes: Buffer, after: string): boolean {
    const length = this.#out.length + bytes.length + after.length
    if (length > SCRATCH_SIZE || !canWriteDirectly() || this.#isCorked || this.isBlocked) {
      this.cork()
      this.#write(Buffer.from(bytes))
      if (after !== '') this.#write(after)
      this.uncork()
      return !this.writableNeedDrain
    }
    const before = this.#out
    this.#out = ''
    if (before !== '') scratch.write(before, 0, 'latin1')
    scratch.set(bytes, before.length)
    if (after !== '') scratch.write(after, before.length + bytes.length, 'latin1')
    return this.#writeScratch(length)
  }

  /** Sends what waits for the end of the turn. */
  sendNow(): void {
    const out = this.#out
    if (out === '') return
    this.#out = ''
    this.#write(out)
  }

  /** Collects what waits and the writes up to `uncork` for one system call. */
  cork(): void {
    this.#isCorked = true
    this.#socket.cork()
    this.sendNow()
  }

  uncork(): void {
    this.#isCorked = false
    this.#socket.uncork()
  }

  /** Stops reading, so that the other side has to wait. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Sends what waits and then says that nothing more will come. */
  end(): void {
    this.sendNow()
    this.#hasEnded = true
    this.#socket.end()
  }

  /** Closes as soon as what waits has been sent. */
  destroySoon(): void {
    this.sendNow()
    this.#hasEnded = true
    this.#socket.destroySoon()
  }

  /** Closes with a reset, behind what waits for the end of the turn. */
  resetAndDestroy(): void {
    this.sendNow()
    this.#socket.resetAndDestroy()
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy()
  }

  #writeScratch(length: number): boolean {
    const mayGoOn = this.#write(scratch.subarray(0, length))
    // What the kernel has not taken is still there.
    if (this.isBlocked) scratch = Buffer.allocUnsafeSlow(SCRATCH_SIZE)
    return mayGoOn
  }

  #write(data: string | Buffer): boolean {
    const socket = this.#socket
    if (this.#isCorked || this.#hasEnded || this.isBlocked) return socket.write(data, 'latin1')
    switch (writeDirectly(socket, data, this.#onWritten)) {
      case 'sent':
        return true
      case 'pending':
        this.#isPending = true
        return false
      case 'not-possible':
        return socket.write(data, 'latin1')
    }
  }

  readonly #onWritten = (): void => {
    this.#isPending = false
    if (!this.#socket.destroyed && !this.#socket.writableNeedDrain) this.user?.onDrain()
  }
}
