/** What is kept of one request body, so that the next upstream server can be sent it again. */
const MAX_RETAINED = 1024 * 1024
/** What waits for the upstream server of a body that is not kept. */
const MAX_WAITING = 64 * 1024
/** Pieces up to this size are joined in blocks: kept one by one they would cost far more than they hold. */
const SMALL_PIECE = 1024
const BLOCK_SIZE = 4096

/** Memory of a worker for all request bodies that are kept. */
export class BodyBudget {
  #left: number

  constructor(bytes = 64 * 1024 * 1024) {
    this.#left = bytes
  }

  /** Whether there was room for so many bytes; if so they are taken. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

/** A request body on its way: what came from the client, and how much of it the attempt was sent. */
export class RequestBody {
  /** Whether the client has sent all of it. */
  isComplete = false
  /** Whether everything that came is still here. */
  isReplayable = true
  received = 0
  readonly #budget: BodyBudget
  #chunks: Buffer[] = []
  /** Index of the next chunk to send, and how much of it was sent before it grew. */
  #next = 0
  #offset = 0
  /** Where small pieces are joined, and how much of it is used. */
  #block: Buffer | null = null
  #blockUsed = 0
  #waiting = 0
  #charged = 0

  constructor(budget: BodyBudget) {
    this.#budget = budget
  }

  /** Takes what the client sent. */
  push(bytes: Buffer): void {
    if (bytes.length > SMALL_PIECE || this.#chunks.length === 0) this.#chunks.push(bytes)
    else this.#join(bytes)
    this.#waiting += bytes.length
    this.received += bytes.length
    if (!this.isReplayable) return
    if (this.#charged + bytes.length <= MAX_RETAINED && this.#budget.take(bytes.length)) {
      this.#charged += bytes.length
    } else {
      this.#forget()
    }
  }

  /** The next bytes for the upstream server, or null if it has been sent all that came. */
  next(): Buffer | null {
    const whole = this.#chunks[this.#next]
    if (whole === undefined) return null
    const chunk = this.#offset === 0 ? whole : whole.subarray(this.#offset)
    this.#offset = 0
    this.#waiting -= chunk.length
    if (this.isReplayable) this.#next++
    else this.#chunks.shift()
    return chunk
  }

  get hasNext(): boolean {
    return this.#next < this.#chunks.length
  }

  /** Whether the client should wait until the upstream server has taken more. */
  get isFull(): boolean {
    return this.#waiting >= (this.isReplayable ? MAX_RETAINED : MAX_WAITING)
  }

  /** Begins again for another attempt; only what was never sent is left if it is not replayable. */
  rewind(): void {
    this.#next = 0
    if (this.isReplayable) this.#offset = 0
    this.#waiting = -this.#offset
    for (const chunk of this.#chunks) this.#waiting += chunk.length
  }

  /** Gives the memory back. */
  release(): void {
    this.#chunks = []
    this.#block = null
    this.#next = 0
    this.#offset = 0
    this.#waiting = 0
    this.#budget.give(this.#charged)
    this.#charged = 0
  }

  /** Adds a small piece to the block that the last chunk is in, else as a chunk in a new block. */
  #join(piece: Buffer): void {
    if (this.#block === null || this.#blockUsed + piece.length > BLOCK_SIZE) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_SIZE)
      this.#blockUsed = 0
    }
    const block = this.#block
    const start = this.#blockUsed
    piece.copy(block, start)
    this.#blockUsed += piece.length
    const last = this.#chunks.length - 1
    const tail = this.#chunks[last]
    if (tail?.buffer !== block.buffer) {
      this.#chunks.push(block.subarray(start, this.#blockUsed))
      return
    }
    this.#chunks[last] = block.subarray(tail.byteOffset, this.#blockUsed)
    if (this.#next > last) {
      this.#next = last
      this.#offset = tail.length
    }
  }

  #forget(): void {
    this.isReplayable = false
    this.#chunks.splice(0, this.#next)
    this.#next = 0
    this.#budget.give(this.#charged)
    this.#charged = 0
  }
}
