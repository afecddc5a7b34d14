import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ProxyUnderTest } from './proxy.js'
import { RawClient } from './raw-client.js'

const LIMIT_MS = 10_000

/** What a server of a tunnel got: the request's head, and the connection, which is paused. */
export type OnUpgrade = (head: string, socket: Socket) => void

/** A server that reads heads and leaves everything behind them to the test. */
export interface TunnelServer {
  readonly port: number
  readonly heads: string[]
  readonly sockets: Socket[]
  close(): Promise<void>
}

/** A head that grants `protocol`. */
export function switching(protocol = 'websocket'): string {
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`
}

/** A request that asks for `protocol`. */
export function asking(fields = '', protocol = 'websocket'): string {
  return `GET /chat HTTP/1.1\r\nHost: a\r\n${fields}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`
}

/** Starts a server on a free port; what follows a head is put back to be read by the test. */
export async function tunnelServer(onUpgrade: OnUpgrade = grant): Promise<TunnelServer> {
  const heads: string[] = []
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    let text = ''
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.off('data', read)
      socket.pause()
      if (end + 4 < text.length) socket.unshift(Buffer.from(text.slice(end + 4), 'latin1'))
      heads.push(text.slice(0, end + 4))
      onUpgrade(text.slice(0, end + 4), socket)
    }
    socket.on('data', read)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    heads,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

function grant(_head: string, socket: Socket): void {
  socket.write(switching())
}

/** Opens a tunnel through the proxy; gives both ends. */
export async function openTunnel(
  proxy: ProxyUnderTest,
  web: TunnelServer
): Promise<{ client: RawClient; peer: Socket }> {
  const client = new RawClient(proxy.port)
  client.send(asking())
  await client.take(/^HTTP\/1\.1 101 [^]*?\r\n\r\n/)
  const peer = web.sockets.at(-1)
  if (peer === undefined) throw new Error('no connection')
  return { client, peer }
}

/** Waits until a condition holds that becomes true without an event of its own. */
export async function until(isReached: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + LIMIT_MS
  while (!isReached()) {
    if (Date.now() > deadline) throw new Error(`no ${what} within ${LIMIT_MS} ms`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Waits until the proxy holds no connection at all. */
export function nothingLeft({ engine }: ProxyUnderTest): Promise<void> {
  return until(() => {
    const { clientConnections, upstreamConnections } = engine.counters
    return clientConnections === 0 && upstreamConnections === 0
  }, 'end of all connections')
}

/** Reads from a socket until so many bytes have come; they are taken out of it. */
export async function readBytes(socket: Socket, count: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${length} of ${count} bytes within ${LIMIT_MS} ms`))
    }, LIMIT_MS)
    const read = (chunk: Buffer): void => {
      chunks.push(chunk)
      length += chunk.length
      if (length < count) return
      clearTimeout(timer)
      socket.off('data', read)
      socket.pause()
      resolve()
    }
    socket.on('data', read)
    socket.resume()
  })
  return Buffer.concat(chunks)
}

/**
 * Writes a block again and again until nobody has taken anything for a while.
 * @returns how often it was written; `limit` at most
 */
export async function writeUntilStandstill(
  socket: Socket,
  block: Buffer,
  limit: number
): Promise<number> {
  let count = 0
  let lastAt = performance.now()
  const write = (): void => {
    lastAt = performance.now()
    while (count < limit) {
      count++
      if (!socket.write(block)) break
    }
  }
  socket.on('drain', write)
  write()
  await until(() => count >= limit || performance.now() - lastAt > 300, 'standstill')
  socket.off('drain', write)
  return count
}

/** Waits for an event of a socket, in bounded time. */
export async function heard(socket: Socket, event: 'end' | 'close'): Promise<void> {
  if (event === 'close' ? socket.closed : socket.readableEnded) return
  socket.resume()
  await once(socket, event, { signal: AbortSignal.timeout(LIMIT_MS) })
}

/** Breaks a client off, so that its tunnel is over whatever the server does. */
export async function breakOff(client: RawClient): Promise<void> {
  client.socket.resetAndDestroy()
  await client.rest()
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes in buffers of this whole process that somebody still holds. */
export function heldBytes(): number {
  collectGarbage()
  // The first one leaves the memory of buffers to another thread; the second one waits for that.
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}
