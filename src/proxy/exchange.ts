import type { Client, RequestHandler, ResponseBody } from './downstream/client.js'
import type { ErrorLog } from './error-log.js'
import { declaredLength, requestHeadText, responseFields } from './headers.js'
import type { RequestHead, ResponseHead } from './http1/head.js'
import { errorPage, phraseOf } from './http1/write.js'
import type { ErrorLogLevel, VirtualServer } from './model.js'
import { RequestBody, type BodyBudget } from './request-body.js'
import { normalisePath } from './route.js'
import type { AccessLogger, CompiledRoute, Site } from './site.js'
import {
  Attempt,
  type AttemptFailure,
  type AttemptOwner,
  type AttemptRequest
} from './upstream/attempt.js'
import {
  conditionOfStatus,
  countsAgainstPeer,
  isIdempotent,
  mayTryNext,
  type FailureKind
} from './upstream/next-upstream.js'
import type { Peer } from './upstream/peer.js'
import type { UpstreamPool } from './upstream/pool.js'
import type { Transaction } from './variables.js'

/** What an exchange needs from the engine. */
export interface ExchangeHost {
  readonly now: () => number
  readonly errorLog: ErrorLog
  readonly pool: UpstreamPool
  readonly bodyBudget: BodyBudget
  /** Whether the value of X-Tsha-Check is the director's token. */
  isCheck(value: string): boolean
  /** Makes room for one more connection; false if there is none. */
  admitUpstream(): boolean
  /** There was no descriptor for a connection. Returns whether one was freed, if that was asked for. */
  lacksDescriptor(mayFree: boolean): boolean
}

/** Own answers after which a connection is not used again. */
const REFUSALS: ReadonlySet<number> = new Set([400, 405, 408, 413])

/** One request's life: route, pick a peer, attempt, then respond, try the next one or give up. */
export class Exchange implements RequestHandler, AttemptOwner {
  readonly server: VirtualServer
  /** Null until a route was found. */
  route: CompiledRoute | null = null
  /** The director's own question: not a request of any user. */
  isCheck = false
  readonly #client: Client
  readonly #host: ExchangeHost
  readonly #site: Site
  readonly #head: RequestHead
  readonly #transaction: Transaction
  readonly #body: RequestBody
  readonly #tried: Peer[] = []
  #request: AttemptRequest | null = null
  #attempt: Attempt | null = null
  #lastResortPeer: Peer | null = null
  #startedAt = 0
  #hasMadeRoom = false
  #isResponding = false
  #isOver = false

  constructor(
    client: Client,
    transaction: Transaction,
    head: RequestHead,
    site: Site,
    host: ExchangeHost
  ) {
    this.#client = client
    this.#transaction = transaction
    this.#head = head
    this.#site = site
    this.#host = host
    this.#body = new RequestBody(host.bodyBudget)
    this.server = site.config
    transaction.serverName = site.name
    if (transaction.host === '') transaction.host = site.name
  }

  /** The access logs that this request belongs in. */
  get loggers(): readonly AccessLogger[] {
    return this.route?.loggers ?? this.#site.loggers
  }

  start(): void {
    const head = this.#head
    if (this.#isOver) return
    if (head.check !== null && this.#host.isCheck(head.check)) {
      this.isCheck = true
      this.#answer(204)
      return
    }
    if (head.method === 'CONNECT' || head.method === 'TRACE') {
      this.#answer(405)
      return
    }
    const path = normalisePath(head.target)
    if (path === null) {
      this.#answer(400)
      return
    }
    this.#transaction.path = path
    const route = this.#site.routes.find(path)
    if (route === null) {
      this.#answer(404)
      return
    }
    this.route = route
    this.#transaction.proxyHost = route.group.name
    if (this.#isTooLarge(Math.max(head.contentLength, this.#body.received))) return
    if (head.expectsContinue && !this.#body.isComplete && this.#body.received === 0) {
      this.#client.sendContinue()
    }
    this.#startedAt = this.#host.now()
    this.#request = {
      method: head.method,
      headText: requestHeadText(route.plan, head, this.#transaction),
      isChunked: head.framing === 'chunked',
      body: this.#body,
      timeouts: route.config
    }
    this.#tryNext(route)
  }

  #tryNext(route: CompiledRoute): void {
    const peer = route.group.pick(this.#tried, this.#host.now()) ?? this.#lastResort(route)
    if (peer === null) {
      const now = this.#host.now()
      const { name } = route.group
      this.#transaction.attempts.push({
        address: name,
        answerStatus: 502,
        startedAt: now,
        endedAt: now
      })
      this.#log('error', 'no live upstreams while connecting to upstream', name)
      this.#answer(502)
      return
    }
    this.#tried.push(peer)
    this.#try(peer, false)
  }

