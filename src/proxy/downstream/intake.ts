import { findLenientHeadEnd, withCrlf } from '../http1/bare-lf.js'
import {
  MAX_HEAD,
  findHeadEnd,
  parseRequestHead,
  refuseIncomplete,
  type Refusal,
  type RequestHead
} from '../http1/head.js'

const CR = 0x0d
const LF = 0x0a
const NOTHING = Buffer.alloc(0)

/** The bytes of a client connection that belong to no request yet. Its owner bounds their number. */
export class Intake {
  /** What waits is here between two indices. */
  #bytes: Buffer = NOTHING
  #from = 0
  #to = 0
  /** Whether the bytes are somebody else's, until `settle`. */
  #isLent = false
  /** How many of them `read` has looked at already. */
  #checked = 0
  readonly #acceptBareLf: boolean

  /** @param acceptBareLf whether LF alone ends a line of a head too */
  constructor(acceptBareLf = false) {
    this.#acceptBareLf = acceptBareLf
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#to - this.#from
  }

  /** Adds what has come, without a copy if it can; `settle` is due before the buffer is used again. */
  lend(buffer: Buffer, length: number): void {
    if (this.length > 0) {
      this.keep(buffer, 0, length)
      return
    }
    this.#isLent = true
    this.#bytes = buffer
    this.#from = 0
    this.#to = length
  }

  /** Makes the bytes that are lent and still wait its own. */
  settle(): void {
    if (!this.#isLent) return
    this.#isLent = false
    if (this.length === 0) this.#own(NOTHING)
    else this.#own(Buffer.from(this.#bytes.subarray(this.#from, this.#to)))
  }

  /** Adds a copy of the bytes between two indices. */
  keep(buffer: Buffer, from = 0, to = buffer.length): void {
    if (from === to) return
    const waiting = this.#bytes.subarray(this.#from, this.#to)
    this.#own(Buffer.concat([waiting, buffer.subarray(from, to)]))
    this.#isLent = false
  }

  /** Forgets what waits. */
  clear(): void {
    this.#own(NOTHING)
    this.#isLent = false
    this.#checked = 0
  }

  /**
   * Throws away the empty lines that may stand before a request (RFC 9112 §2.2), however many come.
   * @returns whether anything else waits: the begin of a request
   */
  skipEmptyLines(): boolean {
    const bytes = this.#bytes
    const to = this.#to
    let at = this.#from
    while (at < to) {
      if (at + 1 < to && bytes[at] === CR && bytes[at + 1] === LF) at += 2
      else if (this.#acceptBareLf && bytes[at] === LF) at++
      else break
    }
    if (at > this.#from) {
      this.#checked = 0
      this.#skip(at - this.#from)
    }
    return at < to
  }

  /** Takes out the head that waits, if it is whole; null needs more bytes. */
  read(): RequestHead | Refusal | null {
    const length = Math.min(this.length, MAX_HEAD + 1)
    if (length === 0) return null
    const text = this.#bytes.toString('latin1', this.#from, this.#from + length)
    const from = Math.max(0, this.#checked - 3)
    const end = this.#acceptBareLf ? findLenientHeadEnd(text, from) : findHeadEnd(text, from)
    if (end < 0) {
      const refusal = refuseIncomplete(text, this.#checked, this.#acceptBareLf)
      this.#checked = text.length
      return refusal
    }
    const head = end === text.length ? text : text.slice(0, end)
    const parsed = parseRequestHead(this.#acceptBareLf ? withCrlf(head) : head, end)
    if (parsed.kind === 'request') {
      this.#checked = 0
      this.#skip(end)
    }
    return parsed
  }

  /** Takes out everything that waits; what was lent is only valid until `settle`. */
  takeRest(): Buffer | null {
    if (this.length === 0) return null
    const rest = this.#bytes.subarray(this.#from, this.#to)
    this.#checked = 0
    this.#skip(rest.length)
    return rest
  }

  /** As much as is known of the first line, for the log. */
  get firstLine(): string {
    const to = Math.min(this.#to, this.#from + 8192)
    return this.#bytes.toString('latin1', this.#from, to).split(/\r?\n/, 1)[0] ?? ''
  }

  #skip(length: number): void {
    this.#from += length
    // An idle connection must not keep the memory of its last request.
    if (this.#from === this.#to && !this.#isLent) this.#own(NOTHING)
  }

  #own(bytes: Buffer): void {
    this.#bytes = bytes
    this.#from = 0
    this.#to = bytes.length
  }
}
