import { CHUNK_EXTENSIONS, IS_DIGIT, TOKEN, skipWhile } from './syntax.js'

/**
 * Framing of message bodies (RFC 9112 §6 and §7): how long a body is, and its incremental decoder.
 */

/** `close`: the body ends with the connection; only responses have it. */
export type Framing = 'none' | 'length' | 'chunked' | 'close'

/** The framing of a message, or why there is none that all readers would agree on. */
export type Framed =
  | { readonly ok: true; readonly framing: Framing; readonly contentLength: number }
  | { readonly ok: false; readonly status: 400 | 501; readonly reason: string }

const NO_BODY: Framed = { ok: true, framing: 'none', contentLength: 0 }
const CHUNKED: Framed = { ok: true, framing: 'chunked', contentLength: 0 }
const UNTIL_CLOSE: Framed = { ok: true, framing: 'close', contentLength: 0 }

/**
 * Framing of a request (RFC 9112 §6.3), stricter than the RFC where it offers a choice:
 * Transfer-Encoding with Content-Length, in HTTP/1.0 or with an empty list element, and repeated
 * Content-Length, are refused.
 * @param lengths number of Content-Length lines
 * @param length value of the last one
 * @param codings transfer codings in order, null without the field
 */
export function requestFraming(
  lengths: number,
  length: string,
  codings: readonly string[] | null,
  minorVersion: 0 | 1
): Framed {
  if (codings !== null) {
    if (minorVersion === 0) return bad('client sent "Transfer-Encoding" in HTTP/1.0 request')
    if (lengths > 0) return bad('client sent "Content-Length" and "Transfer-Encoding" headers')
    if (codings.length === 1 && codings[0] === 'chunked') return CHUNKED
    // A list with holes is read as one coding by some and as two by others.
    const isLast = codings.indexOf('chunked') === codings.length - 1
    if (codings.includes('') || (codings.includes('chunked') && !isLast)) {
      return bad('client sent invalid "Transfer-Encoding" header')
    }
    return { ok: false, status: 501, reason: 'client sent unknown "Transfer-Encoding"' }
  }
  if (lengths === 0) return NO_BODY
  if (lengths > 1) return bad('client sent duplicate "Content-Length" header')
  return lengthFraming(length, 'client sent invalid "Content-Length" header')
}

/**
 * Framing of a response to a request with `method`. A body with status 1xx or 204 is refused: its
 * reader cannot know whether the bytes behind the head are one (RFC 9112 §6.1, RFC 9110 §8.6). The
 * statuses in a refusal have no meaning here.
 */
export function responseFraming(
  lengths: number,
  length: string,
  codings: readonly string[] | null,
  minorVersion: 0 | 1,
  status: number,
  method: string
): Framed {
  if (codings !== null) {
    if (lengths > 0) return bad('"Content-Length" and "Transfer-Encoding" together')
    if (minorVersion === 0) return bad('"Transfer-Encoding" in an HTTP/1.0 response')
    if (codings.length !== 1 || codings[0] !== 'chunked') return bad('unknown "Transfer-Encoding"')
  }
  if (lengths > 1) return bad('duplicate "Content-Length"')
  const isNeverFramed = status < 200 || status === 204
  if (isNeverFramed && (codings !== null || (lengths > 0 && !ZERO.test(length)))) {
    return bad(`the framing of a body with status ${status}`)
  }
  const framed = lengths === 1 ? lengthFraming(length, 'invalid "Content-Length"') : UNTIL_CLOSE
  if (!framed.ok) return framed
  const bodyless = method === 'HEAD' || isNeverFramed || status === 304
  if (bodyless) return NO_BODY
  return codings === null ? framed : CHUNKED
}

const ZERO = /^0+$/
/** Digits of a length: up to 10^15 - 1 bytes. */
const MAX_LENGTH_DIGITS = 15

function lengthFraming(value: string, problem: string): Framed {
  const isNumber = value !== '' && skipWhile(IS_DIGIT, value, 0) === value.length
  if (!isNumber || value.length > MAX_LENGTH_DIGITS) return bad(problem)
  return { ok: true, framing: 'length', contentLength: Number(value) }
}

function bad(reason: string): Framed {
  return { ok: false, status: 400, reason }
}

/**
 * Whether a field delimits bodies, so that not even a space of it may be in doubt. It has no place
 * among the trailers (RFC 9110 §6.5.1).
 */
export function isFramingField(name: string): boolean {
  return /^(?:content-length|transfer-encoding)$/i.test(name)
}

/** Digits of a chunk size: up to 2^48 - 1 bytes. */
const MAX_SIZE_DIGITS = 12
/** Bytes of one chunk-size line with its extensions, and of the whole trailer section. */
const MAX_EXTENSION = 4096
const MAX_TRAILERS = 8192