  /** Every peer is disabled: rather than refuse at once the least bad is tried, by one at a time. */
  #lastResort(route: CompiledRoute): Peer | null {
    if (this.#tried.length > 0) return null
    this.#lastResortPeer = route.group.pickLastResort(this.#host.now())
    return this.#lastResortPeer
  }

  /** The last resort has answered or failed: another request may try it. */
  #settleLastResort(): void {
    if (this.#lastResortPeer !== null) this.#lastResortPeer.isLastResort = false
    this.#lastResortPeer = null
  }

  #try(peer: Peer, fresh: boolean): void {
    if (this.#request === null) return
    if (!this.#host.admitUpstream()) {
      this.#log('crit', 'worker_connections are not enough while connecting to upstream')
      this.#answer(500)
      return
    }
    this.#body.rewind()
    const { pool } = this.#host
    const attempt = new Attempt(peer, this.#request, this, pool, this.#host.now, fresh)
    this.#attempt = attempt
    this.#transaction.attempts.push(attempt)
    attempt.start()
  }

  onFailure(attempt: Attempt, failure: AttemptFailure): void {
    const { route } = this
    this.#attempt = null
    if (this.#isOver || route === null) return
    if (failure.isOurs) {
      this.#goOnWithout(attempt)
      return
    }
    this.#log('error', failure.message, attempt.address)
    if (this.#isResponding) {
      // A head was promised: the client must see that the rest is missing.
      this.#fail(attempt)
      this.#end()
      this.#client.abort()
      return
    }
    const isSafe = isIdempotent(this.#head.method) && this.#body.isReplayable
    if (failure.isStale && isSafe) {
      this.#try(attempt.peer, true)
      return
    }
    if (this.#hasOtherAddress(attempt, failure.kind)) {
      this.#try(attempt.peer, true)
      return
    }
    this.#settleLastResort()
    const movesOn = this.#mayTryNext(attempt, failure.kind)
    this.#count(attempt, failure.kind, movesOn)
    if (movesOn) this.#tryNext(route)
    else this.#answer(failure.kind === 'timeout' ? 504 : 502)
  }

  /** No descriptor was left for a connection: once for each request another one is closed for it. */
  #goOnWithout({ peer }: Attempt): void {
    if (this.#host.lacksDescriptor(!this.#hasMadeRoom)) {
      this.#hasMadeRoom = true
      this.#try(peer, true)
    } else this.#answer(503)
  }

  onResponseHead(attempt: Attempt, head: ResponseHead): boolean {
    const { route } = this
    if (route === null) return false
    const kind = conditionOfStatus(head.status)
    this.#settleLastResort()
    if (kind !== null && this.#mayTryNext(attempt, kind)) {
      this.#count(attempt, kind, true)
      attempt.close()
      this.#tryNext(route)
      return false
    }
    const isBad = kind !== null && route.conditions.has(kind) && countsAgainstPeer(kind, true)
    if (!isBad) route.group.succeeded(attempt.peer, attempt.startedAt, this.#host.now())
    this.#isResponding = true
    const fields = responseFields(head, this.#transaction)
    this.#client.start(head.status, head.phrase, fields, this.#responseBody(head, fields))
    return true
  }

  onResponseBody(pieces: readonly Buffer[]): boolean {
    for (const piece of pieces) this.#client.write(piece)
    return this.#client.flush()
  }

  onResponseEnd(): void {
    this.#attempt = null
    this.#end()
    this.#client.end()
  }

  onBodyWanted(isWanted: boolean): void {
    if (!this.#isOver) this.#client.wantBody(isWanted && !this.#body.isFull)
  }

  onBody(bytes: Buffer): void {
    if (this.#isOver) return
    this.#body.push(bytes)
    if (this.#request === null) return
    if (this.#isTooLarge(this.#body.received)) return
    this.#attempt?.onBodyArrived()
    if (this.#attempt !== null && this.#body.isFull) this.#client.wantBody(false)
  }

  onBodyEnd(): void {
    this.#body.isComplete = true
    this.#attempt?.onBodyArrived()
  }

  onBodyFailed(status: 400 | 408, reason: string): void {
    this.#log('info', `${reason} while reading client request body`)
    this.#giveUp(status)
  }

  onClientReady(): void {
    this.#attempt?.resume()
  }

  onClientGone(): void {
    this.#log('info', 'client prematurely closed connection')
    if (this.#attempt !== null) this.#abandon(this.#attempt)
    this.#end()
  }

  /** Whether the peer, whose name has several addresses, may be tried at another one of them. */
  #hasOtherAddress({ peer, target, isRequestSent }: Attempt, kind: FailureKind): boolean {
    if (isRequestSent || this.route?.conditions.has(kind) !== true) return false
    const now = this.#host.now()
    const { nextUpstreamTries, nextUpstreamTimeoutMs } = this.route.config
    const attempts = this.#transaction.attempts.length
    if (nextUpstreamTries > 0 && attempts >= nextUpstreamTries) return false
    if (nextUpstreamTimeoutMs > 0 && now - this.#startedAt >= nextUpstreamTimeoutMs) return false
    return peer.addresses.avoid(target, now + peer.server.failTimeoutMs, now)
  }

  #mayTryNext(attempt: Attempt, kind: FailureKind): boolean {
    const { route } = this
    if (route === null) return false
    const now = this.#host.now()
    return mayTryNext({
      kind,
      method: this.#head.method,
      requestSent: attempt.isRequestSent,
      isReplayable: this.#body.isReplayable,
      hasAnotherPeer: route.group.hasUsable(this.#tried, now),
      attempts: this.#tried.length,
      maxAttempts: route.config.nextUpstreamTries,
      elapsedMs: now - this.#startedAt,
      timeoutMs: route.config.nextUpstreamTimeoutMs,
      conditions: route.conditions
    })
  }

  #count(attempt: Attempt, kind: FailureKind, movesOn: boolean): void {
    if (countsAgainstPeer(kind, movesOn)) this.#fail(attempt)
  }

  #fail(attempt: Attempt): void {
    const cause = attempt.isRequestSent ? 'answer' : 'connect'
    const isOut = this.route?.group.failed(attempt.peer, cause, this.#host.now())
    if (isOut === true) this.#logDisabled(attempt)
  }

  /** The client left while the peer owed something. */
  #abandon(attempt: Attempt): void {
    const { silence } = attempt
    if (silence === null) return
    const now = this.#host.now()
    const isOut = this.route?.group.abandoned(attempt.peer, silence.awaited, silence.since, now)
    if (isOut === true) this.#logDisabled(attempt)
  }

  #logDisabled(attempt: Attempt): void {
    this.#log('warn', 'upstream server temporarily disabled', attempt.address)
  }

  /** How the body goes on; a length that a response without a body declares is kept as a field. */
  #responseBody(head: ResponseHead, fields: string[]): ResponseBody {
    if (head.framing === 'length') return head.contentLength
    if (head.framing !== 'none') return 'unknown'
    const declared = head.status === 204 ? null : declaredLength(head)
    if (declared !== null) fields.push('Content-Length', declared)
    return 'none'
  }

  /** Refuses a body beyond the route's bound; a body whose end is unknown is counted as it comes. */
  #isTooLarge(size: number): boolean {
    const limit = this.route?.config.maxBodySize ?? 0
    if (limit === 0 || size <= limit) return false
    this.#log('error', `client intended to send too large body: ${size} bytes`)
    this.#giveUp(413)
    return true
  }

  /** Answers if nothing was promised yet, else cuts the response. */
  #giveUp(status: number): void {
    if (!this.#isResponding) {
      this.#answer(status)
      return
    }
    this.#end()
    this.#client.abort()
  }

  /** An answer of our own. */
  #answer(status: number): void {
    this.#end()
    this.#isResponding = true
    // What is refused may not mean what it seems: nothing behind it is believed either.
    if (REFUSALS.has(status)) this.#client.closeAfterwards()
    if (status === 204) {
      this.#client.start(status, phraseOf(status), [], 'none')
    } else {
      const page = Buffer.from(errorPage(status), 'latin1')
      const fields = ['Content-Type', 'text/html']
      if (status === 405) fields.push('Allow', 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS')
      this.#client.start(status, phraseOf(status), fields, page.length)
      if (this.#head.method !== 'HEAD') this.#client.write(page)
    }
    this.#client.end()
  }

  /** Lets go of the attempt and the body. */
  #end(): void {
    this.#isOver = true
    this.#settleLastResort()
    this.#attempt?.close()
    this.#attempt = null
    this.#body.release()
  }

  #log(level: ErrorLogLevel, message: string, upstream?: string): void {
    const transaction = this.#transaction
    const context = upstream === undefined ? { transaction } : { transaction, upstream }
    this.#host.errorLog.write(level, message, context)
  }
}
