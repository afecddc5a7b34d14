import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { LOOPBACK } from '../../bench/sockets.js'

/** Below what Linux gives to connections by itself (`ip_local_port_range`). */
const LOWEST_PORT = 12_000
const PORT_SPAN = 20_000

/**
 * A free port that no outgoing connection gets: a server that was killed must find it free again, and
 * whoever connects to it meanwhile must not be connected to himself.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORT_SPAN)
    const server = createServer().listen(port, LOOPBACK)
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

/** Resolves when the socket takes more; false once it is closed or ended. */
export async function isDrained(socket: Socket): Promise<boolean> {
  if (!socket.writable) return false
  if (!socket.writableNeedDrain) return true
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle)
      socket.off('close', settle)
      resolve()
    }
    socket.on('drain', settle)
    socket.on('close', settle)
  })
  return socket.writable
}
