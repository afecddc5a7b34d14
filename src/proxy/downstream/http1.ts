import type { FlatFields } from '../headers.js'
import { BodyDecoder } from '../http1/body.js'
import type { Refusal, RequestHead } from '../http1/head.js'
import { CONTINUE, errorPage, phraseOf } from '../http1/write.js'
import type { IdlePlace } from '../idle-list.js'
import type { VirtualServer } from '../model.js'
import type { SocketUser, TcpSocket } from '../tcp/socket.js'
import { openTransaction } from '../transaction.js'
import type { ClientFacts, Transaction } from '../variables.js'
import type {
  ClientConnection,
  ClientHost,
  ClientTunnel,
  RequestHandler,
  ResponseBody,
  TunnelUser
} from './client.js'
import { Http1Tunnel } from './http1-tunnel.js'
import { Intake } from './intake.js'
import { ResponseWriter } from './response-writer.js'

/**
 * `idle`: no byte of a request is there · `head`: a part of one is · `exchange`: a request runs ·
 * `flushing`: its response waits for a slow client · `tunnel`: the connection speaks HTTP no more ·
 * `closing`: what still comes is thrown away.
 */
type Phase = 'idle' | 'head' | 'exchange' | 'flushing' | 'tunnel' | 'closing'

/** Bytes of pipelined requests that wait for their turn. */
const MAX_PIPELINED = 64 * 1024
/** nginx's `lingering_timeout` and `lingering_time`. */
const LINGER_IDLE_MS = 5_000
const LINGER_MS = 30_000

/** How long a new client that says nothing is taken for one whose request is on its way. */
const FRESH_MS = 500

/**
 * One client connection that speaks HTTP/1.1: requests are served one after the other. The file is
 * long because it is one state machine: each event of the socket means something else in each phase.
 */
export class Http1Client implements ClientConnection, SocketUser {
  readonly facts: ClientFacts
  /** When `onDeadline` is due; Infinity is never. */
  deadline = Infinity
  idlePlace: IdlePlace<ClientConnection> | null = null
  readonly #socket: TcpSocket
  readonly #writer: ResponseWriter
  readonly #host: ClientHost
  /** Whose timeouts hold while no request is known. */
  readonly #defaults: VirtualServer
  readonly #acceptedAt: number
  #phase: Phase = 'idle'
  #requests = 0
  #idleSince: number
  readonly #intake: Intake
  #startedAt = 0
  #isWorking = false
  #lingerUntil = Infinity

  #exchange: RequestHandler | null = null
  #transaction: Transaction | null = null
  #head: RequestHead | null = null
  /** Null if the request has no body or all of it has come. */
  #decoder: BodyDecoder | null = null
  #isBodyWanted = true
  #keepsAlive = false
  #isLast = false
  #tunnel: TunnelUser | null = null

  /** Takes over a socket that was just accepted with `allowHalfOpen`. */
  constructor(socket: TcpSocket, facts: ClientFacts, defaults: VirtualServer, host: ClientHost) {
    this.#socket = socket
    this.#writer = new ResponseWriter(socket)
    this.facts = facts
    this.#defaults = defaults
    this.#intake = new Intake(defaults.acceptBareLf)
    this.#host = host
    this.#acceptedAt = host.now()
    this.#idleSince = this.#acceptedAt
    this.deadline = this.#acceptedAt + defaults.clientHeaderTimeoutMs
    host.setIdle(this, true)
    socket.user = this
  }

  isSpare(now: number): boolean {
    return this.#requests > 0 || now >= this.#acceptedAt + FRESH_MS
  }

