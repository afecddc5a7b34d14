/** Most characters that are kept; the oldest lines go first. */
const MAX_LENGTH = 32 * 1024 * 1024

/** How the lines begin from which a replay can begin. */
const SEGMENT = '{"type":"segment"'

/**
 * The flight recording as the director told it so far, in a process that outlives the director. It
 * keeps the first line, which says whose it is, and the newest ones up to a bound. Pure.
 */
export class RecordingMirror {
  readonly #maxLength: number
  #header: string | null = null
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
      this.#header = null
      this.#lines = []
      this.#first = 0
      this.#length = 0
    }
    for (const line of lines) {
      if (this.#header === null) {
        this.#header = line
        continue
      }
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

  get isEmpty(): boolean {
    return this.#header === null
  }

  /**
   * What is kept, oldest first, one JSON on each line. Where lines were dropped it begins with the next
   * one from which a replay can begin.
   */
  *text(): Generator<string> {
    if (this.#header === null) return
    yield `${this.#header}\n`
    const lines = this.#lines
    let index = this.#first
    while (index < lines.length && lines[index]?.startsWith(SEGMENT) !== true) index++
    for (; index < lines.length; index++) yield `${lines[index] ?? ''}\n`
  }
}
