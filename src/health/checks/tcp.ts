import { connect } from 'node:net'
import type { CheckRun } from '../scheduler.js'
import { boundedRun, endWithError } from './bounded.js'

/** A server that is well when it takes a connection. */
export interface TcpOptions {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
}

/** The check that connects, and closes at once without a byte. */
export function tcpCheck({ host, port, timeoutMs }: TcpOptions): CheckRun {
  return (signal) =>
    boundedRun(signal, timeoutMs, `took no connection within ${timeoutMs} ms`, (end) => {
      const socket = connect({ host, port })
      socket.on('error', (error) => {
        endWithError(end, error)
      })
      socket.on('connect', () => {
        end(true, 'took a connection')
      })
      return socket
    })
}
