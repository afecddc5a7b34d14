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

/** The bytes of a client connection that belong to no request yet. Its owner bounds their number. */
export class Intake {
  #bytes: Buffer | null = null
  /** How many of them `read` has looked at already. */
  #checked = 0
  readonly #acceptBareLf: boolean

  /** @param acceptBareLf whether LF alone ends a line of a head too */
  constructor(acceptBareLf = false) {
    this.#acceptBareLf = acceptBareLf
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#bytes?.length ?? 0
  }

  /** Adds what has come. */
  keep(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#bytes = this.#bytes === null ? bytes : Buffer.concat([this.#bytes, bytes])
  }

  /** Forgets what waits. */
  clear(): void {
    this.#bytes = null
    this.#checked = 0
  }

  /**
   * Throws away the empty lines that may stand before a request (RFC 9112 §2.2), however many come.
   * @returns whether anything else waits: the begin of a request
   */
  skipEmptyLines(): boolean {
    const bytes = this.#bytes
    if (bytes === null) return false
    let start = 0
    for (;;) {
      if (bytes[start] === CR && bytes[start + 1] === LF) start += 2
      else if (this.#acceptBareLf && bytes[start] === LF) start++
      else break
    }
    if (start === bytes.length) this.clear()
    else if (start > 0) this.#bytes = bytes.subarray(start)
    return start < bytes.length
  }

  /** Takes out the head that waits, if it is whole; null needs more bytes. */
  read(): RequestHead | Refusal | null {
    const bytes = this.#bytes
    if (bytes === null) return null
    const text = bytes.toString('latin1', 0, Math.min(bytes.length, MAX_HEAD + 1))
    const from = Math.max(0, this.#checked - 3)
    const end = this.#acceptBareLf ? findLenientHeadEnd(text, from) : findHeadEnd(text, from)
    if (end < 0) {
      const refusal = refuseIncomplete(text, this.#checked, this.#acceptBareLf)
      this.#checked = text.length
      return refusal
    }
    const head = text.slice(0, end)
    const parsed = parseRequestHead(this.#acceptBareLf ? withCrlf(head) : head, end)
    if (parsed.kind === 'request') {
      this.#checked = 0
      this.#bytes = end < bytes.length ? bytes.subarray(end) : null
    }
    return parsed
  }

  /** Takes out everything that waits. */
  takeRest(): Buffer | null {
    const bytes = this.#bytes
    this.clear()
    return bytes
  }

  /** As much as is known of the first line, for the log. */
  get firstLine(): string {
    return this.#bytes?.toString('latin1', 0, 8192).split(/\r?\n/, 1)[0] ?? ''
  }
}
