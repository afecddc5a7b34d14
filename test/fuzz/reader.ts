import { Intake } from '../../src/proxy/downstream/intake.js'
import { ResponseWriter } from '../../src/proxy/downstream/response-writer.js'
import {
  compileRequestPlan,
  declaredLength,
  requestHeadText,
  responseFields
} from '../../src/proxy/headers.js'
import { findLenientHeadEnd, withCrlf } from '../../src/proxy/http1/bare-lf.js'
import { BodyDecoder } from '../../src/proxy/http1/body.js'
import {
  MAX_HEAD,
  findHeadEnd,
  parseResponseHead,
  type Refusal,
  type RequestHead,
  type ResponseHead
} from '../../src/proxy/http1/head.js'
import { hasForbidden } from '../../src/proxy/http1/syntax.js'
import { LAST_CHUNK, chunkSizeLine } from '../../src/proxy/http1/write.js'
import { normalisePath } from '../../src/proxy/route.js'
import type { TcpSocket } from '../../src/proxy/tcp/socket.js'
import { openTransaction } from '../../src/proxy/transaction.js'
import type { Transaction } from '../../src/proxy/variables.js'

/**
 * tsha's reading and writing of messages without its sockets: the same calls in the same order as
 * in its connections. The runs over real sockets show that they agree.
 */

/** What is under test; a test that wants to see a fault found puts its own in its place. */
export interface Rules {
  readonly readHead: (intake: Intake) => RequestHead | Refusal | null
  readonly requestHeadText: typeof requestHeadText
  readonly parseResponseHead: typeof parseResponseHead
  /** Whether `accept_bare_lf` is on, for the listener and for the upstream. */
  readonly acceptBareLf: boolean
}

export const RULES: Rules = {
  readHead: (intake) => intake.read(),
  requestHeadText,
  parseResponseHead,
  acceptBareLf: false
}

/** The same with `accept_bare_lf`. */
export const LENIENT_RULES: Rules = { ...RULES, acceptBareLf: true }

/** A request that tsha serves. */
export interface ServedRequest {
  readonly head: RequestHead
  /** The body as its pieces came. */
  readonly pieces: string[]
  isComplete: boolean
  /** Index of its first byte. */
  start: number
  /** Index behind its last byte, if it is complete. */
  end: number
}

/** What tsha makes of a client's bytes; `closing` is after a request that was the last one. */
export interface ServedRequests {
  readonly requests: ServedRequest[]
  ending: 'waiting' | 'refused' | 'closing'
  /** Why it was refused. */
  reason: string
}

/** Reads requests as a client's connection does. */
export function readRequests(
  text: string,
  places: readonly number[],
  rules: Rules = RULES
): ServedRequests {
  const bytes = Buffer.from(text, 'latin1')
  const result: ServedRequests = { requests: [], ending: 'waiting', reason: '' }
  const intake = new Intake(rules.acceptBareLf)
  let request: ServedRequest | null = null
  let decoder: BodyDecoder | null = null
  const refuse = (reason: string): false => {
    result.ending = 'refused'
    result.reason = reason
    return false
  }
  const complete = (end: number): void => {
    if (request === null) return
    request.isComplete = true
    request.end = end
    if (!request.head.keepAlive) result.ending = 'closing'
    request = null
    decoder = null
  }
  /** Returns false if more bytes are needed or wanted. */
  const readHead = (arrived: number): boolean => {
    if (!intake.skipEmptyLines()) return false
    const start = arrived - intake.length
    const head = rules.readHead(intake)
    if (head === null) return false
    if (head.kind === 'refusal') return refuse(head.reason)
    if (head.method === 'CONNECT' || head.method === 'TRACE') return refuse('method')
    if (normalisePath(head.target) === null) return refuse('path')
    request = { head, pieces: [], isComplete: false, start, end: -1 }
    result.requests.push(request)
    decoder = new BodyDecoder(head.framing, head.contentLength)
    if (decoder.done) complete(arrived - intake.length)
    return true
  }
  const readBody = (arrived: number): boolean => {
    const bytes = intake.takeRest()
    if (decoder === null || request === null || bytes === null) return false
    const pieces: Buffer[] = []
    const at = decoder.decode(bytes, 0, bytes.length, pieces)
    if (at < 0) return refuse('client sent invalid chunked body')
    if (pieces.length > 0) request.pieces.push(Buffer.concat(pieces).toString('latin1'))
    intake.keep(bytes.subarray(at))
    if (decoder.done) complete(arrived - intake.length)
    return true
  }
  const readMore = (arrived: number): boolean =>
    request === null ? readHead(arrived) : readBody(arrived)
  let from = 0
  for (const to of [...places, bytes.length]) {
    intake.keep(bytes.subarray(from, to))
    from = to
    while (result.ending === 'waiting' && intake.length > 0) {
      if (!readMore(to)) break
    }
    if (result.ending !== 'waiting') break
  }
  return result
}

const FACTS = {
  remoteAddress: '192.0.2.1',
  remotePort: 5000,
  serverAddress: '192.0.2.2',
  serverPort: 80,
  connection: 1
}

/** The example pair's fields, and what goes upstream if nothing is configured. */
export const PLANS = [
  compileRequestPlan(
    [
      ['Host', '$host'],
      ['X-Real-IP', '$remote_addr'],
      ['X-Forwarded-For', '$proxy_add_x_forwarded_for'],
      ['X-Forwarded-Proto', '$scheme']
    ],
    { hostname: 'director', pid: 1 }
  ),
  compileRequestPlan([], { hostname: 'director', pid: 1 })
] as const

