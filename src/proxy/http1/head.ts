import { requestFraming, responseFraming, type Framing } from './body.js'
import { MAX_FIELD_LINE, parseFields, type FieldProblem, type Fields } from './fields.js'
import { readRequestFields, readResponseFields } from './marks.js'
import { parseTarget } from './target.js'
import { IS_FIELD_TEXT, IS_TOKEN, hasForbidden, hostOf, skipWhile } from './syntax.js'

/**
 * Parser of HTTP/1.1 heads (RFC 9112 §2 to §5), for requests of clients and responses of upstream
 * servers. A head is one latin1 string. What is ambiguous is refused, never repaired.
 */

/** Longest request line, CRLF not counted; nginx's `large_client_header_buffers` 8k. */
export const MAX_REQUEST_LINE = 8192
/** Longest head with its empty line; nginx's 4 buffers of 8k. */
export const MAX_HEAD = 32768
/** A request head that keeps every rule. Names that are not plain are left out, as nginx does. */
export interface RequestHead extends Fields {
  readonly kind: 'request'
  /** First line as sent. */
  readonly line: string
  readonly method: string
  /** What goes upstream, byte for byte: origin-form or `*`; an absolute-form without its authority. */
  readonly target: string
  readonly minorVersion: 0 | 1
  /** Lower-case host without port, of the absolute-form or the Host field; '' in HTTP/1.0 without. */
  readonly host: string
  readonly framing: Framing
  /** 0 unless `framing` is `length`. */
  readonly contentLength: number
  /** What the client asks for; the answer may still close. */
  readonly keepAlive: boolean
  readonly expectsContinue: boolean
  /** Lower-case field names that Connection nominates as hop-by-hop; null is none. */
  readonly nominated: readonly string[] | null
  /** Value of X-Tsha-Check, null if there is none or more than one. */
  readonly check: string | null
  /** Bytes of the head. */
  readonly length: number
}

/** Why a request is not served: the status to answer and the words for the error log. */
export interface Refusal {
  readonly kind: 'refusal'
  readonly status: 400 | 414 | 431 | 501 | 505
  readonly reason: string
  /** The first line as far as it is known, for the access log. */
  readonly line: string
}

/** A response head that keeps every rule. */
export interface ResponseHead extends Fields {
  readonly kind: 'response'
  /** 100 to 999. */
  readonly status: number
  /** May be ''. */
  readonly phrase: string
  readonly framing: Framing
  readonly contentLength: number
  /** Whether the connection may carry another request when this response is complete. */
  readonly keepAlive: boolean
  /** Value of Keep-Alive, of all its lines; null without the field. */
  readonly keepAliveField: string | null
  readonly nominated: readonly string[] | null
  readonly length: number
}

/** Why a response cannot be used. */
export interface BadResponse {
  readonly kind: 'bad-response'
  readonly reason: string
}

/** Index just after the empty line that ends the head, or -1 if it is not there yet. */
export function findHeadEnd(text: string, from: number): number {
  const end = text.indexOf('\r\n\r\n', from)
  return end < 0 ? -1 : end + 4
}

/**
 * Looks at a request head that is not complete, so that a hopeless one is refused at once.
 * @param checked characters that an earlier call has seen
 * @param acceptBareLf whether LF alone ends a line too
 */
export function refuseIncomplete(
  text: string,
  checked: number,
  acceptBareLf: boolean
): Refusal | null {
  const eol = acceptBareLf ? '\n' : '\r\n'
  const lineEnd = text.indexOf(eol)
  const line = firstLine(
    text.slice(0, lineEnd < 0 ? Math.min(text.length, MAX_REQUEST_LINE) : lineEnd)
  )
  // A CR at the very end may still get its LF.
  const settled = text.endsWith('\r') ? text.slice(0, -1) : text
  if (hasForbidden(settled, Math.max(0, checked - 1), acceptBareLf)) {
    return refusal(400, 'client sent a forbidden character', line)
  }
  if ((lineEnd < 0 ? settled.length : lineEnd) > MAX_REQUEST_LINE) {
    return refusal(414, 'client sent too long URI', line)
  }
  if (text.length > MAX_HEAD) return refusal(431, 'client sent too large head', line)
  if (lineEnd >= 0 && settled.length - settled.lastIndexOf(eol) - eol.length > MAX_FIELD_LINE) {
    return refusal(431, 'client sent too long header line', line)
  }
  return null
}

/**
 * Parses a complete request head: from the first character of its line to its empty line.
 * @param length its bytes as they came, where its line ends were written anew
 */
