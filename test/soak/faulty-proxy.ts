import { connect, createServer, type Server, type Socket } from 'node:net'
import { LOOPBACK } from '../../bench/sockets.js'
import { MessageReader, announcedBody } from './wire.js'

/** What a proxy must never do. */
export type Misdeed =
  | 'none'
  /** Two clients get each other's response. */
  | 'swap'
  /** The body is shorter, and its length says so too. */
  | 'truncate'
  /** A part of the body comes again in the place of the next one. */
  | 'repeat-part'
  /** One byte of the body is another. */
  | 'change-byte'
  /** The response comes twice. */
  | 'answer-twice'
  /** The connection is closed instead of a response. */
  | 'say-nothing'
  /** The request is sent a second time, and that is answered. */
  | 'send-twice'
  /** One byte of the request's body is another. */
  | 'change-upload'
  /** The client is told that its request failed, although it did not. */
  | 'invent-status'

const PART = 64 * 1024
const HEAD_END = '\r\n\r\n'

/** A TCP proxy for one request on each connection, which does one thing wrong. */
export class FaultyProxy {
  readonly server: Server
  readonly #target: number
  readonly #misdeed: Misdeed
  readonly #sockets = new Set<Socket>()
  #held: { readonly client: Socket; readonly response: Buffer } | null = null

  constructor(target: number, misdeed: Misdeed) {
    this.#target = target
    this.#misdeed = misdeed
    this.server = createServer({ allowHalfOpen: true }, (client) => {
      this.#keep(client)
      this.#serve(client)
    }).listen(0, LOOPBACK)
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.server.close()
  }

  #serve(client: Socket): void {
    const reader = new WholeMessage('none', (request) => {
      const bytes = this.#misdeed === 'change-upload' ? withChange(request) : request
      const times = this.#misdeed === 'send-twice' ? 2 : 1
      for (let i = 0; i < times; i++) this.#ask(client, bytes, i === times - 1)
    })
    client.on('data', (bytes) => {
      reader.feed(bytes)
    })
  }

  #ask(client: Socket, request: Buffer, isAnswered: boolean): void {
    const upstream = connect(this.#target, LOOPBACK)
    this.#keep(upstream)
    const reader = new WholeMessage('close', (response) => {
      upstream.destroy()
      if (isAnswered) this.#answer(client, response)
    })
    upstream.on('data', (bytes) => {
      reader.feed(bytes)
    })
    upstream.on('end', () => {
      reader.end()
    })
    upstream.write(request)
  }

  #answer(client: Socket, response: Buffer): void {
    const head = response.indexOf(HEAD_END) + HEAD_END.length
    switch (this.#misdeed) {
      case 'swap':
        this.#swap(client, response)
        break
      case 'truncate':
        client.end(truncated(response, head))
        break
      case 'repeat-part':
        response.copyWithin(head + PART, head, head + PART)
        client.end(response)
        break
      case 'change-byte':
        client.end(withChange(response))
        break
      case 'answer-twice':
        client.end(Buffer.concat([response, response]))
        break
      case 'say-nothing':
        client.end()
        break
      case 'invent-status':
        client.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n')
        break
      case 'none':
      case 'send-twice':
      case 'change-upload':
        client.end(response)
    }
  }

  #swap(client: Socket, response: Buffer): void {
    const held = this.#held
    if (held === null) {
      this.#held = { client, response }
      return
    }
    this.#held = null
    held.client.end(response)
    client.end(held.response)
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

/** Collects the bytes of one message. */
class WholeMessage {
  readonly #pieces: Buffer[] = []
  readonly #reader: MessageReader

  constructor(otherwise: 'none' | 'close', onWhole: (bytes: Buffer) => void) {
    this.#reader = new MessageReader({
      onHead: (head) => announcedBody(head) ?? otherwise,
      onBody: () => undefined,
      onMessageEnd: () => {
        onWhole(Buffer.concat(this.#pieces))
      }
    })
  }

  feed(bytes: Buffer): void {
    this.#pieces.push(bytes)
    this.#reader.feed(bytes)
  }

  end(): void {
    this.#reader.end()
  }
}

/** The last byte is another. */
function withChange(message: Buffer): Buffer {
  const changed = Buffer.from(message)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  return changed
}

function truncated(response: Buffer, head: number): Buffer {
  const body = response.subarray(head, head + Math.floor((response.length - head) / 2))
  const fields = response
    .toString('latin1', 0, head)
    .replace(/Content-Length: \d+/, `Content-Length: ${body.length}`)
  return Buffer.concat([Buffer.from(fields, 'latin1'), body])
}
