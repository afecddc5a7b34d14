import type { ClientTunnel, TunnelUser } from './downstream/client.js'
import { errnoText } from './error-log.js'
import type { ErrorLogLevel } from './model.js'
import type { Attempt } from './upstream/attempt.js'
import type { ConnectionUser, UpstreamConnection } from './upstream/connection.js'

/** What a tunnel needs from the life of its request. */
export interface TunnelContext {
  /** Without a byte in either direction for so long, both sides are closed. */
  readonly timeoutMs: number
  readonly now: () => number
  readonly log: (level: ErrorLogLevel, message: string) => void
  /** Called when it is over, perhaps more than once. */
  readonly onOver: () => void
}

/** nginx's word for what goes on. */
const WHERE = 'while proxying upgraded connection'

/**
 * The two connections of a request that has left HTTP (101), joined: bytes go both ways as they come,
 * one side is read only as fast as the other one takes it, and the end of one direction is passed on
 * alone. Nothing that happens here counts against the peer: nobody but the two knows what was meant.
 */
export class Tunnel implements TunnelUser, ConnectionUser {
  readonly #attempt: Attempt
  readonly #connection: UpstreamConnection
  readonly #client: ClientTunnel
  readonly #context: TunnelContext
  #hasClientEnded = false
  #hasPeerEnded = false
  #isOver = false

  /** @param open makes the client's side, which tells `user` everything from now on */
  constructor(attempt: Attempt, open: (user: TunnelUser) => ClientTunnel, context: TunnelContext) {
    this.#attempt = attempt
    this.#context = context
    this.#connection = attempt.handOver(this)
    this.#client = open(this)
  }

  /** Passes on what came before the tunnel was there. @param early bytes behind the peer's 101 */
  start(early: Buffer): void {
    this.#touch()
    if (early.length > 0) this.onData(early, early.length)
    if (this.#client.early !== null) this.onClientData(this.#client.early)
  }

  onClientData(bytes: Buffer): void {
    if (this.#isOver) return
    this.#touch()
    if (!this.#connection.write(bytes)) this.#client.want(false)
  }

  onDrain(): void {
    this.#touch()
    this.#client.want(true)
  }

  onData(buffer: Buffer, length: number): void {
    this.#touch()
    if (!this.#client.write(buffer.subarray(0, length))) this.#connection.pause()
  }

  onClientReady(): void {
    if (this.#isOver) return
    this.#touch()
    this.#connection.resume()
  }

  onClientEnd(): void {
    if (this.#isOver) return
    this.#hasClientEnded = true
    this.#touch()
    this.#connection.end()
  }

  /** When the client has ended too, the connection closes by itself as soon as the peer has taken the rest. */
  onEnd(): void {
    this.#hasPeerEnded = true
    this.#touch()
    this.#client.end()
  }

  onFailed(error: Error): void {
    this.#finish()
    if (this.#hasPeerEnded) {
      this.#client.close()
      return
    }
    this.#context.log('error', `recv() failed (${errnoText(error)}) ${WHERE}`)
    this.#client.abort()
  }

  onClientGone(): void {
    if (this.#isOver) return
    if (this.#hasClientEnded && this.#hasPeerEnded) {
      // Both have said everything; the peer may still be taking the last of it.
      this.#attempt.endedAt = this.#context.now()
      this.#context.onOver()
      return
    }
    this.#context.log('info', `client prematurely closed connection ${WHERE}`)
    this.#finish()
  }

  onDeadline(): void {
    this.#context.log('error', `upstream timed out (110: Connection timed out) ${WHERE}`)
    this.#finish()
    this.#client.close()
  }

  onConnected(): void {
    // It was connected long ago.
  }

  #touch(): void {
    this.#connection.deadline = this.#context.now() + this.#context.timeoutMs
  }

  #finish(): void {
    this.#isOver = true
    this.#attempt.close()
    this.#context.onOver()
  }
}
