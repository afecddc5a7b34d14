/**
 * Reading HTTP/1.1 messages, for both ends of the soak. It is deliberately not the proxy's own reader:
 * what the proxy gets wrong must not be got wrong here in the same way.
 */

/** How the body of a message is delimited; a number is its length. */
export type BodyKind = 'none' | 'chunked' | 'close' | number

/** A message without its body. */
export interface MessageHead {
  /** Request line or status line. */
  readonly line: string
  /** By lower-case name; repeated fields are joined with `, `. */
  readonly fields: ReadonlyMap<string, string>
}

/** Who is told of the messages on a connection. */
export interface MessageSink {
  /** Says how the body is delimited; `interim` if another head follows. */
  onHead(head: MessageHead): BodyKind | 'interim'
  /** The bytes are only valid during the call. */
  onBody(bytes: Buffer): void
  onMessageEnd(): void
}

/** A head may be this long; a line of a chunk too. */
const MAX_TEXT = 64 * 1024
/** Lines of chunks are short: no use in looking at a whole read for their end. */
const LINE_STEP = 64

type State = 'head' | 'length' | 'close' | 'size' | 'data' | 'data-end' | 'trailer'

/** Cuts the bytes of one connection into messages. */
export class MessageReader {
  #state: State = 'head'
  #text = ''
  #left = 0
  readonly #sink: MessageSink

  constructor(sink: MessageSink) {
    this.#sink = sink
  }

  /** Whether the bytes so far end with a whole message. */
  get isBetween(): boolean {
    return this.#state === 'head' && this.#text === ''
  }

  /**
   * Takes what has come.
   * @throws {Error} for bytes that are no message
   */
  feed(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      switch (this.#state) {
        case 'length':
        case 'data':
        case 'close':
          at = this.#readBody(bytes, at)
          break
        case 'head':
          at = this.#readText(bytes, at, '\r\n\r\n', MAX_TEXT)
          break
        case 'size':
        case 'data-end':
        case 'trailer':
          at = this.#readText(bytes, at, '\r\n', LINE_STEP)
      }
    }
  }

  /** The sender has ended. Whether that is the regular end of the last message. */
  end(): boolean {
    if (this.#state !== 'close') return this.isBetween
    this.#finish()
    return true
  }

  #readBody(bytes: Buffer, at: number): number {
    const available = bytes.length - at
    const take = this.#state === 'close' ? available : Math.min(available, this.#left)
    this.#left -= take
    this.#sink.onBody(bytes.subarray(at, at + take))
    if (this.#left === 0 && this.#state === 'length') this.#finish()
    else if (this.#left === 0 && this.#state === 'data') this.#state = 'data-end'
    return at + take
  }

  /** Reads on to the end of a head or line; returns where the next thing begins. */
  #readText(bytes: Buffer, at: number, end: string, step: number): number {
    const known = this.#text.length
    this.#text += bytes.toString('latin1', at, Math.min(bytes.length, at + step))
    const found = this.#text.indexOf(end, Math.max(0, known - end.length + 1))
    if (found < 0) {
      if (this.#text.length > MAX_TEXT) throw new Error('a head or line without an end')
      return Math.min(bytes.length, at + step)
    }
    const text = this.#text.slice(0, found)
    this.#text = ''
    this.#onText(text)
    return at + found + end.length - known
  }

  #onText(text: string): void {
    switch (this.#state) {
      case 'head':
        this.#onHead(text)
        break
      case 'size':
        if (!/^[\da-f]{1,8}$/i.test(text)) throw new Error(`chunk size ${JSON.stringify(text)}`)
        this.#left = parseInt(text, 16)
        this.#state = this.#left === 0 ? 'trailer' : 'data'
        break
      case 'data-end':
        if (text !== '') throw new Error('a chunk longer than its size')
        this.#state = 'size'
        break
      default:
        if (text === '') this.#finish()
    }
  }

  #onHead(text: string): void {
    const kind = this.#sink.onHead(parseHead(text))
    if (kind === 'interim') return
    if (kind === 'chunked') this.#state = 'size'
    else if (kind === 'close') this.#state = 'close'
    else if (kind === 'none' || kind === 0) this.#finish()
    else {
      this.#state = 'length'
      this.#left = kind
    }
  }

  #finish(): void {
    this.#state = 'head'
    this.#sink.onMessageEnd()
  }
}

/** @throws {Error} for what is no head */
function parseHead(text: string): MessageHead {
  const [line = '', ...lines] = text.split('\r\n')
  const fields = new Map<string, string>()
  for (const each of lines) {
    const colon = each.indexOf(': ')
    if (colon < 1) throw new Error(`header line ${JSON.stringify(each.slice(0, 100))}`)
    const name = each.slice(0, colon).toLowerCase()
    const known = fields.get(name)
    const value = each.slice(colon + 2)
    fields.set(name, known === undefined ? value : `${known}, ${value}`)
  }
  return { line, fields }
}

/**
 * The body that a head announces, if its kind of message may have one.
 * @throws {Error} when it contradicts itself
 */
export function announcedBody(head: MessageHead): BodyKind | null {
  const length = head.fields.get('content-length')
  const coding = head.fields.get('transfer-encoding')
  if (coding !== undefined) {
    if (coding !== 'chunked' || length !== undefined) throw new Error('contradicting framing')
    return 'chunked'
  }
  if (length === undefined) return null
  if (!/^\d{1,10}$/.test(length)) throw new Error(`Content-Length ${length}`)
  return Number(length)
}
