/** What is kept of one request body, so that the next upstream server can be sent it again. */
const MAX_RETAINED = 1024 * 1024
/** What waits for the upstream server of a body that is not kept. */
const MAX_WAITING = 64 * 1024

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
  /** Index of the next chunk to send. */
  #next = 0
  #waiting = 0
  #charged = 0

  constructor(budget: BodyBudget) {
    this.#budget = budget
  }

  /** Takes what the client sent. */
  push(bytes: Buffer): void {
    this.#chunks.push(bytes)
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
    const chunk = this.#chunks[this.#next]
    if (chunk === undefined) return null
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
    this.#waiting = 0
    for (const chunk of this.#chunks) this.#waiting += chunk.length
  }

  /** Gives the memory back. */
  release(): void {
    this.#chunks = []
    this.#next = 0
    this.#waiting = 0
    this.#budget.give(this.#charged)
    this.#charged = 0
  }

  #forget(): void {
    this.isReplayable = false
    this.#chunks.splice(0, this.#next)
    this.#next = 0
    this.#budget.give(this.#charged)
    this.#charged = 0
  }
}
