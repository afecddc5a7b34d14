/** Memory of a worker for request bodies that are kept, so that they can be sent again. */
const MAX_KEPT = 64 * 1024 * 1024
/** Memory of a worker for what is on its way: to the disk, from it, or to a slow upstream server. */
const MAX_PASSING = 32 * 1024 * 1024

/** A body that is still coming, as the budget sees it. */
export interface BodyReader {
  /** `isTight` has changed: its client has to stop, or may go on. */
  onTightChanged(): void
}

/**
 * Memory of a worker for all request bodies. What is kept can be refused: there is the disk, or no
 * second try. What passes through is here already, so it is counted, and beyond its bound every client
 * has to wait until half of it has left. It always leaves: the disk and the servers have timeouts.
 */
export class BodyBudget {
  /** Whether too much is on its way for anybody to send more. */
  isTight = false
  #left: number
  #passing = 0
  readonly #maxPassing: number
  readonly #readers = new Set<BodyReader>()

  constructor(kept = MAX_KEPT, maxPassing = MAX_PASSING) {
    this.#left = kept
    this.#maxPassing = maxPassing
  }

  /** Whether there was room to keep so many bytes; if so they are taken. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }

  /** Bytes that are on their way now. */
  get passing(): number {
    return this.#passing
  }

  /** So many bytes more are on their way. */
  hold(bytes: number): void {
    this.#passing += bytes
    if (!this.isTight && this.#passing > this.#maxPassing) this.#turn(true)
  }

  /** So many bytes have arrived. */
  drop(bytes: number): void {
    this.#passing -= bytes
    if (this.isTight && this.#passing <= this.#maxPassing / 2) this.#turn(false)
  }

  /** From now on the reader is told when it is tight. */
  watch(reader: BodyReader): void {
    this.#readers.add(reader)
  }

  unwatch(reader: BodyReader): void {
    this.#readers.delete(reader)
  }

  #turn(isTight: boolean): void {
    this.isTight = isTight
    for (const reader of this.#readers) reader.onTightChanged()
  }
}
