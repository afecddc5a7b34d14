import type { RequestSource } from '../body/request-source.js'
import { isLack } from '../descriptors.js'
import { errnoText } from '../error-log.js'
import { findLenientHeadEnd, withCrlf } from '../http1/bare-lf.js'
import { BodyDecoder } from '../http1/body.js'
import { MAX_HEAD, findHeadEnd, parseResponseHead, type ResponseHead } from '../http1/head.js'
import { hasForbidden } from '../http1/syntax.js'
import { LAST_CHUNK, chunkSizeLine } from '../http1/write.js'
import type { Route } from '../model.js'
import type { Failure } from '../traffic-cells.js'
import { grantedProtocol } from '../upgrade.js'
import type { AttemptFacts } from '../variables.js'
import type { ConnectionUser, UpstreamConnection } from './connection.js'
import type { FailureKind } from './next-upstream.js'
import type { Peer } from './peer.js'
import type { Target } from './peer-addresses.js'
import type { UpstreamPool } from './pool.js'
import type { Awaited } from './silence.js'

/** How an attempt failed. */
export interface AttemptFailure {
  readonly kind: Extract<FailureKind, 'error' | 'timeout' | 'invalid_header'>
  /** Words of nginx's error log. */
  readonly message: string
  /** A pooled connection that broke before the first byte of an answer: probably it was stale. */
  readonly isStale: boolean
  /** Something was lacking on our side, such as a file descriptor: the peer was not even asked. */
  readonly isOurs: boolean
}

/** Who makes attempts and hears how they go. */
export interface AttemptOwner {
  /** The response began. False: the owner has closed this attempt and made other plans. */
  onResponseHead(attempt: Attempt, head: ResponseHead): boolean
  /** Pieces are only valid during the call; false asks to stop until `resume`. */
  onResponseBody(pieces: readonly Buffer[]): boolean
  /** The response is complete. */
  onResponseEnd(): void
  onFailure(attempt: Attempt, failure: AttemptFailure): void
  /** The peer has changed to a protocol that was asked for; `early` is only valid during the call. */
  onSwitch(attempt: Attempt, head: ResponseHead, protocol: string, early: Buffer): void
  /** Whether the client should go on sending its body. */
  onBodyWanted(isWanted: boolean): void
}

/** The request that is sent, the same for each attempt. */
export interface AttemptRequest {
  readonly method: string
  readonly headText: string
  readonly isChunked: boolean
  /** The protocols that it asks for, which are in `headText`; null for an ordinary request. */
  readonly upgrade: string | null
  /** Whether LF alone ends a line of the response head too. */
  readonly acceptBareLf: boolean
  readonly body: RequestSource
  readonly timeouts: Pick<Route, 'connectTimeoutMs' | 'sendTimeoutMs' | 'readTimeoutMs'>
}

/** Most heads are shorter than this; what comes behind them need not become text. */
const FIRST_LOOK = 4096
/** Interim responses (RFC 9110 §15.2) before the final one. */
const MAX_INTERIM = 16

/**
 * One try of a request on one peer. The file is long because it is one state machine: sending and
 * reading share the connection, its deadline and its end.
 */
export class Attempt implements ConnectionUser, AttemptFacts {
  readonly peer: Peer
  readonly startedAt: number
  readonly isReused: boolean
  endedAt: number
  answerStatus = 0
  failure: Failure | null = null
  firstByteAt = -1
  /** Whether the first byte of the request was handed to a connected socket. */
  isRequestSent = false
  readonly #owner: AttemptOwner
  readonly #request: AttemptRequest
  readonly #pool: UpstreamPool
  readonly #now: () => number
  readonly #connection: UpstreamConnection
  #isRequestComplete = false
  /** Whether the connection has asked to wait until it has drained. */
  #isStuck = false
  #isOver = false
  #isPaused = false
  /** Head bytes of earlier reads. */
  #text = ''
  #interims = 0
  /** What the connection had carried before; once it is over, what it has carried for this attempt. */
  #bytesSent: number
  #bytesReceived: number
  /** When the whole request had left this process. */
  #askedAt: number | null = null
  #head: ResponseHead | null = null
  #decoder: BodyDecoder | null = null

