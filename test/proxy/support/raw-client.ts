import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const LIMIT_MS = 10_000

/** A client that says and hears bytes. */
export class RawClient {
  readonly socket: Socket
  /** Everything received, as latin1. */
  received = ''
  /** How the connection ended: `end`, `reset`, or null while it is open. */
  ending: 'end' | 'reset' | null = null
  #wake: () => void = () => undefined

  /** @param localAddress the client's own address */
  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
      this.#wake()
    })
    this.socket.on('error', () => {
      this.ending = 'reset'
    })
    this.socket.on('end', () => {
      this.ending ??= 'end'
      this.#wake()
    })
    this.socket.on('close', () => {
      this.ending ??= 'end'
      this.#wake()
    })
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Waits until the pattern is there; takes it and all before it out of `received`. */
  async take(pattern: RegExp): Promise<string> {
    await this.#until(() => pattern.test(this.received) || this.ending !== null, String(pattern))
    const match = pattern.exec(this.received)
    if (match === null)
      throw new Error(`connection over without ${String(pattern)}: ${this.received}`)
    const end = match.index + match[0].length
    const taken = this.received.slice(0, end)
    this.received = this.received.slice(end)
    return taken
  }

  /** Waits for the end of the connection and gives everything received. */
  async rest(): Promise<string> {
    await this.#until(() => this.ending !== null, 'the end')
    return this.received
  }

  async close(): Promise<void> {
    if (this.socket.closed) return
    this.socket.destroy()
    await once(this.socket, 'close')
  }

  async #until(isReached: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + LIMIT_MS
    while (!isReached()) {
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`no ${what} within ${LIMIT_MS} ms; got: ${this.received}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = (): void => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

/** Sends one text on a new connection and gives everything until the server closes it. */
export async function exchange(port: number, text: string): Promise<string> {
  const client = new RawClient(port)
  client.send(text)
  const response = await client.rest()
  await client.close()
  return response
}

/** A GET that closes after its response. */
export function get(path = '/', fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: example.org\r\n${fields}Connection: close\r\n\r\n`
}

/** The status code of a response. */
export function statusOf(response: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1] ?? 0)
}
