import { connect, type Socket } from 'node:net'
import { isDrained } from '../sockets.js'
import { MessageReader, type BodyKind, type MessageHead } from '../wire.js'
import type { Expectation } from './expectation.js'

/** Nothing takes so long, not even a busy machine: a request that does hangs. */
const STUCK_AFTER_MS = 60_000

/** One connection to the proxy, which expects responses in the order of its requests. */
export class Session {
  readonly socket: Socket
  /** Told of every byte of a response body, before it is looked at. */
  onProgress: ((expectation: Expectation) => void) | null = null
  /** Whether the client has ended its side, after which the proxy may leave without a word. */
  isHalfClosed = false
  /** When its last response was complete, by `Date.now`. */
  idleSince = 0
  readonly #queue: Expectation[] = []
  readonly #reader: MessageReader
  readonly #report: (detail: string) => void
  #isLast = false
  #isOver = false
  #onContinue: (() => void) | null = null
  #mayGoOn = false

  /** @param report told of bytes that nobody asked for */
  constructor(port: number, report: (detail: string) => void) {
    this.#report = report
    this.#reader = new MessageReader({
      onHead: (head) => this.#onHead(head),
      onBody: (bytes) => {
        this.#onBody(bytes)
      },
      onMessageEnd: () => {
        this.#onMessageEnd()
      }
    })
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    this.socket.on('data', (bytes) => {
      this.#onData(bytes)
    })
    this.socket.on('end', () => {
      this.#onEnd()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.#lose('cut')
      this.#onContinue?.()
    })
  }

  /** Whether another request may be sent on it. */
  get isReusable(): boolean {
    return !this.#isLast && !this.#isOver && this.#queue.length === 0 && this.socket.writable
  }

  /** Announces a request that is about to be sent; hangs are ended. */
  expect(expectation: Expectation): void {
    this.#queue.push(expectation)
    const timer = setTimeout(() => {
      expectation.settle('wrong', `stuck: nothing for ${STUCK_AFTER_MS} ms`)
      this.socket.destroy()
    }, STUCK_AFTER_MS)
    void expectation.settled.then(() => {
      clearTimeout(timer)
    })
  }

  /** Writes; false when there is no use in writing more. */
  async write(bytes: string | Buffer): Promise<boolean> {
    if (this.#isOver || this.#isLast || !this.socket.writable) return false
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1')
    else this.socket.write(bytes)
    return await isDrained(this.socket)
  }

  /** Resolves when the proxy asks for the body; false if it has answered already. */
  async mayContinue(): Promise<boolean> {
    if (!this.#mayGoOn && !this.#isOver && this.#queue.length > 0) {
      await new Promise<void>((resolve) => (this.#onContinue = resolve))
    }
    this.#onContinue = null
    return this.#mayGoOn
  }

  /** Ends the own side only. */
  halfClose(): void {
    this.isHalfClosed = true
    this.socket.end()
  }

  /** Reads nothing for a while. */
  pause(timeMs: number): void {
    this.socket.pause()
    setTimeout(() => this.socket.resume(), timeMs)
  }

  /** Leaves without waiting for anything. */
  leave(isReset: boolean): void {
    this.#isOver = true
    for (const expectation of this.#queue.splice(0)) expectation.settle('aborted')
    if (isReset) this.socket.resetAndDestroy()
    else this.socket.destroy()
  }

  #onData(bytes: Buffer): void {
    if (this.#isOver) return
    try {
      this.#reader.feed(bytes)
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error))
    }
  }

  #onHead(head: MessageHead): BodyKind | 'interim' {
    const [current] = this.#queue
    if (current === undefined) throw new Error(`a response that nobody asked for: ${head.line}`)
    if (head.line.startsWith('HTTP/1.1 100 ')) {
      if (!current.plan.expectsContinue) throw new Error('100 Continue that nobody expects')
      this.#mayGoOn = true
      this.#onContinue?.()
      return 'interim'
    }
    const kind = current.onHead(head)
    // Without this a connection that stays open and a response without an end would look alike.
    const isClosing = head.fields.get('connection') === 'close'
    if (kind === 'close' && !isClosing)
      throw new Error('a body without framing on a kept connection')
    this.#isLast = isClosing
    return kind
  }

  #onBody(bytes: Buffer): void {
    const [current] = this.#queue
    if (current === undefined) return
    current.onBody(bytes)
    this.onProgress?.(current)
  }

  #onMessageEnd(): void {
    const current = this.#queue.shift()
    this.#mayGoOn = false
    current?.onMessageEnd()
    this.#onContinue?.()
    this.idleSince = Date.now()
    if (!this.#isLast && current?.outcome !== 'wrong') return
    this.#finish()
  }

  /** The last response has come: what was asked behind it is not answered. */
  #finish(): void {
    this.#isOver = true
    for (const expectation of this.#queue.splice(0)) expectation.settle('unanswered')
    this.socket.end()
    this.socket.resume()
    // The proxy waits for this end; what it still has to say is of no interest.
    this.socket.destroySoon()
  }

  #onEnd(): void {
    if (this.#isOver) return
    // Node takes a reset right behind data for an end; only such a connection has no other side.
    if (this.socket.remoteAddress === undefined) {
      this.#lose('cut')
      return
    }
    const isRegular = this.#reader.end()
    this.#lose(isRegular ? 'nothing' : 'cut')
    this.socket.end()
  }

  /** The connection is over. @param how what is left of the current response */
  #lose(how: 'cut' | 'nothing'): void {
    if (this.#isOver) return
    this.#isOver = true
    const [current, ...rest] = this.#queue.splice(0)
    if (current === undefined) return
    if (this.isHalfClosed) current.settle('aborted')
    else if (current.status === 0) current.settle('wrong', `connection closed without an answer`)
    else if (how === 'cut') current.settle('cut')
    for (const expectation of rest) expectation.settle('unanswered')
  }

  /** What came is no HTTP, or belongs to nobody. */
  #fail(detail: string): void {
    // Its user may have left while the bytes were looked at.
    if (this.#isOver) return
    this.#isOver = true
    const [current, ...rest] = this.#queue.splice(0)
    if (current === undefined) this.#report(detail)
    else current.settle('wrong', detail)
    for (const expectation of rest) expectation.settle('unanswered')
    this.socket.destroy()
  }
}
