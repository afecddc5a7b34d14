import { Socket, createServer, type Server } from 'node:net'
import { TcpSocket } from './socket.js'

/**
 * A server whose connections read to the shared buffer. Node offers `onread` for connections that it
 * begins and not for those that it accepts, so this takes the place of the server's own handler for
 * an accepted connection, which is private (`Server._handle.onconnection`). Where it is missing, each
 * connection is the public one, and allocates for each read.
 */

/** Node's handle of an accepted connection. */
interface AcceptedHandle {
  setNoDelay(isOn: boolean): void
}

/** What is used of Node's handle of a listening socket. */
interface ListeningHandle {
  onconnection?: (status: number, accepted: AcceptedHandle | undefined) => void
}

/** Makes a server; the caller listens with it and handles its errors. */
export function createAcceptor(onAccept: (socket: TcpSocket) => void): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    onAccept(TcpSocket.adopt(socket))
  })
  server.prependListener('listening', () => {
    const handle = (server as unknown as { readonly _handle: ListeningHandle | null })._handle
    const original = handle?.onconnection
    if (handle === null || typeof original !== 'function') return
    handle.onconnection = (status, accepted): void => {
      if (accepted === undefined) original.call(handle, status, accepted)
      else onAccept(readingDirectly(accepted))
    }
  })
  return server
}

function readingDirectly(accepted: AcceptedHandle): TcpSocket {
  accepted.setNoDelay(true)
  return new TcpSocket((onread) => {
    // `handle` is what Node's own server passes; its types do not know it.
    const options = {
      handle: accepted,
      allowHalfOpen: true,
      readable: true,
      writable: true,
      onread
    }
    return new Socket(options)
  })
}