const CR = 0x0d
const LF = 0x0a
const TAB = 0x09
const SPACE = 0x20
const SEMICOLON = 0x3b
const COLON = 0x3a

type ChunkState =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer-start'
  | 'trailer-name'
  | 'trailer-value'
  | 'trailer-lf'
  | 'end-lf'

/**
 * Takes a body out of the bytes of its connection, whatever pieces they come in. Chunk extensions
 * and trailers are checked, bounded and dropped (RFC 9112 §7.1.1 and §7.1.2 allow it).
 */
export class BodyDecoder {
  /** Whether the whole body was seen. A `close` body is ended by its reader instead. */
  done: boolean
  /** Bytes of body seen so far, without framing. */
  received = 0
  readonly #framing: Framing
  /** Bytes left of the body (`length`) or of the current chunk (`chunked`). */
  #left: number
  #state: ChunkState = 'size'
  #digits = 0
  #overhead = 0
  /** The extensions of the current chunk behind the first semicolon. */
  #extensions = ''
  /** Name of the current trailer. */
  #trailer = ''

  constructor(framing: Framing, contentLength: number) {
    this.#framing = framing
    this.#left = contentLength
    this.done = framing === 'none' || (framing === 'length' && contentLength === 0)
  }

  /**
   * Reads `bytes` between two indices and pushes the pieces of body, which share memory with `bytes`.
   * @returns the index after the last byte that belongs to the body, or -1 if the framing is broken
   */
  decode(bytes: Buffer, from: number, to: number, pieces: Buffer[]): number {
    if (this.done) return from
    if (this.#framing === 'chunked') return this.#decodeChunks(bytes, from, to, pieces)
    const available = to - from
    const take = this.#framing === 'length' ? Math.min(available, this.#left) : available
    if (take > 0) {
      pieces.push(bytes.subarray(from, from + take))
      this.received += take
      this.#left -= take
    }
    if (this.#framing === 'length' && this.#left === 0) this.done = true
    return from + take
  }

  #decodeChunks(bytes: Buffer, from: number, to: number, pieces: Buffer[]): number {
    let at = from
    while (at < to && !this.done) {
      if (this.#state === 'data') {
        const take = Math.min(to - at, this.#left)
        pieces.push(bytes.subarray(at, at + take))
        this.received += take
        this.#left -= take
        at += take
        if (this.#left === 0) this.#state = 'data-cr'
      } else if (!this.#step(bytes[at++] ?? 0)) {
        return -1
      }
    }
    return at
  }

  /** Reads one byte of framing; false if it may not stand here. */
  #step(byte: number): boolean {
    switch (this.#state) {
      case 'size':
        return this.#stepSize(byte)
      case 'extension':
        if (byte === CR) return this.#endExtensions()
        this.#extensions += String.fromCharCode(byte)
        return ++this.#overhead <= MAX_EXTENSION
      case 'size-lf':
        this.#overhead = 0
        return byte === LF && this.#goto(this.#left === 0 ? 'trailer-start' : 'data')
      case 'data':
        return false
      case 'data-cr':
        return byte === CR && this.#goto('data-lf')
      case 'data-lf':
        this.#digits = 0
        return byte === LF && this.#goto('size')
      case 'trailer-start':
        if (byte === CR) return this.#goto('end-lf')
        this.#trailer = ''
        return this.#stepTrailerName(byte) && this.#goto('trailer-name')
      case 'trailer-name':
        if (byte !== COLON) return this.#stepTrailerName(byte)
        return !isFramingField(this.#trailer) && this.#goto('trailer-value')
      case 'trailer-value':
        if (byte === CR) return this.#goto('trailer-lf')
        return this.#countTrailer() && isFieldByte(byte)
      case 'trailer-lf':
        return byte === LF && this.#goto('trailer-start')
      case 'end-lf':
        this.done = byte === LF
        return this.done
    }
  }

  #stepSize(byte: number): boolean {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      this.#left = this.#digits === 0 ? digit : this.#left * 16 + digit
      return ++this.#digits <= MAX_SIZE_DIGITS
    }
    if (this.#digits === 0) return false
    if (byte === CR) return this.#goto('size-lf')
    return byte === SEMICOLON && this.#goto('extension')
  }

  #endExtensions(): boolean {
    const isValid = CHUNK_EXTENSIONS.test(this.#extensions)
    this.#extensions = ''
    return isValid && this.#goto('size-lf')
  }

  #stepTrailerName(byte: number): boolean {
    const character = String.fromCharCode(byte)
    this.#trailer += character
    return this.#countTrailer() && TOKEN.test(character)
  }

  #countTrailer(): boolean {
    return ++this.#overhead <= MAX_TRAILERS
  }

  #goto(state: ChunkState): true {
    this.#state = state
    return true
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

function isFieldByte(byte: number): boolean {
  return (byte >= SPACE && byte !== 0x7f) || byte === TAB
}
