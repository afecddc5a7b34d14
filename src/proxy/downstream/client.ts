import type { FlatFields } from '../headers.js'
import type { RequestHead } from '../http1/head.js'
import type { IdleEntry } from '../idle-list.js'
import type { VirtualServer } from '../model.js'
import type { ClientFacts, Transaction } from '../variables.js'

/**
 * The seam between the protocols that clients speak and the life of a request: one file per protocol
 * implements `Client`; an exchange is its `RequestHandler`.
 */

/** How the body of a response is delimited: none, so many bytes, or only its end tells. */
export type ResponseBody = 'none' | number | 'unknown'

/** The client's side of one request: a sink for the response and a tap for the request body. */
export interface Client {
  readonly facts: ClientFacts
  /** Asks for the request body (100 Continue). */
  sendContinue(): void
  /** Makes this the last request of its connection; to be called before `start`. */
  closeAfterwards(): void
  /** Begins the response; nothing may leave before `flush` or `end`. */
  start(status: number, phrase: string, fields: FlatFields, body: ResponseBody): void
  /** Adds bytes of the body, which are only valid during the call. */
  write(bytes: Buffer): void
  /** Sends what was collected; false asks to stop until `RequestHandler.onClientReady`. */
  flush(): boolean
  /** Ends the response and the request with it. */
  end(): void
  /** The response cannot be completed: ends the request so that the client notices. */
  abort(): void
  /** Turns the flow of the request body off and on. */
  wantBody(isWanted: boolean): void
  /**
   * Grants the client's wish for another protocol, instead of `start`. From now on `user` hears the
   * client, not before this call is over, and the request lasts until the tunnel is closed.
   */
  openTunnel(phrase: string, protocol: string, fields: FlatFields, user: TunnelUser): ClientTunnel
}

/** The client's side of a tunnel: bytes in two directions, each with an end of its own. */
export interface ClientTunnel {
  /** What the client has sent behind its request already; bounded. */
  readonly early: Buffer | null
  /** Sends bytes, which are only valid during the call; false asks to stop until `onClientReady`. */
  write(bytes: Buffer): boolean
  /** Turns the flow from the client off and on. */
  want(isWanted: boolean): void
  /** Nothing more is sent; the client may go on. */
  end(): void
  /** Closes after what was written, and ends the request. */
  close(): void
  /** Closes at once and so that the client notices, and ends the request. */
  abort(): void
}

/** What the client's side tells a tunnel. */
export interface TunnelUser {
  /** The bytes are the user's own. */
  onClientData(bytes: Buffer): void
  /** The client takes more. */
  onClientReady(): void
  /** The client sends no more; it may still listen. */
  onClientEnd(): void
  /** The client's side is closed. */
  onClientGone(): void
}

/** What a client connection tells the life of its request. */
export interface RequestHandler {
  /** Whose timeouts and keep-alive rules hold for the request. */
  readonly server: VirtualServer
  /** Called once, after the part of the body that came with the head was given. */
  start(): void
  onBody(bytes: Buffer): void
  onBodyEnd(): void
  /** The body is malformed (400) or did not come in time (408). */
  onBodyFailed(status: 400 | 408, reason: string): void
  /** The client takes more of the response. */
  onClientReady(): void
  /** The client is gone; nothing can be sent any more. */
  onClientGone(): void
}

/** A connection of a client, as its engine keeps it. */
export interface ClientConnection extends Client, IdleEntry<ClientConnection> {
  /** When `onDeadline` is due, monotonic milliseconds; Infinity is never. */
  readonly deadline: number
  onDeadline(now: number): void
  /**
   * Whether it may be closed for another's sake while it is idle: not one that was accepted a moment
   * ago, whose first request may be on its way.
   */
  isSpare(now: number): boolean
  /**
   * The worker ends. A connection that waits for a request is closed when it has been silent for the
   * host's `drainSilenceMs`; one with a request closes after its response.
   */
  drain(): void
  /** Closes at once. */
  destroy(): void
}

/** What a client connection needs from the engine that accepted it. */
export interface ClientHost {
  /** Milliseconds of the monotonic clock. */
  now(): number
  /** The Date field's value for now. */
  date(): string
  /** Whether connections are to be closed after their response. */
  readonly isDraining: boolean
  /** While draining: how long an idle connection must have been silent before it is closed. */
  readonly drainSilenceMs: number
  /** Begins the life of a request. */
  open(client: Client, transaction: Transaction, head: RequestHead): RequestHandler
  /** The request is over: counts and logs it. */
  settle(transaction: Transaction, handler: RequestHandler | null, client: Client): void
  /** A client did something that an operator may want to know. */
  report(message: string, transaction: Transaction | null, client: Client): void
  /** Whether the connection waits for a request, so that it may be closed for another's sake. */
  setIdle(client: ClientConnection, isIdle: boolean): void
  /** The connection is closed; nothing follows. */
  gone(client: ClientConnection): void
}
