/** Pieces up to this size are joined in blocks: kept one by one they would cost far more than they hold. */
const SMALL_PIECE = 1024
const BLOCK_SIZE = 4096

/** Bytes in the order in which they came, of which a first part may have been sent and still be kept. */
export class ChunkQueue {
  /** Bytes that were not sent. */
  waiting = 0
  #chunks: Buffer[] = []
  /** Index of the next chunk to send, and how much of it was sent before it grew. */
  #next = 0
  #offset = 0
  /** Where small pieces are joined, and how much of it is used. */
  #block: Buffer | null = null
  #blockUsed = 0

  push(bytes: Buffer): void {
    if (bytes.length > SMALL_PIECE || this.#chunks.length === 0) this.#chunks.push(bytes)
    else this.#join(bytes)
    this.waiting += bytes.length
  }

  get hasNext(): boolean {
    return this.#next < this.#chunks.length
  }

  /** The next bytes to send, or null if all were sent. @param isKept whether they stay here for `rewind` */
  next(isKept: boolean): Buffer | null {
    const whole = this.#chunks[this.#next]
    if (whole === undefined) return null
    const chunk = this.#offset === 0 ? whole : whole.subarray(this.#offset)
    this.#offset = 0
    this.waiting -= chunk.length
    if (isKept) this.#next++
    else this.#chunks.shift()
    return chunk
  }

  /** Begins again with the first byte. */
  rewind(): void {
    this.#next = 0
    this.#offset = 0
    this.waiting = 0
    for (const chunk of this.#chunks) this.waiting += chunk.length
  }

  /** Keeps only what was not sent. */
  forgetSent(): void {
    this.#chunks.splice(0, this.#next)
    this.#next = 0
  }

  /** The first chunks, up to so many bytes but at least one. */
  front(maxBytes: number): Buffer[] {
    let bytes = 0
    const end = this.#chunks.findIndex((chunk) => (bytes += chunk.length) > maxBytes)
    return end < 0 ? [...this.#chunks] : this.#chunks.slice(0, Math.max(1, end))
  }

  /** Takes out the first bytes. */
  drop(bytes: number): void {
    let left = bytes
    this.waiting -= bytes
    while (left > 0) {
      const first = this.#chunks[0]
      if (first === undefined) return
      if (first.length > left) this.#chunks[0] = first.subarray(left)
      else this.#chunks.shift()
      left -= Math.min(left, first.length)
    }
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
}
