import { errorPage, phraseOf } from '../http1/write.js'
import type { TcpSocket } from '../tcp/socket.js'

const PAGE = errorPage(503)

/**
 * Answers a client that may not have this connection before it has asked, and closes. Nothing of it
 * is kept: the answer fits into the kernel's buffer, so that no wait depends on the client.
 * @param date value of the Date field
 */
export function refuseConnection(socket: TcpSocket, date: string): void {
  const head =
    `HTTP/1.1 503 ${phraseOf(503)}\r\nServer: tsha\r\nDate: ${date}\r\nContent-Type: text/html\r\n` +
    `Content-Length: ${PAGE.length}\r\nConnection: close\r\n\r\n`
  // It goes on reading until then: a close over unread bytes would take the answer back.
  socket.write(head + PAGE)
  socket.destroySoon()
}