  drain(): void {
    if (this.#phase !== 'idle') return
    this.deadline = Math.min(this.deadline, this.#idleSince + this.#host.drainSilenceMs)
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** Called when `deadline` has passed. */
  onDeadline(now: number): void {
    this.deadline = Infinity
    switch (this.#phase) {
      case 'idle':
        this.#close()
        break
      case 'head':
        this.#refuse(408, 'client timed out while sending its request header', '')
        break
      case 'exchange':
        if (this.#socket.writableNeedDrain) this.#giveUpOnSlowClient()
        else if (this.#decoder !== null) {
          this.#exchange?.onBodyFailed(408, 'client timed out while sending its request body')
        }
        break
      case 'flushing':
        this.#giveUpOnSlowClient()
        break
      case 'tunnel':
        // Its own timeout is watched on the other side.
        break
      case 'closing':
        this.#socket.destroy()
        break
    }
    if (this.#phase === 'exchange') this.#arm(now)
  }

  sendContinue(): void {
    this.#socket.write(CONTINUE)
  }

  closeAfterwards(): void {
    this.#isLast = true
  }

  start(status: number, phrase: string, fields: FlatFields, body: ResponseBody): void {
    const head = this.#head
    const writer = this.#writer
    writer.frame(body, head?.minorVersion ?? 1)
    this.#keepsAlive =
      head !== null &&
      head.keepAlive &&
      !this.#isLast &&
      writer.isDelimited &&
      this.#decoder === null &&
      !this.#host.isDraining &&
      this.#requests < this.#server.keepaliveRequests &&
      this.#server.keepaliveTimeoutMs > 0
    const date = this.#host.date()
    const size = writer.begin(status, phrase, date, fields, body, this.#keepsAlive)
    const transaction = this.#transaction
    if (transaction !== null) {
      transaction.status = status
      transaction.bytesSent += size
    }
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0) return
    const size = this.#writer.add(bytes)
    const transaction = this.#transaction
    if (transaction !== null) {
      transaction.bodyBytesSent += bytes.length
      transaction.bytesSent += size
    }
  }

  flush(): boolean {
    if (this.#writer.flush()) return true
    this.#arm(this.#host.now())
    return false
  }

  end(): void {
    const size = this.#writer.finish()
    if (this.#transaction !== null) this.#transaction.bytesSent += size
    if (this.flush()) {
      this.#finish()
    } else {
      this.#phase = 'flushing'
    }
  }

  abort(): void {
    const { isDelimited } = this.#writer
    this.flush()
    this.#settle()
    this.#leave()
    this.#beginClosing()
    // Without framing the end of the connection is the end of the body: only a reset tells them apart.
    if (isDelimited) this.#socket.destroySoon()
    else this.#socket.resetAndDestroy()
  }

  wantBody(isWanted: boolean): void {
    if (isWanted === this.#isBodyWanted) return
    this.#isBodyWanted = isWanted
    if (isWanted) this.#socket.resume()
    else this.#socket.pause()
    this.#arm(this.#host.now())
  }

  openTunnel(phrase: string, protocol: string, fields: FlatFields, user: TunnelUser): ClientTunnel {
    this.#phase = 'tunnel'
    this.#tunnel = user
    this.deadline = Infinity
    const early = this.#intake.takeRest()
    if (early !== null) this.#socket.resume()
    const tunnel = new Http1Tunnel(this.#socket, this.#transaction, early, (isCut) => {
      this.#endTunnel(isCut)
    })
    tunnel.begin(phrase, this.#host.date(), protocol, fields)
    return tunnel
  }

  #endTunnel(isCut: boolean): void {
    if (this.#phase !== 'tunnel') return
    this.#tunnel = null
    this.#settle()
    this.#leave()
    this.#isLast = true
    if (!isCut) {
      this.#close()
      return
    }
    this.#beginClosing()
    this.#socket.resetAndDestroy()
  }

  get #server(): VirtualServer {
    return this.#exchange?.server ?? this.#defaults
  }

  onConnect(): void {
    // It was connected when it was accepted.
  }

  onError(): void {
    // Whatever broke, `onClose` follows and tells the rest.
  }

  onData(buffer: Buffer, length: number): void {
    switch (this.#phase) {
      case 'closing':
        this.deadline = Math.max(this.deadline, this.#host.now() + LINGER_IDLE_MS)
        this.deadline = Math.min(this.deadline, this.#lingerUntil)
        break
      case 'exchange':
        if (this.#decoder === null) this.#keep(buffer, 0, length)
        else this.#feedBody(buffer, 0, length)
        break
      case 'flushing':
        this.#keep(buffer, 0, length)
        break
      case 'tunnel':
        this.#tunnel?.onClientData(Buffer.from(buffer.subarray(0, length)))
        break
      case 'idle':
      case 'head':
        this.#intake.lend(buffer, length)
        this.#work()
        this.#intake.settle()
    }
  }

  /** Serves the requests that have come, until one takes time or is not complete. */
  #work(): void {
    if (this.#isWorking) return
    this.#isWorking = true
    while ((this.#phase === 'idle' || this.#phase === 'head') && this.#intake.skipEmptyLines()) {
      if (!this.#readHead()) break
    }
    this.#isWorking = false
  }

  /** Returns false if the head is not complete. */
  #readHead(): boolean {
    if (this.#phase === 'idle') {
      this.#phase = 'head'
      this.#startedAt = this.#host.now()
      this.deadline = this.#startedAt + this.#defaults.clientHeaderTimeoutMs
      this.#host.setIdle(this, false)
    }
    const head = this.#intake.read()
    if (head === null) return false
    if (head.kind === 'refusal') this.#refuseHead(head)
    else this.#open(head)
    return true
  }

  #open(head: RequestHead): void {
    this.#phase = 'exchange'
    this.deadline = Infinity
    this.#requests++
    this.#head = head
    const transaction = openTransaction(
      this.facts,
      head,
      head.line,
      this.#requests,
      this.#startedAt
    )
    transaction.requestLength = head.length
    this.#transaction = transaction
    const hasBody =
      head.framing !== 'none' && !(head.framing === 'length' && head.contentLength === 0)
    this.#decoder = hasBody ? new BodyDecoder(head.framing, head.contentLength) : null
    this.#isBodyWanted = true
    const exchange = this.#host.open(this, transaction, head)
    this.#exchange = exchange
    if (!hasBody) exchange.onBodyEnd()
    const rest = hasBody ? this.#intake.takeRest() : null
    if (rest !== null) this.#feedBody(rest, 0, rest.length)
    if (this.#exchange === exchange) exchange.start()
    if (this.#exchange === exchange && this.#decoder !== null) this.#arm(this.#host.now())
  }

  #feedBody(buffer: Buffer, from: number, to: number): void {
    const decoder = this.#decoder
    const exchange = this.#exchange
    const transaction = this.#transaction
    if (decoder === null || exchange === null || transaction === null) return
    const pieces: Buffer[] = []
    const at = decoder.decode(buffer, from, to, pieces)
    if (at < 0) {
      exchange.onBodyFailed(400, 'client sent invalid chunked body')
      return
    }
    transaction.requestLength += at - from
    if (at < to) this.#keep(buffer, at, to)
    if (decoder.done) this.#decoder = null
    if (pieces.length > 0) exchange.onBody(Buffer.concat(pieces))
    if (this.#exchange !== exchange) return
    if (decoder.done) {
      exchange.onBodyEnd()
      // With nothing left to hold back, a client that leaves must be noticed.
      if (this.#exchange === exchange && this.#intake.length <= MAX_PIPELINED) this.wantBody(true)
    }
    if (this.#exchange === exchange) this.#arm(this.#host.now())
  }

  /** Keeps what came behind a request that runs. */
  #keep(buffer: Buffer, from: number, to: number): void {
    this.#intake.keep(buffer, from, to)
    if (this.#intake.length > MAX_PIPELINED) this.#socket.pause()
  }

  #refuseHead(refusal: Refusal): void {
    this.#refuse(refusal.status, refusal.reason, refusal.line)
  }

  /** Answers by itself and closes; nothing that came behind is looked at. */
  #refuse(status: number, reason: string, line: string): void {
    const transaction = this.#refusedTransaction(line)
    this.#transaction = transaction
    this.#head = null
    this.#host.report(`${reason} while reading client request headers`, transaction, this)
    const page = errorPage(status)
    this.#phase = 'exchange'
    this.start(status, phraseOf(status), ['Content-Type', 'text/html'], page.length)
    this.write(Buffer.from(page, 'latin1'))
    this.end()
  }

  /** The record of what never became a request. */
  #refusedTransaction(line: string): Transaction {
    const transaction = openTransaction(this.facts, null, line, this.#requests + 1, this.#startedAt)
    transaction.requestLength = this.#intake.length
    return transaction
  }

  /** The response has been handed over whole. */
  #finish(): void {
    this.#settle()
    const keepsAlive = this.#keepsAlive
    const { keepaliveTimeoutMs } = this.#server
    this.#leave()
    if (!keepsAlive) {
      this.#close()
      return
    }
    this.#phase = 'idle'
    this.#idleSince = this.#host.now()
    this.deadline = this.#idleSince + keepaliveTimeoutMs
    this.#host.setIdle(this, true)
    // It was told that it may go on: what it sends now is still answered.
    if (this.#host.isDraining) this.drain()
    if (this.#intake.length > 0) {
      this.#socket.resume()
      this.#work()
    }
  }

  #settle(): void {
    const transaction = this.#transaction
    if (transaction === null) return
    this.#transaction = null
    this.#host.settle(transaction, this.#exchange, this)
  }

  /** Forgets the request. */
  #leave(): void {
    if (!this.#isBodyWanted) this.#socket.resume()
    this.#isBodyWanted = true
    this.#exchange = null
    this.#head = null
  }

  /**
   * Closes after what was written. If the client may still be sending, a plain close would make the
   * kernel reset the connection and take the response with it: so what comes is read and dropped.
   */
  #close(): void {
    const mayStillSend = this.#decoder !== null || this.#intake.length > 0 || this.#isLast
    this.#beginClosing()
    if (mayStillSend) {
      this.#socket.end()
      this.#socket.resume()
    } else {
      this.#socket.destroySoon()
    }
  }

  /** From now on nothing is read for its meaning; what was written still gets its time to leave. */
  #beginClosing(): void {
    this.#phase = 'closing'
    this.#host.setIdle(this, false)
    this.#decoder = null
    this.#intake.clear()
    const sendMs = this.#socket.isBlocked ? this.#defaults.sendTimeoutMs : 0
    const now = this.#host.now()
    this.deadline = now + Math.max(sendMs, LINGER_IDLE_MS)
    this.#lingerUntil = now + Math.max(sendMs, LINGER_MS)
  }

  #arm(now: number): void {
    const server = this.#server
    if (this.#socket.writableNeedDrain) this.deadline = now + server.sendTimeoutMs
    else if (this.#phase === 'exchange' && this.#decoder !== null && this.#isBodyWanted) {
      this.deadline = now + server.clientBodyTimeoutMs
    } else if (this.#phase === 'exchange') this.deadline = Infinity
  }

  onDrain(): void {
    if (this.#phase === 'flushing') {
      this.#phase = 'exchange'
      this.#finish()
    } else if (this.#phase === 'exchange') {
      this.#arm(this.#host.now())
      this.#exchange?.onClientReady()
    } else {
      this.#tunnel?.onClientReady()
    }
  }

  /** The client will send no more. While a request runs it is taken for gone, as nginx does. */
  onEnd(): void {
    switch (this.#phase) {
      case 'idle':
        this.#close()
        break
      case 'head':
        this.#socket.destroy()
        break
      case 'exchange':
        this.#lose()
        this.#socket.destroy()
        break
      case 'flushing':
        this.#keepsAlive = false
        break
      case 'tunnel':
        this.#tunnel?.onClientEnd()
        break
      case 'closing':
        // Both sides have ended now; the socket closes when the rest is written.
        break
    }
  }

  #giveUpOnSlowClient(): void {
    this.#host.report('client timed out (110: Connection timed out)', this.#transaction, this)
    this.#socket.destroy()
  }

  onClose(): void {
    this.deadline = Infinity
    if (this.#phase === 'head') {
      this.#transaction = this.#refusedTransaction(this.#intake.firstLine)
      this.#transaction.status = 400
      this.#settle()
    }
    this.#tunnel?.onClientGone()
    this.#tunnel = null
    this.#lose()
    this.#phase = 'closing'
    this.#intake.clear()
    this.#host.setIdle(this, false)
    this.#host.gone(this)
  }

  /** Tells the exchange, if one runs, that its client has left. */
  #lose(): void {
    const exchange = this.#exchange
    if (this.#transaction?.status === 0) this.#transaction.status = 499
    if (this.#phase === 'exchange') exchange?.onClientGone()
    this.#settle()
    this.#exchange = null
    this.#phase = 'closing'
  }
}