  /** @param fresh do not use a pooled connection */
  constructor(
    peer: Peer,
    request: AttemptRequest,
    owner: AttemptOwner,
    pool: UpstreamPool,
    now: () => number,
    fresh: boolean
  ) {
    this.peer = peer
    this.#request = request
    this.#owner = owner
    this.#pool = pool
    this.#now = now
    this.startedAt = now()
    this.endedAt = this.startedAt
    const idle = fresh ? null : pool.take(peer, this, this.startedAt)
    this.isReused = idle !== null
    this.#connection =
      idle ?? pool.open(peer, peer.addresses.next(this.startedAt), this, this.startedAt)
    this.#bytesSent = this.#connection.bytesSent
    this.#bytesReceived = this.#connection.bytesReceived
  }

  get peerIndex(): number {
    return this.peer.index
  }

  /** What was handed to its connection; the peer may not have taken all of it. */
  get bytesSent(): number {
    return this.#isOver ? this.#bytesSent : this.#connection.bytesSent - this.#bytesSent
  }

  get bytesReceived(): number {
    return this.#isOver ? this.#bytesReceived : this.#connection.bytesReceived - this.#bytesReceived
  }

  /** The address of the peer that it goes to. */
  get target(): Target {
    return this.#connection.target
  }

  /** `host:port`, for the logs. */
  get address(): string {
    return this.#connection.target.address
  }

  /** Sends the request, now or as soon as the connection is there. */
  start(): void {
    if (this.isReused) this.#send()
    else this.#connection.deadline = this.startedAt + this.#request.timeouts.connectTimeoutMs
  }

