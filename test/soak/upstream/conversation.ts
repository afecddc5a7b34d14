import type { Socket } from 'node:net'
import { crc32 } from 'node:zlib'
import type { Bodies } from '../bodies.js'
import { ID_FIELD, orderOf, type FaultKind, type Order } from '../plan.js'
import { MessageReader, announcedBody, type BodyKind, type MessageHead } from '../wire.js'
import { giveAnswer } from './answer.js'

/** What a conversation needs of its server. */
export interface ServerSide {
  /** Which bit of `Fault.who` it is. */
  readonly index: number
  readonly bodies: Bodies
  /** Writes a line to the journal. */
  note(line: string): void
}

/** An idle connection is closed after this long at least, and at most. */
const KEEP_MINIMUM_MS = 1000
const KEEP_SPAN_MS = 7000
/** Asked by the director about this server, and at the start about the proxy. */
const QUESTIONS = ['/', '/web/']
const PLAIN_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n'

/** One connection of the proxy: its requests, each looked at with distrust. */
export class Conversation {
  readonly #socket: Socket
  readonly #server: ServerSide
  readonly #reader: MessageReader
  #order: Order | null = null
  /** Whether a request is being read or answered. */
  #isBusy = false
  #isHead = false
  #received = 0
  #sum = 0
  /** Whether an answer was begun, and whether it is over so that the next request may come. */
  #isAnswered = false
  #mayGoOn = false
  #isRead = false
  /** Whether this side has ended: what still comes was sent in ignorance of that. */
  #isOver = false
  #idleTimer: NodeJS.Timeout | null = null

  constructor(socket: Socket, server: ServerSide) {
    this.#socket = socket
    this.#server = server
    this.#reader = new MessageReader({
      onHead: (head) => this.#onHead(head),
      onBody: (bytes) => {
        this.#onBody(bytes)
      },
      onMessageEnd: () => {
        this.#onMessageEnd()
      }
    })
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      this.#keepFor(null)
    })
    socket.on('data', (bytes) => {
      if (this.#isOver) return
      try {
        this.#reader.feed(bytes)
      } catch (error) {
        server.note(`bad ${error instanceof Error ? error.message : String(error)}`)
        socket.destroy()
      }
    })
  }

  #onHead(head: MessageHead): BodyKind {
    const target = head.line.split(' ')[1] ?? ''
    if (this.#isBusy) throw new Error(`a request before the last was answered: ${head.line}`)
    this.#keepFor(null)
    this.#isBusy = true
    this.#isAnswered = false
    this.#mayGoOn = false
    this.#isRead = false
    this.#isHead = head.line.startsWith('HEAD ')
    this.#received = 0
    this.#sum = 0
    this.#order = orderOf(target)
    // No client of the soak: who wants to know whether somebody is there.
    if (this.#order === null && !QUESTIONS.includes(target))
      throw new Error(`request line ${head.line}`)
    const kind = announcedBody(head) ?? 'none'
    if (this.#order === null) return kind
    this.#check(this.#order, head, kind)
    if (head.line.startsWith('POST ')) this.#server.note(`post ${this.#order.id}`)
    this.#actOnHead(this.#order)
    return kind
  }

  /** What the proxy sends has to be what the client was told to send. */
  #check(order: Order, head: MessageHead, kind: BodyKind): void {
    const id = head.fields.get(ID_FIELD.toLowerCase())
    if (id !== String(order.id)) throw new Error(`id ${id ?? 'none'} for ${head.line}`)
    // Bodies that were read whole go on with their length, those that stream as they came.
    const isStreamed = head.line.includes(' /steady/') && order.uploadFraming === 'chunked'
    const wanted = isStreamed ? 'chunked' : order.upload
    const expected = order.upload === null ? 'none' : wanted
    if (kind !== expected)
      throw new Error(`body ${kind} instead of ${String(expected)}: ${head.line}`)
  }

  #actOnHead(order: Order): void {
    // The others come with the answer.
    switch (this.#faultOf(order)) {
      case 'reset-unread':
        this.#isOver = true
        this.#socket.resetAndDestroy()
        break
      case 'end-unanswered':
        this.#isOver = true
        this.#socket.end()
        break
      case 'early':
      case 'early-end':
        this.#answer(order)
        break
      default:
    }
  }

  #onBody(bytes: Buffer): void {
    const order = this.#order
    if (order === null) return
    const at = this.#server.bodies.difference('request', order.id, this.#received, bytes)
    if (at >= 0) this.#server.note(`bad body of request ${order.id} differs at ${at}`)
    this.#received += bytes.length
    this.#sum = crc32(bytes, this.#sum)
  }

  #onMessageEnd(): void {
    const order = this.#order
    this.#isRead = true
    if (order === null) {
      this.#socket.write(PLAIN_ANSWER)
      this.#mayGoOn = true
      this.#settle()
      return
    }
    if (order.upload !== null && this.#received !== order.upload) {
      this.#server.note(
        `bad body of request ${order.id}: ${this.#received} of ${order.upload} bytes`
      )
    }
    if (!this.#isAnswered && !this.#isOver) this.#answer(order)
    this.#settle()
  }

  #answer(order: Order): void {
    this.#isAnswered = true
    const isWhole = order.upload !== null && this.#isRead
    const got = isWhole ? `${this.#received} ${this.#sum}` : null
    const answer = { order, isHead: this.#isHead, fault: this.#faultOf(order), got }
    giveAnswer(this.#socket, this.#server.bodies, answer).then(
      (mayGoOn) => {
        this.#mayGoOn = mayGoOn
        this.#isOver = !mayGoOn
        this.#settle()
      },
      (error: unknown) => {
        this.#server.note(`bad the upstream server itself: ${String(error)}`)
      }
    )
  }

  /** Waits for the next request once this one was read and answered, in whichever order. */
  #settle(): void {
    if (!this.#isRead || !this.#mayGoOn) return
    this.#isBusy = false
    this.#keepFor(KEEP_MINIMUM_MS + Math.random() * KEEP_SPAN_MS)
  }

  /** Ends the connection when it stays idle; null keeps it. */
  #keepFor(timeMs: number | null): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    if (timeMs === null) return
    this.#idleTimer = setTimeout(() => {
      this.#isOver = true
      this.#socket.end()
    }, timeMs)
  }

  #faultOf({ fault }: Order): FaultKind | null {
    if (fault === null || (fault.who & (1 << this.#server.index)) === 0) return null
    return fault.kind
  }
}
