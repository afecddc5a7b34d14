import { createServer, request as httpRequest, IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'

/**
 * What llhttp, Node's own parser in its strict mode, makes of bytes. It is reached by public means
 * only: a server that is given a stream which is no socket, and a client on such a stream.
 */

/** A request as llhttp understands it. */
export interface OracleRequest {
  method: string
  /** As sent. */
  target: string
  minorVersion: number
  /** Name, value, name, value … as sent. */
  fields: readonly string[]
  body: string
  isComplete: boolean
}

/** What llhttp makes of a client's bytes. */
export interface OracleRequests {
  readonly requests: OracleRequest[]
  /** Its error code, null if it has nothing against the bytes. */
  error: string | null
  /** How many requests were complete after each piece. */
  readonly completeAfter: number[]
}

/** A stream whose data is given to its reader at once; what is written to it is dropped. */
class Wire extends Duplex {
  override _read(): void {
    // Its data does not wait to be asked for.
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done()
  }

  /** A server and a client set timeouts on what they take for a socket. */
  setTimeout(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  feed(bytes: Buffer): void {
    this.emit('data', bytes)
  }
}

/** A message that takes its body as it is parsed, without the turns of the loop that a stream needs. */
class Message extends IncomingMessage {
  record: OracleRequest | undefined
  #body = ''
  #isComplete = false

  override push(chunk: Buffer | null): boolean {
    if (chunk === null) this.#isComplete = true
    else this.#body += chunk.toString('latin1')
    if (this.record !== undefined) {
      this.record.body = this.#body
      this.record.isComplete = this.#isComplete
    }
    return true
  }
}

const HEAD_LIMIT = 1024 * 1024

let current: OracleRequests = { requests: [], error: null, completeAfter: [] }

const server = createServer({
  IncomingMessage: Message,
  insecureHTTPParser: false,
  requireHostHeader: false,
  maxHeaderSize: HEAD_LIMIT,
  requestTimeout: 0,
  headersTimeout: 0
})
server.maxHeadersCount = 0
server.timeout = 0
for (const event of ['request', 'checkContinue', 'checkExpectation', 'connect']) {
  server.on(event, (message: Message) => {
    message.record = {
      method: message.method ?? '',
      target: message.url ?? '',
      minorVersion: message.httpVersionMinor,
      fields: message.rawHeaders,
      body: '',
      isComplete: false
    }
    current.requests.push(message.record)
  })
}
server.on('clientError', (error: NodeJS.ErrnoException) => {
  current.error ??= error.code ?? error.message
})

/**
 * Reads requests out of a client's bytes.
 * @param places where the bytes are cut; also where `completeAfter` counts
 */
export function llhttpRequests(text: string, places: readonly number[] = []): OracleRequests {
  const result: OracleRequests = { requests: [], error: null, completeAfter: [] }
  current = result
  const wire = new Wire()
  server.emit('connection', wire)
  const bytes = Buffer.from(text, 'latin1')
  let from = 0
  for (const to of [...places, bytes.length]) {
    // A parser that has refused once is not asked again.
    if (to > from && current.error === null) wire.feed(bytes.subarray(from, to))
    from = to
    result.completeAfter.push(result.requests.filter((each) => each.isComplete).length)
  }
  wire.emit('close')
  return result
}

/** What llhttp makes of a response. */
export interface OracleResponse {
  /** Statuses of the interim responses. */
  readonly interims: number[]
  /** 0 if no final response was understood. */
  status: number
  phrase: string
  minorVersion: number
  fields: readonly string[]
  body: string
  isComplete: boolean
  /** After how many pieces it was complete, -1 if it never was. */
  completeAfter: number
  error: string | null
}

/**
 * Reads the response to a request with `method` out of an upstream server's bytes.
 * @param isEnded whether the connection ends behind them
 */
export async function llhttpResponse(
  text: string,
  method: string,
  isEnded: boolean,
  places: readonly number[] = []
): Promise<OracleResponse> {
  const result: OracleResponse = {
    interims: [],
    status: 0,
    phrase: '',
    minorVersion: 0,
    fields: [],
    body: '',
    isComplete: false,
    completeAfter: -1,
    error: null
  }
  const wire = new Wire()
  const client = httpRequest({
    method,
    createConnection: () => wire,
    insecureHTTPParser: false,
    maxHeaderSize: HEAD_LIMIT
  })
  client.maxHeadersCount = 0
  client.on('information', ({ statusCode }) => result.interims.push(statusCode))
  client.on('upgrade', ({ statusCode }) => result.interims.push(statusCode ?? 0))
  client.on('error', (error: NodeJS.ErrnoException) => {
    result.error ??= error.code ?? error.message
  })
  client.on('response', (message) => {
    result.status = message.statusCode ?? 0
    result.phrase = message.statusMessage ?? ''
    result.minorVersion = message.httpVersionMinor
    result.fields = message.rawHeaders
    message.on('error', () => undefined)
    message.push = (chunk: Buffer | null): boolean => {
      if (chunk === null) result.isComplete = true
      else result.body += chunk.toString('latin1')
      return true
    }
  })
  client.end()
  // The client takes its connection in the next tick.
  await new Promise<void>((resolve) => {
    process.nextTick(resolve)
  })
  const bytes = Buffer.from(text, 'latin1')
  let from = 0
  for (const [index, to] of [...places, bytes.length].entries()) {
    if (to > from) wire.feed(bytes.subarray(from, to))
    from = to
    if (result.isComplete && result.completeAfter < 0) result.completeAfter = index
  }
  if (isEnded) wire.emit('end')
  const { isComplete } = result
  wire.emit('close')
  client.destroy()
  result.isComplete = isComplete
  return result
}
