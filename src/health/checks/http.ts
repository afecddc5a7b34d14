import { request, type IncomingMessage } from 'node:http'
import type { CheckRun } from '../scheduler.js'
import { boundedRun, endWithError, type EndCheck } from './bounded.js'

/** A server that is well when it answers a GET as expected. */
export interface HttpOptions {
  readonly host: string
  readonly port: number
  readonly path: string
  /** Value of the Host field. */
  readonly hostField: string
  /** For the whole check, from the connection to the last byte that is looked at. */
  readonly timeoutMs: number
  /** Status codes that pass, both ends included. */
  readonly expectStatus: readonly (readonly [first: number, last: number])[]
  /** Text that the body must have; null does not read it. */
  readonly expectBody: string | null
}

/** Of a body no more is looked at. */
const MAX_BODY_BYTES = 64 * 1024

/** The check that asks `GET path` on a connection of its own. */
export function httpCheck(options: HttpOptions): CheckRun {
  const { timeoutMs, expectBody } = options
  return (signal) =>
    boundedRun(signal, timeoutMs, `did not answer within ${timeoutMs} ms`, (end) => {
      const message = request({
        host: options.host,
        port: options.port,
        path: options.path,
        agent: false,
        setHost: false,
        headers: { Host: options.hostField, 'User-Agent': 'tsha-check', Connection: 'close' }
      })
      // Stays for life: what breaks after the end of the check is nobody's error.
      message.on('error', (error) => {
        endWithError(end, error)
      })
      message.on('response', (response) => {
        const status = response.statusCode ?? 0
        response.on('error', (error) => {
          end(false, error.message)
        })
        const isExpected = options.expectStatus.some(
          ([first, last]) => status >= first && status <= last
        )
        if (!isExpected) end(false, `answered ${status}`)
        else if (expectBody === null) end(true, `answered ${status}`)
        else readBody(response, expectBody, end)
      })
      message.end()
      return message
    })
}

function readBody(response: IncomingMessage, expected: string, end: EndCheck): void {
  let body = ''
  response.setEncoding('utf8')
  response.on('data', (piece: string) => {
    body += piece
    if (body.includes(expected)) end(true, 'answered with the expected text')
    else if (body.length > MAX_BODY_BYTES) end(false, 'the expected text is not in the answer')
  })
  response.on('end', () => {
    end(false, 'the expected text is not in the answer')
  })
}
