import { createServer, type Server } from 'node:net'
import { LOOPBACK } from '../../../bench/sockets.js'
import { Conversation, type ServerSide } from './conversation.js'

/** Starts an upstream server in this process; port 0 is any. */
export function listen(port: number, side: ServerSide): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    new Conversation(socket, side)
  })
  return server.listen(port, LOOPBACK)
}
