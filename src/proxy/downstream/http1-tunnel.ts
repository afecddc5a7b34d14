import type { FlatFields } from '../headers.js'
import type { TcpSocket } from '../tcp/socket.js'
import type { Transaction } from '../variables.js'
import type { ClientTunnel } from './client.js'

/** The client's side of a tunnel over a connection that spoke HTTP/1.1 until now. */
export class Http1Tunnel implements ClientTunnel {
  readonly early: Buffer | null
  readonly #socket: TcpSocket
  readonly #transaction: Transaction | null
  readonly #onOver: (isCut: boolean) => void

  /** @param onOver told once it is over; `isCut` asks for a reset */
  constructor(
    socket: TcpSocket,
    transaction: Transaction | null,
    early: Buffer | null,
    onOver: (isCut: boolean) => void
  ) {
    this.#socket = socket
    this.#transaction = transaction
    this.early = early
    this.#onOver = onOver
  }

  /** Sends the last head of the connection. */
  begin(phrase: string, date: string, protocol: string, fields: FlatFields): void {
    let head = `HTTP/1.1 101 ${phrase}\r\nServer: tsha\r\nDate: ${date}\r\n`
    for (let i = 0; i < fields.length; i += 2) {
      head += `${fields[i] ?? ''}: ${fields[i + 1] ?? ''}\r\n`
    }
    head += `Upgrade: ${protocol}\r\nConnection: upgrade\r\n\r\n`
    this.#socket.write(head)
    if (this.#transaction === null) return
    this.#transaction.status = 101
    this.#transaction.bytesSent += head.length
  }

  write(bytes: Buffer): boolean {
    if (this.#transaction !== null) {
      this.#transaction.bodyBytesSent += bytes.length
      this.#transaction.bytesSent += bytes.length
    }
    return this.#socket.writeCopy(bytes, '')
  }

  want(isWanted: boolean): void {
    if (isWanted) this.#socket.resume()
    else this.#socket.pause()
  }

  end(): void {
    this.#socket.end()
  }

  close(): void {
    this.#onOver(false)
  }

  abort(): void {
    this.#onOver(true)
  }
}