  /** More of the request body has come, or its end. */
  onBodyArrived(): void {
    if (this.isRequestSent && !this.#isOver) this.#pump()
  }

  /** The client takes more of the response. */
  resume(): void {
    if (!this.#isPaused || this.#isOver) return
    this.#isPaused = false
    this.#connection.deadline = this.#now() + this.#request.timeouts.readTimeoutMs
    this.#connection.resume()
  }

  /**
   * Gives the connection to who goes on with it after `onSwitch`. The attempt lasts until `close`, and
   * the connection never goes back to the pool.
   */
  handOver(user: ConnectionUser): UpstreamConnection {
    this.#connection.user = user
    return this.#connection
  }

  /** Gives up: the connection is closed and the owner hears nothing more. */
  close(): void {
    if (this.#isOver) return
    this.#finish()
    this.#connection.destroy()
  }

  /**
   * What the peer has owed since when, without having said a byte: null once it has, and while it
   * rightly waits for the rest of the request.
   */
  get silence(): { readonly awaited: Awaited; readonly since: number } | null {
    if (!this.isRequestSent) return { awaited: 'connection', since: this.startedAt }
    if (this.firstByteAt >= 0 || this.#askedAt === null) return null
    return { awaited: 'answer', since: this.#askedAt }
  }

  onConnected(): void {
    this.peer.connected(this.#now())
    this.target.avoidedUntil = -Infinity
    this.#send()
  }

  onDrain(): void {
    this.#isStuck = false
    if (!this.#isOver) this.#pump()
  }

  onData(buffer: Buffer, length: number): void {
    if (this.firstByteAt < 0) {
      this.firstByteAt = this.#now()
      this.peer.answered(this.firstByteAt)
    }
    if (this.#head !== null) {
      this.#readBody(buffer, 0, length)
      return
    }
    const bodyStart = this.#readHead(buffer, length)
    if (bodyStart >= 0) this.#begin(buffer, bodyStart, length)
  }

  onEnd(): void {
    if (this.#head?.framing === 'close') this.#complete(false)
    else this.#fail('closed', `upstream prematurely closed connection ${this.#where()}`)
  }

  onFailed(error: Error): void {
    if (!this.isRequestSent) {
      const message = `connect() failed (${errnoText(error)}) while connecting to upstream`
      this.#fail(isLack(error) ? 'local' : 'connect', message)
    } else {
      this.#fail('reset', `recv() failed (${errnoText(error)}) ${this.#where()}`)
    }
  }

  onDeadline(now: number): void {
    if (this.#isRequestComplete && !this.#connection.isBlocked && this.#isSendArmed) {
      // The last write left without a drain event; from here on the upstream server is awaited.
      this.#askedAt ??= now
      this.#isSendArmed = false
      this.#connection.deadline = now + this.#request.timeouts.readTimeoutMs
      return
    }
    this.#fail('timeout', `upstream timed out (110: Connection timed out) ${this.#where()}`)
  }

  #isSendArmed = false

  #send(): void {
    this.isRequestSent = true
    this.#connection.requests++
    this.#connection.write(this.#request.headText)
    this.#pump()
  }

  /** Sends what there is of the body, and sets the deadline that belongs to what is awaited now. */
  #pump(): void {
    const { body, isChunked, timeouts } = this.#request
    const connection = this.#connection
    if (body.hasNext && !this.#isStuck) {
      connection.cork()
      for (let chunk = body.next(); chunk !== null; chunk = this.#isStuck ? null : body.next()) {
        this.#isStuck = !(isChunked ? this.#writeChunk(chunk) : connection.write(chunk))
      }
      connection.uncork()
    }
    if (!this.#isStuck) body.settle()
    if (body.isSent && !this.#isRequestComplete) {
      this.#isRequestComplete = true
      if (isChunked) connection.write(LAST_CHUNK)
    }
    if (this.#isRequestComplete && !connection.isBlocked) {
      const now = this.#now()
      this.#askedAt ??= now
      this.#isSendArmed = false
      if (!this.#isPaused) connection.deadline = now + timeouts.readTimeoutMs
    } else if (connection.isBlocked) {
      this.#isSendArmed = true
      connection.deadline = this.#now() + timeouts.sendTimeoutMs
    } else {
      // The client or the disk is awaited; their own timeouts watch over that.
      connection.deadline = Infinity
    }
    if (!body.isComplete) this.#owner.onBodyWanted(!this.#isStuck)
  }

  #writeChunk(chunk: Buffer): boolean {
    this.#connection.write(chunkSizeLine(chunk.length))
    this.#connection.write(chunk)
    return this.#connection.write('\r\n')
  }

  /** Returns the index where the body starts, or -1 if the head is incomplete or bad. */
  #readHead(buffer: Buffer, length: number): number {
    let seen = Math.min(length, FIRST_LOOK)
    let text = this.#text + buffer.toString('latin1', 0, seen)
    let base = -this.#text.length
    const { method, acceptBareLf } = this.#request
    for (;;) {
      const end = acceptBareLf ? findLenientHeadEnd(text, 0) : findHeadEnd(text, 0)
      if (end < 0 && seen < length) {
        text += buffer.toString('latin1', seen, length)
        seen = length
        continue
      }
      if (end < 0) {
        this.#keepPartialHead(text)
        return -1
      }
      const head = text.slice(0, end)
      const parsed =
        end > MAX_HEAD
          ? TOO_BIG_HEAD
          : parseResponseHead(acceptBareLf ? withCrlf(head) : head, method)
      if (parsed.kind === 'bad-response') {
        this.#fail('invalid', `upstream sent ${parsed.reason} ${this.#where()}`)
        return -1
      }
      base += end
      if (parsed.status >= 200) {
        this.#head = parsed
        return base
      }
      if (parsed.status === 101) {
        this.#switch(parsed, buffer.subarray(base, length))
        return -1
      }
      if (++this.#interims > MAX_INTERIM) {
        this.#fail('invalid', `upstream sent unexpected status ${parsed.status}`)
        return -1
      }
      text = text.slice(end)
    }
  }

  /** HTTP is over on this connection: rightly only if the request asked for the new protocol. */
  #switch(head: ResponseHead, early: Buffer): void {
    const asked = this.#request.upgrade
    const protocol = asked === null ? null : grantedProtocol(head, asked)
    if (protocol === null) {
      const what = asked === null ? '' : ' without a protocol that was asked for'
      this.#fail('invalid', `upstream sent unexpected status 101${what}`)
      return
    }
    this.answerStatus = 101
    this.#owner.onSwitch(this, head, protocol, early)
  }

  #keepPartialHead(text: string): void {
    const settled = text.endsWith('\r') ? text.slice(0, -1) : text
    const begin = text.slice(0, STATUS_LINE_BEGIN.length)
    const isBroken = hasForbidden(settled, 0, this.#request.acceptBareLf)
    if (!STATUS_LINE_BEGIN.startsWith(begin) || isBroken) {
      this.#fail('invalid', `upstream sent no valid HTTP/1.x header ${this.#where()}`)
    } else if (text.length > MAX_HEAD) {
      this.#fail('invalid', `upstream sent ${TOO_BIG_HEAD.reason} ${this.#where()}`)
    } else {
      this.#text = text
      this.#connection.deadline = this.#now() + this.#request.timeouts.readTimeoutMs
    }
  }

  /** The head is there. What came with it is looked at before anything is promised to the client. */
  #begin(buffer: Buffer, from: number, to: number): void {
    const head = this.#head
    if (head === null) return
    // Most responses come whole.
    if (to - from === head.contentLength && head.framing === 'length') {
      this.answerStatus = head.status
      const isWanted = this.#owner.onResponseHead(this, head)
      if (isWanted) this.#deliver(from < to ? [buffer.subarray(from, to)] : NO_PIECES, true)
      return
    }
    const decoder = new BodyDecoder(head.framing, head.contentLength)
    const pieces: Buffer[] = []
    const at = decoder.decode(buffer, from, to, pieces)
    if (at < to) {
      this.#head = null
      this.#failFraming(at)
      return
    }
    this.#decoder = decoder
    this.answerStatus = head.status
    if (this.#owner.onResponseHead(this, head)) this.#deliver(pieces, decoder.done)
  }

  #readBody(buffer: Buffer, from: number, to: number): void {
    const decoder = this.#decoder
    if (decoder === null) return
    const pieces: Buffer[] = []
    const at = decoder.decode(buffer, from, to, pieces)
    // What came together is judged together: the client is not given the end of such a response.
    if (at < to) this.#failFraming(at)
    else this.#deliver(pieces, decoder.done)
  }

  /** @param at what `decode` has returned */
  #failFraming(at: number): void {
    const what = at < 0 ? 'invalid chunked response' : 'more data than its header declares'
    this.#fail('invalid', `upstream sent ${what} ${this.#where()}`)
  }

  #deliver(pieces: readonly Buffer[], isDone: boolean): void {
    const mayGoOn = this.#owner.onResponseBody(pieces)
    if (this.#isOver) return
    if (isDone) {
      this.#complete(this.#head?.keepAlive ?? false)
    } else if (!mayGoOn) {
      this.#isPaused = true
      this.#connection.deadline = Infinity
      this.#connection.pause()
    } else if (this.#isRequestComplete) {
      this.#connection.deadline = this.#now() + this.#request.timeouts.readTimeoutMs
    }
  }

  #complete(mayReuse: boolean): void {
    this.#finish()
    if (mayReuse && this.#isRequestComplete) {
      const field = this.#head?.keepAliveField ?? null
      this.#pool.release(this.#connection, field, this.endedAt)
    } else {
      this.#connection.destroy()
    }
    this.#owner.onResponseEnd()
  }

  #fail(failure: Failure, message: string): void {
    if (this.#isOver) return
    const kind = KINDS[failure]
    const isStale = kind === 'error' && this.isReused && this.firstByteAt < 0
    this.#finish()
    this.#connection.destroy()
    if (this.#head === null) {
      this.failure = failure
      this.answerStatus = kind === 'timeout' ? 504 : 502
    }
    this.#owner.onFailure(this, { kind, message, isStale, isOurs: failure === 'local' })
  }

  #finish(): void {
    const { bytesSent, bytesReceived } = this
    this.#bytesSent = bytesSent
    this.#bytesReceived = bytesReceived
    this.#isOver = true
    this.endedAt = this.#now()
  }

  /** What was going on, in nginx's words. */
  #where(): string {
    if (!this.isRequestSent) return 'while connecting to upstream'
    if (this.#head !== null) return 'while reading upstream'
    if (this.#isRequestComplete && !this.#isSendArmed) {
      return 'while reading response header from upstream'
    }
    return 'while sending request to upstream'
  }
}

/** What a failure is to `proxy_next_upstream`. */
const KINDS: Readonly<Record<Failure, AttemptFailure['kind']>> = {
  connect: 'error',
  local: 'error',
  reset: 'error',
  closed: 'error',
  timeout: 'timeout',
  invalid: 'invalid_header'
}

const NO_PIECES: readonly Buffer[] = []
const STATUS_LINE_BEGIN = 'HTTP/1.'
const TOO_BIG_HEAD = { kind: 'bad-response', reason: 'too big header' } as const
