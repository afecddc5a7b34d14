import type { Socket } from 'node:net'

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
