import type { Socket } from 'node:net'
import type { FlatFields } from '../headers.js'
import { BodyDecoder } from '../http1/body.js'
import {
  MAX_HEAD,
  findHeadEnd,
  parseRequestHead,
  refuseIncomplete,
  skipEmptyLines,
  type Refusal,
  type RequestHead
} from '../http1/head.js'
import { CONTINUE, LAST_CHUNK, chunkSizeLine, errorPage, phraseOf } from '../http1/write.js'
import type { VirtualServer } from '../model.js'
import { openTransaction } from '../transaction.js'
import type { ClientFacts, Transaction } from '../variables.js'
import type { Client, RequestHandler, ResponseBody } from './client.js'

/** What a client connection needs from the engine that accepted it. */
export interface Http1Host {
  /** Milliseconds of the monotonic clock. */
  now(): number
  /** The Date field's value for now. */
  date(): string
  /** Whether connections are to be closed after their response. */
  readonly isDraining: boolean
  /** Begins the life of a request. */
  open(client: Http1Client, transaction: Transaction, head: RequestHead): RequestHandler
  /** The request is over: counts and logs it. */
  settle(transaction: Transaction, handler: RequestHandler | null, client: Http1Client): void
  /** A client did something that an operator may want to know. */
  report(message: string, transaction: Transaction | null, client: Http1Client): void
  /** Whether the connection waits for a request, so that it may be closed for another's sake. */
  setIdle(client: Http1Client, isIdle: boolean): void
}

/**
 * `idle`: no byte of a request is there · `head`: a part of one is · `exchange`: a request runs ·
 * `flushing`: its response waits for a slow client · `closing`: what still comes is thrown away.
 */
type Phase = 'idle' | 'head' | 'exchange' | 'flushing' | 'closing'

/** Small pieces are joined up to this size, so that a message is one write. */
const MAX_JOINED = 16 * 1024
/** Bytes of pipelined requests that wait for their turn. */
const MAX_PIPELINED = 64 * 1024
/** nginx's `lingering_timeout` and `lingering_time`. */
const LINGER_IDLE_MS = 5_000
const LINGER_MS = 30_000

/** One client connection that speaks HTTP/1.1: requests are served one after the other. */
export class Http1Client implements Client {
  readonly facts: ClientFacts
  /** When `onDeadline` is due; Infinity is never. */
  deadline = Infinity
  readonly #socket: Socket
  readonly #host: Http1Host
  /** Whose timeouts hold while no request is known. */
  readonly #defaults: VirtualServer
  #phase: Phase = 'idle'
  #requests = 0
  /** Bytes that belong to no request yet. */
  #pending: Buffer | null = null
  /** Characters of `#pending` that were looked at already. */
  #checked = 0
  #startedAt = 0
  #isWorking = false
  #lingerUntil = Infinity

  #exchange: RequestHandler | null = null
  #transaction: Transaction | null = null
  #head: RequestHead | null = null
  /** Null if the request has no body or all of it has come. */
  #decoder: BodyDecoder | null = null
  #isBodyWanted = true
  #out = ''
  #isCorked = false
  #isChunked = false
  #isDelimited = true
  #keepsAlive = false
  #isLast = false

