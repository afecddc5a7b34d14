import type { BodyFiles } from './body-files.js'
import type { BodyBudget, BodyReader } from './budget.js'
import { ChunkQueue } from './chunk-queue.js'
import type { RequestSource } from './request-source.js'
import { Spool, type SpoolOwner } from './spool.js'

/** What waits for the upstream server of a body that is not kept. */
const MAX_WAITING = 64 * 1024
/** What waits for the disk before the client has to, and what is written at least and at most at once. */
const MAX_UNWRITTEN = 256 * 1024
const MIN_WRITE = 64 * 1024
const MAX_WRITE = 256 * 1024

/** Whose body it is. It hears nothing after `release`. */
export interface BodyOwner {
  /** The request may be sent now. */
  onBodyReady(): void
  /** More of it can be sent. */
  onBodyLoaded(): void
  /** `isFull` may have changed; this may be told while the owner itself hands over bytes. */
  onBodyRoom(): void
  /** What is in the temporary file cannot be had back. */
  onBodyLost(): void
}

/**
 * A request body on its way: what came from the client, where it is kept, and how much of it the
 * attempt was sent. Its bytes are first those of the temporary file, if there is one, then those in
 * memory. The file is written only before the request is sent, and read only after.
 */
export class RequestBody implements RequestSource, BodyReader, SpoolOwner {
  /** Whether the client has sent all of it. */
  isComplete = false
  /** Whether everything that came is still here. */
  isReplayable = true
  /** Whether the request may be sent: the body is here whole, or is not waited for. */
  isReady = false
  received = 0
  readonly #files: BodyFiles
  readonly #budget: BodyBudget
  readonly #owner: BodyOwner
  #queue = new ChunkQueue()
  #spool: Spool | null = null
  /** How much is kept in memory. Until `begin` the worker's budget alone decides. */
  #limit = Infinity
  #isWatching = false
  /** Bytes in memory that are charged as kept, those that pass through, and of these the ones sent last. */
  #kept = 0
  #passing = 0
  #leaving = 0

  constructor(files: BodyFiles, owner: BodyOwner) {
    this.#files = files
    this.#budget = files.budget
    this.#owner = owner
  }

