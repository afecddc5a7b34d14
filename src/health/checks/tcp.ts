import { connect } from 'node:net'
import type { CheckResult, CheckRun } from '../scheduler.js'

/** A server that is well when it takes a connection. */
export interface TcpOptions {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
}

/** The check that connects, and closes at once without a byte. */
export function tcpCheck({ host, port, timeoutMs }: TcpOptions): CheckRun {
  return (signal) =>
    new Promise<CheckResult>((resolve) => {
      const socket = connect({ host, port })
      const end = (passed: boolean, detail: string): void => {
        signal.removeEventListener('abort', abort)
        clearTimeout(timer)
        socket.destroy()
        resolve({ passed, detail })
      }
      const abort = (): void => {
        end(false, 'ended with tsha')
      }
      const timer = setTimeout(() => {
        end(false, `took no connection within ${timeoutMs} ms`)
      }, timeoutMs)
      signal.addEventListener('abort', abort)
      socket.on('error', (error) => {
        end(false, error.message)
      })
      socket.on('connect', () => {
        end(true, 'took a connection')
      })
    })
}