  /** Takes over a socket that was just accepted with `allowHalfOpen`. */
  constructor(socket: Socket, facts: ClientFacts, defaults: VirtualServer, host: Http1Host) {
    this.#socket = socket
    this.facts = facts
    this.#defaults = defaults
    this.#host = host
    this.deadline = host.now() + defaults.clientHeaderTimeoutMs
    host.setIdle(this, true)
    socket.on('data', (chunk) => {
      this.#onData(chunk)
    })
    socket.on('drain', () => {
      this.#onDrain()
    })
    socket.on('end', () => {
      this.#onEnd()
    })
    // Whatever broke, 'close' follows and tells the rest.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#onGone()
    })
  }

  /** Closes a connection that waits for a request; one with a request closes after its response. */
  closeIfIdle(): void {
    if (this.#phase === 'idle') this.#close()
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
      case 'closing':
        this.#socket.destroy()
        break
    }
    if (this.#phase === 'exchange') this.#arm(now)
  }

  sendContinue(): void {
    this.#socket.write(CONTINUE, 'latin1')
  }

  closeAfterwards(): void {
    this.#isLast = true
  }

  start(status: number, phrase: string, fields: FlatFields, body: ResponseBody): void {
    const head = this.#head
    const isOld = head?.minorVersion === 0
    this.#isChunked = body === 'unknown' && !isOld
    this.#isDelimited = body !== 'unknown' || !isOld
    this.#keepsAlive =
      head !== null &&
      head.keepAlive &&
      !this.#isLast &&
      this.#isDelimited &&
      this.#decoder === null &&
      !this.#host.isDraining &&
      this.#requests < this.#server.keepaliveRequests &&
      this.#server.keepaliveTimeoutMs > 0
    let text = `HTTP/1.1 ${status} ${phrase}\r\nServer: tsha\r\nDate: ${this.#host.date()}\r\n`
    for (let i = 0; i < fields.length; i += 2)
      text += `${fields[i] ?? ''}: ${fields[i + 1] ?? ''}\r\n`
    if (typeof body === 'number') text += `Content-Length: ${body}\r\n`
    else if (this.#isChunked) text += 'Transfer-Encoding: chunked\r\n'
    text += this.#keepsAlive ? 'Connection: keep-alive\r\n\r\n' : 'Connection: close\r\n\r\n'
    this.#out = text
    const transaction = this.#transaction
    if (transaction !== null) {
      transaction.status = status
      transaction.bytesSent += text.length
    }
  }

  write(bytes: Buffer): void {
    const size = bytes.length
    if (size === 0) return
    const sizeLine = this.#isChunked ? chunkSizeLine(size) : ''
    const lineEnd = this.#isChunked ? '\r\n' : ''
    if (this.#out.length + size <= MAX_JOINED) {
      this.#out += sizeLine + bytes.toString('latin1') + lineEnd
    } else {
      if (!this.#isCorked) {
        this.#isCorked = true
        this.#socket.cork()
      }
      this.#out += sizeLine
      if (this.#out !== '') this.#socket.write(this.#out, 'latin1')
      this.#socket.write(Buffer.from(bytes))
      this.#out = lineEnd
    }
    const transaction = this.#transaction
    if (transaction !== null) {
      transaction.bodyBytesSent += size
      transaction.bytesSent += size + sizeLine.length + lineEnd.length
    }
  }

  flush(): boolean {
    if (this.#out !== '') this.#socket.write(this.#out, 'latin1')
    this.#out = ''
    if (this.#isCorked) {
      this.#isCorked = false
      this.#socket.uncork()
    }
    if (!this.#socket.writableNeedDrain) return true
    this.#arm(this.#host.now())
    return false
  }

  end(): void {
    if (this.#isChunked) {
      this.#out += LAST_CHUNK
      if (this.#transaction !== null) this.#transaction.bytesSent += LAST_CHUNK.length
    }
    if (this.flush()) {
      this.#finish()
    } else {
      this.#phase = 'flushing'
    }
  }

  abort(): void {
    const isDelimited = this.#isDelimited
    this.flush()
    this.#settle()
    this.#leave()
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

  get #server(): VirtualServer {
    return this.#exchange?.server ?? this.#defaults
  }

  #onData(chunk: Buffer): void {
    switch (this.#phase) {
      case 'closing':
        this.deadline = Math.min(this.#host.now() + LINGER_IDLE_MS, this.#lingerUntil)
        break
      case 'exchange':
        if (this.#decoder === null) this.#keep(chunk)
        else this.#feedBody(chunk)
        break
      case 'flushing':
        this.#keep(chunk)
        break
      case 'idle':
      case 'head':
        this.#keep(chunk)
        this.#work()
    }
  }

  /** Serves the requests that have come, until one takes time or is not complete. */
  #work(): void {
    if (this.#isWorking) return
    this.#isWorking = true
    while (this.#pending !== null && (this.#phase === 'idle' || this.#phase === 'head')) {
      if (!this.#readHead(this.#pending)) break
    }
    this.#isWorking = false
  }

  /** Returns false if the head is not complete. */
  #readHead(bytes: Buffer): boolean {
    const text = bytes.toString('latin1', 0, Math.min(bytes.length, MAX_HEAD + 1))
    if (this.#phase === 'idle') {
      this.#phase = 'head'
      this.#startedAt = this.#host.now()
      this.deadline = this.#startedAt + this.#defaults.clientHeaderTimeoutMs
      this.#host.setIdle(this, false)
    }
    const start = skipEmptyLines(text)
    const end = findHeadEnd(text, Math.max(start, this.#checked - 3))
    if (end < 0) {
      const refusal = refuseIncomplete(text.slice(start), Math.max(0, this.#checked - start))
      this.#checked = text.length
      if (refusal !== null) this.#refuseHead(refusal)
      return refusal !== null
    }
    this.#checked = 0
    const parsed = parseRequestHead(text.slice(start, end))
    if (parsed.kind === 'refusal') {
      this.#refuseHead(parsed)
      return true
    }
    this.#pending = null
    this.#open(parsed, end < bytes.length ? bytes.subarray(end) : null)
    return true
  }

  #open(head: RequestHead, rest: Buffer | null): void {
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
    if (rest !== null) {
      if (hasBody) this.#feedBody(rest)
      else this.#keep(rest)
    }
    if (this.#exchange === exchange) exchange.start()
    if (this.#exchange === exchange && this.#decoder !== null) this.#arm(this.#host.now())
  }

  #feedBody(chunk: Buffer): void {
    const decoder = this.#decoder
    const exchange = this.#exchange
    const transaction = this.#transaction
    if (decoder === null || exchange === null || transaction === null) return
    const pieces: Buffer[] = []
    const at = decoder.decode(chunk, 0, chunk.length, pieces)
    if (at < 0) {
      exchange.onBodyFailed(400, 'client sent invalid chunked body')
      return
    }
    transaction.requestLength += at
    if (at < chunk.length) this.#keep(chunk.subarray(at))
    if (decoder.done) this.#decoder = null
    for (const piece of pieces) {
      exchange.onBody(piece)
      if (this.#exchange !== exchange) return
    }
    if (decoder.done) exchange.onBodyEnd()
    if (this.#exchange === exchange) this.#arm(this.#host.now())
  }

  #keep(bytes: Buffer): void {
    this.#pending = this.#pending === null ? bytes : Buffer.concat([this.#pending, bytes])
    // While a head is read its own limits hold; here a request runs and others wait behind it.
    if (this.#phase !== 'head' && this.#pending.length > MAX_PIPELINED) this.#socket.pause()
  }

  #refuseHead(refusal: Refusal): void {
    this.#refuse(refusal.status, refusal.reason, refusal.line)
  }

  /** Answers by itself and closes; nothing that came behind is looked at. */
  #refuse(status: number, reason: string, line: string): void {
    const transaction = openTransaction(this.facts, null, line, this.#requests + 1, this.#startedAt)
    transaction.requestLength = this.#pending?.length ?? 0
    this.#transaction = transaction
    this.#head = null
    this.#host.report(`${reason} while reading client request headers`, transaction, this)
    const page = errorPage(status)
    this.#phase = 'exchange'
    this.start(status, phraseOf(status), ['Content-Type', 'text/html'], page.length)
    this.write(Buffer.from(page, 'latin1'))
    this.end()
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
    this.deadline = this.#host.now() + keepaliveTimeoutMs
    this.#host.setIdle(this, true)
    if (this.#host.isDraining) {
      this.#close()
    } else if (this.#pending !== null) {
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
    this.#isChunked = false
    this.#isDelimited = true
  }

  /**
   * Closes after what was written. If the client may still be sending, a plain close would make the
   * kernel reset the connection and take the response with it: so what comes is read and dropped.
   */
  #close(): void {
    const mayStillSend = this.#decoder !== null || this.#pending !== null || this.#isLast
    this.#phase = 'closing'
    this.#host.setIdle(this, false)
    this.#decoder = null
    this.#pending = null
    const now = this.#host.now()
    this.#lingerUntil = now + LINGER_MS
    this.deadline = now + LINGER_IDLE_MS
    if (mayStillSend) {
      this.#socket.end()
      this.#socket.resume()
    } else {
      this.#socket.destroySoon()
    }
  }

  #arm(now: number): void {
    const server = this.#server
    if (this.#socket.writableNeedDrain) this.deadline = now + server.sendTimeoutMs
    else if (this.#phase === 'exchange' && this.#decoder !== null && this.#isBodyWanted) {
      this.deadline = now + server.clientBodyTimeoutMs
    } else if (this.#phase === 'exchange') this.deadline = Infinity
  }

  #onDrain(): void {
    if (this.#phase === 'flushing') {
      this.#phase = 'exchange'
      this.#finish()
    } else if (this.#phase === 'exchange') {
      this.#arm(this.#host.now())
      this.#exchange?.onClientReady()
    }
  }

  /** The client will send no more. While a request runs it is taken for gone, as nginx does. */
  #onEnd(): void {
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
      case 'closing':
        // Both sides have ended now; the socket closes when the rest is written.
        break
    }
  }

  #giveUpOnSlowClient(): void {
    this.#host.report('client timed out (110: Connection timed out)', this.#transaction, this)
    this.#socket.destroy()
  }

  #onGone(): void {
    this.deadline = Infinity
    if (this.#phase === 'head') {
      const line = this.#pending?.toString('latin1', 0, 8192).split('\r\n', 1)[0] ?? ''
      const transaction = openTransaction(
        this.facts,
        null,
        line,
        this.#requests + 1,
        this.#startedAt
      )
      transaction.status = 400
      transaction.requestLength = this.#pending?.length ?? 0
      this.#transaction = transaction
      this.#settle()
    }
    this.#lose()
    this.#phase = 'closing'
    this.#pending = null
    this.#host.setIdle(this, false)
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
