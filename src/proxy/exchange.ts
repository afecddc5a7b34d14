import type { BodyFiles } from './body/body-files.js'
import { NO_BODY } from './body/request-source.js'
import { Upload, type UploadOwner } from './body/upload.js'
import type { Client, RequestHandler, ResponseBody } from './downstream/client.js'
import type { ErrorLog } from './error-log.js'
import { hasOtherAddress, mayGoOn, type RequestState } from './going-on.js'
import { declaredLength, requestHeadText, responseFields } from './headers.js'
import type { RequestHead, ResponseHead } from './http1/head.js'
import type { ErrorLogLevel, VirtualServer } from './model.js'
import { answerOurselves } from './own-answer.js'
import { normalisePath } from './route.js'
import type { AccessLogger, CompiledRoute, Site } from './site.js'
import { Tunnel } from './tunnel.js'
import { askedProtocols } from './upgrade.js'
import { Admission, type Applicant } from './upstream/admission.js'
import {
  Attempt,
  type AttemptFailure,
  type AttemptOwner,
  type AttemptRequest
} from './upstream/attempt.js'
import { conditionOfStatus, countsAgainstPeer, isIdempotent } from './upstream/next-upstream.js'
import type { Peer } from './upstream/peer.js'
import type { UpstreamPool } from './upstream/pool.js'
import type { Transaction } from './variables.js'

/** What an exchange needs from the engine. */
export interface ExchangeHost {
  readonly now: () => number
  readonly errorLog: ErrorLog
  readonly pool: UpstreamPool
  readonly bodyFiles: BodyFiles
  /** Whether the value of X-Tsha-Check is the director's token. */
  isCheck(value: string): boolean
  /** Makes room for one more connection; false if there is none. */
  admitUpstream(): boolean
  /** There was no descriptor for a connection. Returns whether one was freed, if that was asked for. */
  lacksDescriptor(mayFree: boolean): boolean
}

/** One request's life: route, body, get a peer, attempt, then respond, try another or give up. */
export class Exchange implements RequestHandler, AttemptOwner, UploadOwner, Applicant {
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
  /** Null if it has no body. */
  readonly #upload: Upload | null
  #request: AttemptRequest | null = null
  #attempt: Attempt | null = null
  #admission: Admission | null = null
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
    this.#upload = hasBody(head) ? new Upload(client, host.bodyFiles, this) : null
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
    if (this.#upload === null) this.onUploadReady()
    else this.#upload.begin(route.config, head)
  }

  onUploadReady(): void {
    const { route } = this
    if (route === null) return
    const head = this.#head
    const body = this.#upload?.body
    const isWhole = body?.isComplete === true && route.config.requestBuffering
    const wholeLength = isWhole ? body.received : null
    if (body?.isSpooled === true) {
      this.#log('warn', 'a client request body is buffered to a temporary file')
    }
    this.#startedAt = this.#host.now()
    const upgrade = route.config.tunnelTimeoutMs === null ? null : askedProtocols(head)
    this.#request = {
      method: head.method,
      headText: requestHeadText(route.plan, head, this.#transaction, wholeLength, upgrade),
      upgrade,
      isChunked: head.framing === 'chunked' && wholeLength === null,
      acceptBareLf: route.group.acceptBareLf,
      body: body ?? NO_BODY,
      timeouts: route.config
    }
    this.#admission = new Admission(route.group, this.#transaction, this)
    this.#admission.next()
  }

  onPeer(peer: Peer): void {
    this.#try(peer, false)
  }

  onNoPeer(reason: string, since: number): void {
    const address = this.route?.group.name ?? ''
    const endedAt = this.#host.now()
    this.#transaction.attempts.push({ ...NO_ATTEMPT, address, startedAt: since, endedAt })
    this.#log('error', reason, address)
    this.#answer(502)
  }

  onNotice(message: string): void {
    this.#log('error', message, this.route?.group.name)
  }