function transactionOf(head: RequestHead | null): Transaction {
  const transaction = openTransaction(FACTS, head, head?.line ?? '', 1, 0)
  transaction.proxyHost = 'web'
  if (transaction.host === '') transaction.host = 'fallback'
  return transaction
}

/** What goes upstream for a complete request. */
export function upstreamBytes(request: ServedRequest, plan: number, rules: Rules = RULES): string {
  const { head, pieces } = request
  let text = rules.requestHeadText(PLANS[plan] ?? PLANS[0], head, transactionOf(head))
  if (head.framing !== 'chunked') return text + pieces.join('')
  for (const piece of pieces) text += `${chunkSizeLine(piece.length)}${piece}\r\n`
  return text + LAST_CHUNK
}

/** What tsha makes of an upstream server's bytes. */
export interface ServedResponse {
  /** Null if nothing of it is passed on. */
  head: ResponseHead | null
  interims: number
  readonly pieces: string[]
  isComplete: boolean
  /** Index behind its head, interim ones with it, if there is one. */
  bodyStart: number
  /** Index behind its last byte, if it is complete. */
  end: number
  /** Whether the connection carries another request afterwards. */
  isReused: boolean
  /** Why it was refused or cut, '' if it was not. */
  problem: string
}

/** Reads the response to a request with `method` as an attempt does. */
export function readResponse(
  text: string,
  method: string,
  isEnded: boolean,
  places: readonly number[],
  rules: Rules = RULES
): ServedResponse {
  const bytes = Buffer.from(text, 'latin1')
  const result: ServedResponse = {
    head: null,
    interims: 0,
    pieces: [],
    isComplete: false,
    bodyStart: -1,
    end: -1,
    isReused: false,
    problem: ''
  }
  let partial = ''
  let decoder: BodyDecoder | null = null
  const fail = (problem: string): void => {
    result.problem = problem
  }
  /** Returns the index in `bytes` at which the body begins, or -1. */
  const readHead = (to: number): number => {
    for (;;) {
      const { acceptBareLf } = rules
      const end = acceptBareLf ? findLenientHeadEnd(partial, 0) : findHeadEnd(partial, 0)
      if (end < 0) {
        const settled = partial.endsWith('\r') ? partial.slice(0, -1) : partial
        const isBegin = 'HTTP/1.'.startsWith(partial.slice(0, 7))
        if (!isBegin || hasForbidden(settled, 0, acceptBareLf)) fail('no valid header')
        else if (partial.length > MAX_HEAD) fail('too big header')
        return -1
      }
      if (end > MAX_HEAD) {
        fail('too big header')
        return -1
      }
      const parsed = rules.parseResponseHead(
        acceptBareLf ? withCrlf(partial.slice(0, end)) : partial.slice(0, end),
        method
      )
      if (parsed.kind === 'bad-response') {
        fail(parsed.reason)
        return -1
      }
      partial = partial.slice(end)
      if (parsed.status >= 200) {
        result.head = parsed
        result.bodyStart = to - partial.length
        return to - partial.length
      }
      if (parsed.status === 101 || ++result.interims > 16) {
        fail('unexpected status')
        return -1
      }
    }
  }
  const read = (from: number, to: number): void => {
    let at = from
    const isFirst = decoder === null
    if (decoder === null) {
      partial += bytes.toString('latin1', from, to)
      at = readHead(to)
      const head = result.head
      if (at < 0 || head === null) return
      decoder = new BodyDecoder(head.framing, head.contentLength)
    }
    const pieces: Buffer[] = []
    const end = decoder.decode(bytes, at, to, pieces)
    if (end < to) {
      if (isFirst) result.head = null
      fail('broken body')
      return
    }
    for (const piece of pieces) result.pieces.push(piece.toString('latin1'))
    if (decoder.done) {
      result.isComplete = true
      result.end = end
      result.isReused = result.head?.keepAlive ?? false
    }
  }
  let from = 0
  for (const to of [...places, bytes.length]) {
    if (to > from && result.problem === '' && !result.isComplete) read(from, to)
    from = to
  }
  if (isEnded && result.problem === '' && !result.isComplete) {
    const head = result.head
    if (head?.framing === 'close') {
      result.isComplete = true
      result.end = bytes.length
    } else fail('prematurely closed')
  }
  return result
}

/** What a client that speaks HTTP/1.`minorVersion` is sent for a complete response. */
export function clientBytes(response: ServedResponse, minorVersion: 0 | 1): string {
  const { head, pieces } = response
  if (head === null) return ''
  const written: string[] = []
  const socket = {
    write: (text: string) => written.push(text),
    writeCopy: (bytes: Buffer, after: string) => written.push(bytes.toString('latin1'), after),
    writableNeedDrain: false
  }
  const writer = new ResponseWriter(socket as unknown as TcpSocket)
  const fields = responseFields(head, transactionOf(null))
  const declared = head.framing === 'none' && head.status !== 204 ? declaredLength(head) : null
  if (declared !== null) fields.push('Content-Length', declared)
  const body =
    head.framing === 'length' ? head.contentLength : head.framing === 'none' ? 'none' : 'unknown'
  writer.frame(body, minorVersion)
  writer.begin(head.status, head.phrase, 'now', fields, body, writer.isDelimited)
  for (const piece of pieces) writer.add(Buffer.from(piece, 'latin1'))
  writer.finish()
  writer.flush()
  return written.join('')
}