export function parseRequestHead(text: string, length = text.length): RequestHead | Refusal {
  const lineEnd = text.indexOf('\r\n')
  const line = text.slice(0, lineEnd)
  if (lineEnd > MAX_REQUEST_LINE) {
    return refusal(414, 'client sent too long URI', line.slice(0, MAX_REQUEST_LINE))
  }
  if (text.length > MAX_HEAD) return refusal(431, 'client sent too large head', line)

  const methodEnd = line.indexOf(' ')
  const targetEnd = line.indexOf(' ', methodEnd + 1)
  const method = line.slice(0, methodEnd)
  if (methodEnd < 1 || targetEnd < 0 || skipWhile(IS_TOKEN, method, 0) < methodEnd) {
    return refuseLine(400, 'client sent invalid request line', line)
  }
  const version = line.slice(targetEnd + 1)
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') {
    if (!VERSION.test(version)) return refuseLine(400, 'client sent invalid version', line)
    if (!version.startsWith('HTTP/1.')) return refusal(505, 'client sent unsupported version', line)
  }
  const minorVersion = version === 'HTTP/1.0' ? 0 : 1
  const rawTarget = line.slice(methodEnd + 1, targetEnd)
  const target = parseTarget(method, rawTarget)
  if (target === null) return refuseLine(400, 'client sent invalid request target', line)

  const fields: Fields = { names: [], keys: [], values: [] }
  const problem = parseFields(text, lineEnd + 2, fields, true)
  if (problem !== null) {
    return refusal(problem === 'too-large' ? 431 : 400, FIELD_PROBLEMS[problem], line)
  }
  const marks = readRequestFields(fields, minorVersion)
  if (marks.hosts > 1) return refusal(400, 'client sent duplicate host header', line)
  if (marks.hosts === 0 && minorVersion === 1) {
    return refusal(400, 'client sent HTTP/1.1 request without host header', line)
  }
  const hostField = marks.hosts === 0 ? '' : hostOf(marks.host)
  if (target.authority !== null) replaceHost(fields, target.authority)
  if (hostField === null) return refusal(400, 'client sent invalid host header', line)
  const framed = requestFraming(marks.lengths, marks.length, marks.codings, minorVersion)
  if (!framed.ok) return refusal(framed.status, framed.reason, line)

  return {
    kind: 'request',
    line,
    method,
    target: target.origin,
    minorVersion,
    host: target.host ?? hostField,
    framing: framed.framing,
    contentLength: framed.contentLength,
    keepAlive: marks.keepAlive,
    expectsContinue: marks.expectsContinue && minorVersion === 1,
    nominated: marks.nominated,
    check: marks.check,
    length,
    names: fields.names,
    keys: fields.keys,
    values: fields.values
  }
}

/** Parses a complete response head to a request with this method. */
export function parseResponseHead(text: string, method: string): ResponseHead | BadResponse {
  const minorVersion = statusMinorVersion(text)
  const status = Number(text.slice(STATUS_AT, PHRASE_AT - 1))
  const lineEnd = skipWhile(IS_FIELD_TEXT, text, PHRASE_AT - 1)
  const isWhole = text.charCodeAt(lineEnd) === CR && text.charCodeAt(lineEnd + 1) === LF
  if (minorVersion === null || !isWhole) {
    return badResponse('no valid HTTP/1.x status line')
  }

  const fields: Fields = { names: [], keys: [], values: [] }
  const problem = parseFields(text, lineEnd + 2, fields, false)
  if (problem !== null) return badResponse(FIELD_PROBLEMS[problem].replace('client sent ', ''))
  const marks = readResponseFields(fields, minorVersion)
  const framed = responseFraming(
    marks.lengths,
    marks.length,
    marks.codings,
    minorVersion,
    status,
    method
  )
  if (!framed.ok) return badResponse(framed.reason)
  return {
    kind: 'response',
    status,
    phrase: text.slice(PHRASE_AT, lineEnd),
    framing: framed.framing,
    contentLength: framed.contentLength,
    keepAlive: marks.keepAlive && framed.framing !== 'close',
    keepAliveField: marks.keepAliveField,
    nominated: marks.nominated,
    length: text.length,
    names: fields.names,
    keys: fields.keys,
    values: fields.values
  }
}

const VERSION = /^HTTP\/[0-9]\.[0-9]$/

/** Where they stand in `HTTP/1.1 200 OK`. */
const MINOR_AT = 7
const STATUS_AT = 9
const PHRASE_AT = 13

/** The minor version of a status line up to its status; null if there is no valid one. */
function statusMinorVersion(text: string): 0 | 1 | null {
  if (!text.startsWith('HTTP/1.') || text.charCodeAt(STATUS_AT - 1) !== SPACE) return null
  const minor = text.charCodeAt(MINOR_AT) - DIGIT_0
  const hundreds = text.charCodeAt(STATUS_AT) - DIGIT_0
  const tens = text.charCodeAt(STATUS_AT + 1) - DIGIT_0
  const ones = text.charCodeAt(STATUS_AT + 2) - DIGIT_0
  if (!isDigit(minor) || !isDigit(hundreds) || !isDigit(tens) || !isDigit(ones)) return null
  // RFC 9112 §4 wants a space even before an empty phrase; servers that leave it out are unambiguous.
  const behind = text.charCodeAt(PHRASE_AT - 1)
  if (hundreds === 0 || (behind !== SPACE && behind !== CR)) return null
  return minor === 0 ? 0 : 1
}

function isDigit(value: number): boolean {
  return value >= 0 && value <= 9
}

/** RFC 9112 §3.2.2: whatever Host says, an absolute-form replaces it, for `$http_host` too. */
function replaceHost(fields: Fields, authority: string): void {
  const index = fields.keys.indexOf('host')
  if (index >= 0) fields.values[index] = authority
}

const FIELD_PROBLEMS: Record<FieldProblem, string> = {
  forbidden: 'client sent a forbidden character',
  'invalid-line': 'client sent invalid header line',
  'obs-fold': 'client sent folded header line',
  'too-large': 'client sent too large header'
}

const SPACE = 0x20
const CR = 0x0d
const LF = 0x0a
const DIGIT_0 = 0x30

function firstLine(line: string): string {
  return line.split(/[\r\n]/, 1)[0] ?? ''
}

/** A forbidden character is the reason that says most. */
function refuseLine(status: Refusal['status'], reason: string, line: string): Refusal {
  if (!hasForbidden(line, 0)) return refusal(status, reason, line)
  return refusal(400, FIELD_PROBLEMS.forbidden, firstLine(line))
}

function refusal(status: Refusal['status'], reason: string, line: string): Refusal {
  return { kind: 'refusal', status, reason, line }
}

function badResponse(reason: string): BadResponse {
  return { kind: 'bad-response', reason }
}
