import type { Client } from '../downstream/client.js'
import type { RequestHead } from '../http1/head.js'
import type { Route } from '../model.js'
import type { BodyFiles } from './body-files.js'
import { RequestBody, type BodyOwner } from './request-body.js'

/** The request that a body belongs to. It hears nothing after `release`. */
export interface UploadOwner {
  /** The body is here, or not to be waited for: from now on the request can be sent. */
  onUploadReady(): void
  /** More of it can be sent. */
  onUploadMore(): void
  /** It is larger than the route allows. */
  onUploadTooLarge(bytes: number): void
  /** What is in its temporary file cannot be had back. */
  onUploadLost(): void
}

/**
 * A request body between the client that sends it and the attempt that takes it: makes the client
 * wait when neither memory, disk nor upstream server keep up, and bounds how much comes.
 */
export class Upload implements BodyOwner {
  readonly body: RequestBody
  readonly #client: Client
  readonly #owner: UploadOwner
  /** Bytes at most; 0 is no limit. */
  #limit = 0
  /** `early`: no route is known · `waiting`: the request waits for it · `sending`: it can be sent. */
  #phase: 'early' | 'waiting' | 'sending' | 'over' = 'early'
  /** Whether the attempt takes more, as far as is known. */
  #isTaking = true

  constructor(client: Client, files: BodyFiles, owner: UploadOwner) {
    this.body = new RequestBody(files, this)
    this.#client = client
    this.#owner = owner
  }

  /** Settles what is done with it; refuses one that is too large before it is asked for. */
  begin(route: Route, head: RequestHead): void {
    const { body } = this
    this.#limit = route.maxBodySize
    if (this.#isTooLarge(Math.max(head.contentLength, body.received))) return
    if (head.expectsContinue && !body.isComplete && body.received === 0) this.#client.sendContinue()
    this.#phase = 'waiting'
    body.begin(route.bodyBufferSize, route.requestBuffering)
    if (body.isReady) this.onBodyReady()
    else this.#steer()
  }

  /** Takes what the client sent. */
  push(bytes: Buffer): void {
    const { body } = this
    if (this.#phase === 'over' || this.#isTooLarge(body.received + bytes.length)) return
    body.push(bytes)
    if (this.#phase === 'sending') this.#owner.onUploadMore()
    this.#steer()
  }

  /** The client has sent all. */
  end(): void {
    this.body.end()
    if (this.#phase === 'sending') this.#owner.onUploadMore()
    else if (this.body.isReady) this.onBodyReady()
  }

  /** Begins again for another attempt. */
  rewind(): void {
    this.#isTaking = true
    this.body.rewind()
  }

  /** Whether the attempt takes more. */
  want(isWanted: boolean): void {
    this.#isTaking = isWanted
    this.#steer()
  }

  /** Gives everything back. */
  release(): void {
    this.#phase = 'over'
    this.body.release()
  }

  onBodyReady(): void {
    if (this.#phase !== 'waiting') return
    this.#phase = 'sending'
    this.#owner.onUploadReady()
    this.#steer()
  }

  onBodyLoaded(): void {
    this.#owner.onUploadMore()
  }

  onBodyRoom(): void {
    this.#steer()
  }

  onBodyLost(): void {
    this.#owner.onUploadLost()
  }

  /** A body whose end is unknown is counted as it comes. */
  #isTooLarge(bytes: number): boolean {
    if (this.#limit === 0 || bytes <= this.#limit) return false
    this.#owner.onUploadTooLarge(bytes)
    return true
  }

  /** Lets the client send, or makes it wait. */
  #steer(): void {
    if (this.#phase === 'early' || this.#phase === 'over' || this.body.isComplete) return
    this.#client.wantBody(this.#isTaking && !this.body.isFull)
  }
}
