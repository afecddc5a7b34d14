/** Lines of one segment. */
interface Segment {
  readonly lines: string[]
  bytes: number
}

/** How much a ring keeps. */
export interface RingBounds {
  /** All segments together; the last one may be alone in exceeding it. */
  readonly bytes: number
  readonly entries: number
  /** A segment with more is full. */
  readonly segmentBytes: number
}

/**
 * The last lines of a recording in segments: the oldest one is thrown away as a whole, so that what
 * is left begins where a replay can begin.
 */
export class RecordingRing {
  readonly #bounds: RingBounds
  readonly #segments: Segment[] = []
  #bytes = 0
  #entries = 0
  /** What the last segment began with: one that is full of that alone would be followed at once. */
  #begunWith = 0

  constructor(bounds: RingBounds) {
    this.#bounds = bounds
  }

  get bytes(): number {
    return this.#bytes
  }

  get entries(): number {
    return this.#entries
  }

  get isFull(): boolean {
    const last = this.#segments.at(-1)
    return last === undefined || last.bytes - this.#begunWith >= this.#bounds.segmentBytes
  }

  /** Begins a segment; the lines that describe everything follow, and then `hasBegun`. */
  begin(): void {
    this.#segments.push({ lines: [], bytes: 0 })
    this.#begunWith = 0
  }

  /** What is in the last segment now does not count towards its being full. */
  hasBegun(): void {
    this.#begunWith = this.#segments.at(-1)?.bytes ?? 0
  }

  /** Adds a line of plain ASCII, or nearly so: a character counts as a byte. */
  add(line: string): void {
    const last = this.#segments.at(-1)
    if (!last) return
    const bytes = line.length + 1
    last.lines.push(line)
    last.bytes += bytes
    this.#bytes += bytes
    this.#entries += 1
    this.#shrink()
  }

  /** Every line that is kept, oldest first. */
  lines(): readonly string[] {
    return this.#segments.flatMap(({ lines }) => lines)
  }

  #shrink(): void {
    while (this.#bytes > this.#bounds.bytes || this.#entries > this.#bounds.entries) {
      if (this.#segments.length < 2) return
      const gone = this.#segments.shift()
      this.#bytes -= gone?.bytes ?? 0
      this.#entries -= gone?.lines.length ?? 0
    }
  }
}
