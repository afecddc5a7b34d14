/** Most characters that are kept; the oldest lines go first. */
const MAX_LENGTH = 32 * 1024 * 1024

/**
 * The flight recording as the director told it so far, in a process that outlives the director. It
 * keeps the newest lines up to a bound. Pure.
 */
export class RecordingMirror {
  readonly #maxLength: number
  #lines: string[] = []
  /** Lines before this index are dropped already. */
  #first = 0
  #length = 0

  constructor(maxLength = MAX_LENGTH) {
    this.#maxLength = maxLength
  }

  /** @param reset throws away what was kept */
  push(lines: readonly string[], reset: boolean): void {
    if (reset) {
      this.#lines = []
      this.#first = 0
      this.#length = 0
    }
    for (const line of lines) {
      this.#lines.push(line)
      this.#length += line.length + 1
    }
    while (this.#length > this.#maxLength && this.#first < this.#lines.length) {
      this.#length -= (this.#lines[this.#first]?.length ?? 0) + 1
      this.#first++
    }
    // Moving the rest each time would take a time that grows with its length.
    if (this.#first * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#first)
      this.#first = 0
    }
  }

  /** What is kept, oldest first, one JSON on each line. */
  *text(): Generator<string> {
    const lines = this.#lines
    for (let index = this.#first; index < lines.length; index++) yield `${lines[index] ?? ''}\n`
  }
}