  /**
   * Settles what is done with the body; a part of it, or all, may have come.
   * @param limit bytes that are kept in memory
   * @param isBuffered whether the request waits for the whole body, on the disk if need be
   */
  begin(limit: number, isBuffered: boolean): void {
    this.isReady = this.isComplete || !isBuffered
    // What is here whole needs no more memory than it has already.
    if (!this.isComplete) {
      this.#limit = limit
      this.#isWatching = true
      this.#budget.watch(this)
    }
    if (this.#passing > 0 || this.#kept > this.#limit) this.#overflow()
  }

  /** Takes what the client sent. */
  push(bytes: Buffer): void {
    const size = bytes.length
    this.received += size
    this.#queue.push(bytes)
    const isKept = this.isReplayable && (this.#spool === null || this.isReady)
    if (isKept && this.#kept + size <= this.#limit && this.#budget.take(size)) {
      this.#kept += size
      return
    }
    this.#pass(size)
    if (this.#limit < Infinity) this.#overflow()
  }

  /** The client has sent all. */
  end(): void {
    this.isComplete = true
    this.#unwatch()
    if (this.isReady || this.#spool?.isBusy === true) return
    if (this.#spool === null || this.#queue.waiting === 0) this.isReady = true
    else this.#write()
  }

  /** The next bytes for the upstream server, or null if there are none at the moment. */
  next(): Buffer | null {
    if (this.#spool?.hasRest === true) return this.#spool.takePiece()
    const chunk = this.#queue.next(this.isReplayable)
    if (chunk !== null && !this.isReplayable) this.#leaving += chunk.length
    return chunk
  }

  get hasNext(): boolean {
    return this.#spool?.hasRest === true ? this.#spool.hasPiece : this.#queue.hasNext
  }

  /** Whether the upstream server has been sent everything. */
  get isSent(): boolean {
    return this.isComplete && !this.#queue.hasNext && this.#spool?.hasRest !== true
  }

  /** Whether a part of it is in a temporary file. */
  get isSpooled(): boolean {
    return this.#spool !== null
  }

  /** The upstream server has taken what was sent: lets go of it, and fetches more from the disk. */
  settle(): void {
    if (this.#leaving > 0) this.#arrived(this.#leaving)
    this.#leaving = 0
    if (this.#spool === null) return
    if (this.#spool.hasRest || this.isReplayable) this.#spool.load()
    else this.#closeSpool()
  }

  /** Whether the client should wait. */
  get isFull(): boolean {
    if (this.#budget.isTight) return true
    const { waiting } = this.#queue
    if (!this.isReady) return this.#spool !== null && waiting >= MAX_UNWRITTEN
    return waiting >= (this.isReplayable ? this.#limit : MAX_WAITING)
  }

  /** Begins again for another attempt; of a body that is not replayable nothing has been sent yet. */
  rewind(): void {
    if (!this.isReplayable) return
    this.#queue.rewind()
    this.#spool?.rewind()
  }

  /** No other attempt will follow: what was sent is not kept. */
  forget(): void {
    if (!this.isReplayable) return
    this.isReplayable = false
    this.#queue.forgetSent()
    this.#budget.give(this.#kept)
    this.#kept = 0
    this.#pass(this.#queue.waiting - this.#passing)
    if (this.#spool?.hasRest === false) this.#closeSpool()
  }

  /** Gives everything back. */
  release(): void {
    this.#unwatch()
    this.#closeSpool()
    this.#queue = new ChunkQueue()
    this.#budget.give(this.#kept)
    this.#kept = 0
    this.#arrived(this.#passing)
    this.#leaving = 0
  }

  onTightChanged(): void {
    // What waits for company before it is written must not be what nobody can move.
    if (!this.isReady) this.#write()
    this.#owner.onBodyRoom()
  }

  onStored(error: Error | null): void {
    const stored = this.#spool?.size ?? 0
    this.#letGo(stored - (this.received - this.#queue.waiting))
    if (error !== null) this.#goOnWithoutFile()
    else if (this.isComplete && this.#queue.waiting === 0) this.isReady = true
    else this.#write()
    if (this.isReady) this.#owner.onBodyReady()
    else this.#owner.onBodyRoom()
  }

  onLoaded(error: Error | null): void {
    if (error === null) this.#owner.onBodyLoaded()
    else this.#owner.onBodyLost()
  }

  /** More has come than may be kept in memory. */
  #overflow(): void {
    if (this.isReady) {
      this.forget()
    } else if (this.#spool !== null) {
      this.#write()
    } else {
      this.#spool = new Spool(this.#files, this)
      this.#spool.open()
    }
  }

  /** Writes what waits, unless that is under way or not worth it yet. */
  #write(): void {
    const { waiting } = this.#queue
    if (this.#spool === null || this.#spool.isBusy || waiting === 0) return
    if (waiting < MIN_WRITE && !this.isComplete && !this.#budget.isTight) return
    this.#spool.append(this.#queue.front(MAX_WRITE))
  }

  /** The disk failed: the request is sent, and what is neither in the file nor in memory streams. */
  #goOnWithoutFile(): void {
    this.isReady = true
    if (this.#spool?.size === 0) this.#closeSpool()
    if (this.#budget.take(this.#passing)) {
      this.#kept += this.#passing
      this.#arrived(this.#passing)
    } else {
      this.forget()
    }
  }

  /** The first bytes in memory are in the file now. */
  #letGo(bytes: number): void {
    const kept = Math.min(bytes, this.#kept)
    this.#queue.drop(bytes)
    this.#kept -= kept
    this.#budget.give(kept)
    this.#arrived(bytes - kept)
  }

  #pass(bytes: number): void {
    this.#passing += bytes
    this.#budget.hold(bytes)
  }

  #arrived(bytes: number): void {
    this.#passing -= bytes
    this.#budget.drop(bytes)
  }

  #closeSpool(): void {
    this.#spool?.close()
    this.#spool = null
  }

  #unwatch(): void {
    if (this.#isWatching) this.#budget.unwatch(this)
    this.#isWatching = false
  }
}
