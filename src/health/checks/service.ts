import { connect } from 'node:net'
import type { CheckResult, CheckRun } from '../scheduler.js'
import { boundedRun } from './bounded.js'

/** Where and how our own proxy is asked. */
export interface ServiceOptions {
  /** Each is asked; one that does not answer fails the check. */
  readonly listeners: readonly { readonly host: string; readonly port: number }[]
  readonly timeoutMs: number
  /** Tells the workers that the request is this check. */
  readonly token: string
}

/** The answer of a worker to the service check, and nothing more of it is read. */
const PASS = 'HTTP/1.1 204 '

/**
 * The check of our own proxy: a request through each of its listeners, answered by a worker. It goes
 * the way of every client's request, so a proxy that is alive but does not serve fails it.
 */
export function serviceCheck(options: ServiceOptions): CheckRun {
  return async (signal) => {
    const results = await Promise.all(
      options.listeners.map((listener) =>
        askListener(reachableHost(listener.host), listener.port, options, signal)
      )
    )
    return results.find((result) => !result.passed) ?? { passed: true, detail: 'answered' }
  }
}

function askListener(
  host: string,
  port: number,
  options: ServiceOptions,
  signal: AbortSignal
): Promise<CheckResult> {
  const { timeoutMs, token } = options
  const late = `${host}:${port} did not answer within ${timeoutMs} ms`
  return boundedRun(signal, timeoutMs, late, (end) => {
    const socket = connect({ host, port })
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('error', (error) => {
      end(false, error.message)
    })
    socket.on('end', () => {
      end(false, `${host}:${port} closed without an answer`)
    })
    socket.on('data', (chunk: string) => {
      answer += chunk
      if (answer.length < PASS.length) return
      if (answer.startsWith(PASS)) end(true, 'answered')
      else end(false, `${host}:${port} answered ${JSON.stringify(answer.slice(0, 40))}`)
    })
    socket.write(
      `GET / HTTP/1.1\r\nHost: tsha\r\nConnection: close\r\nX-Tsha-Check: ${token}\r\n\r\n`
    )
    return socket
  })
}

/** A wildcard address is asked through loopback. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
