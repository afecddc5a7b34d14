import type { FlatFields } from '../headers.js'
import { LAST_CHUNK, chunkSizeLine } from '../http1/write.js'
import type { TcpSocket } from '../tcp/socket.js'
import type { ResponseBody } from './client.js'

/** Small pieces are joined up to this size, so that a message is one write. */
const MAX_JOINED = 16 * 1024

/** Writes HTTP/1.1 responses to a client's socket, one after the other, each in few writes. */
export class ResponseWriter {
  /** Whether the response's own framing tells its end; if not, the connection's end does. */
  isDelimited = true
  readonly #socket: TcpSocket
  /** Text that waits for `flush`. */
  #out = ''
  #isChunked = false

  constructor(socket: TcpSocket) {
    this.#socket = socket
  }

  /** Settles the framing for a client of this HTTP/1 minor version; comes before `begin`. */
  frame(body: ResponseBody, minorVersion: 0 | 1): void {
    this.#isChunked = body === 'unknown' && minorVersion === 1
    this.isDelimited = body !== 'unknown' || minorVersion === 1
  }

  /** Collects the head; returns its bytes. */
  begin(
    status: number,
    phrase: string,
    date: string,
    fields: FlatFields,
    body: ResponseBody,
    keepsAlive: boolean
  ): number {
    let text = status === 200 && phrase === 'OK' ? okBegin(date) : beginOf(status, phrase, date)
    for (let i = 0; i < fields.length; i += 2) {
      text += `${fields[i] ?? ''}: ${fields[i + 1] ?? ''}\r\n`
    }
    if (typeof body === 'number') text += `Content-Length: ${body}\r\n`
    else if (this.#isChunked) text += 'Transfer-Encoding: chunked\r\n'
    text += keepsAlive ? 'Connection: keep-alive\r\n\r\n' : 'Connection: close\r\n\r\n'
    this.#out = text
    return text.length
  }

  /** Adds 1 or more bytes of the body, copying them; returns how many bytes they are on the wire. */
  add(bytes: Buffer): number {
    const size = bytes.length
    const sizeLine = this.#isChunked ? chunkSizeLine(size) : ''
    const lineEnd = this.#isChunked ? '\r\n' : ''
    if (this.#out.length + size <= MAX_JOINED) {
      this.#out += sizeLine + bytes.toString('latin1') + lineEnd
    } else {
      this.#socket.write(this.#out + sizeLine)
      this.#out = ''
      this.#socket.writeCopy(bytes, lineEnd)
    }
    return size + sizeLine.length + lineEnd.length
  }

  /** Adds what ends the body; returns its bytes. */
  finish(): number {
    if (!this.#isChunked) return 0
    this.#out += LAST_CHUNK
    return LAST_CHUNK.length
  }

  /** Hands what was collected to the socket; false if the socket cannot take more for now. */
  flush(): boolean {
    if (this.#out !== '') this.#socket.write(this.#out)
    this.#out = ''
    return !this.#socket.writableNeedDrain
  }
}

function beginOf(status: number, phrase: string, date: string): string {
  return `HTTP/1.1 ${status} ${phrase}\r\nServer: tsha\r\nDate: ${date}\r\n`
}

let okDate = ''
let okText = ''

/** The begin of most responses, made once a second. */
function okBegin(date: string): string {
  if (date !== okDate) {
    okDate = date
    okText = beginOf(200, 'OK', date)
  }
  return okText
}