  #try(peer: Peer, fresh: boolean): void {
    if (this.#request === null) return
    if (!this.#host.admitUpstream()) {
      this.#log('crit', 'worker_connections are not enough while connecting to upstream')
      this.#answer(500)
      return
    }
    this.#upload?.rewind()
    const { pool } = this.#host
    const attempt = new Attempt(peer, this.#request, this, pool, this.#host.now, fresh)
    this.#attempt = attempt
    this.#transaction.attempts.push(attempt)
    attempt.start()
  }

  onFailure(attempt: Attempt, failure: AttemptFailure): void {
    const { route } = this
    const admission = this.#admission
    this.#attempt = null
    if (this.#isOver || route === null || admission === null) return
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
    const state = this.#state(route, admission)
    const isSafe = isIdempotent(state.method) && state.isReplayable
    if ((failure.isStale && isSafe) || hasOtherAddress(attempt, failure.kind, state)) {
      this.#try(attempt.peer, true)
      return
    }
    admission.settleLastResort()
    const movesOn = mayGoOn(attempt, failure.kind, state)
    if (countsAgainstPeer(failure.kind, movesOn)) this.#fail(attempt)
    if (movesOn) admission.next()
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
    const admission = this.#admission
    if (route === null || admission === null) return false
    const kind = conditionOfStatus(head.status)
    admission.settleLastResort()
    if (kind !== null && mayGoOn(attempt, kind, this.#state(route, admission))) {
      if (countsAgainstPeer(kind, true)) this.#fail(attempt)
      attempt.close()
      admission.next()
      return false
    }
    const isBad = kind !== null && route.conditions.has(kind) && countsAgainstPeer(kind, true)
    if (!isBad) route.group.succeeded(attempt.peer, attempt.startedAt, this.#host.now())
    this.#isResponding = true
    this.#upload?.body.forget()
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

  /** The request is over for HTTP; the tunnel, and with it the line in the log, may last for days. */
  onSwitch(attempt: Attempt, head: ResponseHead, protocol: string, early: Buffer): void {
    const { now } = this.#host
    const timeoutMs = this.route?.config.tunnelTimeoutMs ?? 0
    this.route?.group.succeeded(attempt.peer, attempt.startedAt, now())
    const admission = this.#admission
    admission?.settleLastResort()
    // The peer is held until the tunnel is over.
    this.#admission = null
    this.#attempt = null
    this.#end()
    const fields = responseFields(head, this.#transaction)
    const tunnel = new Tunnel(
      attempt,
      (user) => this.#client.openTunnel(head.phrase, protocol, fields, user),
      {
        timeoutMs,
        now,
        log: (level, message) => {
          this.#log(level, message, attempt.address)
        },
        onOver: () => admission?.leave()
      }
    )
    tunnel.start(early)
  }

  onBodyWanted(isWanted: boolean): void {
    this.#upload?.want(isWanted)
  }

  onBody(bytes: Buffer): void {
    this.#upload?.push(bytes)
  }

  onBodyEnd(): void {
    this.#upload?.end()
  }

  onUploadMore(): void {
    this.#attempt?.onBodyArrived()
  }

  onUploadTooLarge(bytes: number): void {
    this.#log('error', `client intended to send too large body: ${bytes} bytes`)
    this.#giveUp(413)
  }

  onUploadLost(): void {
    this.#giveUp(500)
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

  #state(route: CompiledRoute, admission: Admission): RequestState {
    return {
      route,
      admission,
      method: this.#head.method,
      isReplayable: this.#request?.body.isReplayable ?? false,
      startedAt: this.#startedAt,
      now: this.#host.now(),
      attempts: this.#transaction.attempts.length
    }
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
    answerOurselves(this.#client, this.#head.method, status)
  }

  /** Lets go of the attempt and the body. */
  #end(): void {
    this.#isOver = true
    this.#attempt?.close()
    this.#attempt = null
    this.#upload?.release()
    this.#admission?.leave()
  }

  #log(level: ErrorLogLevel, message: string, upstream?: string): void {
    const transaction = this.#transaction
    const context = upstream === undefined ? { transaction } : { transaction, upstream }
    this.#host.errorLog.write(level, message, context)
  }
}

/** What the log has in the place of an attempt where no peer was left. */
const NO_ATTEMPT = {
  peerIndex: -1,
  answerStatus: 502,
  failure: null,
  firstByteAt: -1,
  bytesSent: 0,
  bytesReceived: 0
}

/** A length of 0 is no body, an empty chunked one is. */
function hasBody({ framing, contentLength }: RequestHead): boolean {
  return framing === 'length' ? contentLength > 0 : framing !== 'none'
}
