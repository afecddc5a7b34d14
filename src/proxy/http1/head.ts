import { isFramingField, requestFraming, responseFraming, type Framing } from './body.js'
import { parseTarget } from './target.js'
import {
  IS_FIELD_TEXT,
  IS_TOKEN,
  commonNameAt,
  hasForbidden,
  hostOf,
  isPlainKey,
  listElements,
  skipWhile,
  trimmedSlice
} from './syntax.js'

/**
 * Parser of HTTP/1.1 heads (RFC 9112 §2 to §5), for requests of clients and responses of upstream
 * servers. A head is one latin1 string. What is ambiguous is refused, never repaired.
 */

/** Longest request line, CRLF not counted; nginx's `large_client_header_buffers` 8k. */
export const MAX_REQUEST_LINE = 8192
/** Longest field line. */
export const MAX_FIELD_LINE = 8192
/** Longest head with its empty line; nginx's 4 buffers of 8k. */
export const MAX_HEAD = 32768
/** Most field lines; nginx's `max_headers`. */
export const MAX_FIELDS = 1000

/** Field lines in the order in which they came: three arrays of equal length. */
export interface Fields {
  /** As sent. */
  readonly names: string[]
  /** Lower case. */
  readonly keys: string[]
  /** Without the white space around them; may be ''. */
  readonly values: string[]
}

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

type FieldProblem = 'forbidden' | 'invalid-line' | 'obs-fold' | 'too-large'
const FIELD_PROBLEMS: Record<FieldProblem, string> = {
  forbidden: 'client sent a forbidden character',
  'invalid-line': 'client sent invalid header line',
  'obs-fold': 'client sent folded header line',
  'too-large': 'client sent too large header'
}

const SPACE = 0x20
const TAB = 0x09
const CR = 0x0d
const LF = 0x0a
const COLON = 0x3a
const DIGIT_0 = 0x30

/**
 * Reads field lines up to the empty line. Every character is looked at once: this is where a head's
 * time goes.
 * @param onlyPlain drop fields with other names
 */
function parseFields(
  text: string,
  from: number,
  fields: Fields,
  onlyPlain: boolean
): FieldProblem | null {
  let lineStart = from
  let lines = 0
  while (text.charCodeAt(lineStart) !== CR) {
    const colon = skipWhile(IS_TOKEN, text, lineStart)
    if (colon === lineStart || text.charCodeAt(colon) !== COLON) return nameProblem(text, lineStart)
    const lineEnd = skipWhile(IS_FIELD_TEXT, text, colon + 1)
    if (text.charCodeAt(lineEnd) !== CR || text.charCodeAt(lineEnd + 1) !== LF) return 'forbidden'
    if (++lines > MAX_FIELDS || lineEnd - lineStart > MAX_FIELD_LINE) return 'too-large'
    const common = commonNameAt(text, lineStart, colon)
    const name = common === null ? text.slice(lineStart, colon) : common.name
    const key = common === null ? name.toLowerCase() : common.key
    // A tab behind the value is white space for some readers and a part of the value for others.
    const isPadded = text.charCodeAt(lineEnd - 1) <= SPACE
    if (isPadded && isFramingField(key) && text.slice(colon, lineEnd).includes('\t')) {
      return 'invalid-line'
    }
    if (!onlyPlain || common !== null || isPlainKey(key)) {
      fields.names.push(name)
      fields.keys.push(key)
      fields.values.push(trimmedSlice(text, colon + 1, lineEnd))
    }
    lineStart = lineEnd + 2
  }
  return text.charCodeAt(lineStart + 1) === LF ? null : 'forbidden'
}

/** What is wrong with a line that does not begin with a name and a colon. */
function nameProblem(text: string, lineStart: number): FieldProblem {
  if (hasForbidden(text, lineStart)) return 'forbidden'
  const first = text.charCodeAt(lineStart)
  return first === SPACE || first === TAB ? 'obs-fold' : 'invalid-line'
}

/** What the fields say about the message and its connection. */
interface Marks {
  hosts: number
  host: string
  lengths: number
  length: string
  /** Transfer codings of all lines in order, null without the field. */
  codings: string[] | null
  keepAlive: boolean
  keepAliveField: string | null
  nominated: string[] | null
  expectsContinue: boolean
  check: string | null
  checks: number
}

function newMarks(minorVersion: 0 | 1): Marks {
  return {
    hosts: 0,
    host: '',
    lengths: 0,
    length: '',
    codings: null,
    keepAlive: minorVersion === 1,
    keepAliveField: null,
    nominated: null,
    expectsContinue: false,
    check: null,
    checks: 0
  }
}

function readRequestFields(fields: Fields, minorVersion: 0 | 1): Marks {
  const marks = newMarks(minorVersion)
  const { keys, values } = fields
  for (let i = 0; i < keys.length; i++) {
    const value = values[i] ?? ''
    switch (keys[i]) {
      case 'host':
        marks.hosts++
        marks.host = value
        break
      case 'expect':
        // Other expectations are left alone, as nginx does; they do not travel.
        marks.expectsContinue ||= listElements(value).includes('100-continue')
        break
      case 'x-tsha-check':
        marks.check = ++marks.checks === 1 ? value : null
        break
      default:
        readSharedField(marks, keys[i] ?? '', value)
    }
  }
  return marks
}

function readResponseFields(fields: Fields, minorVersion: 0 | 1): Marks {
  const marks = newMarks(minorVersion)
  const { keys, values } = fields
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? ''
    const value = values[i] ?? ''
    if (key !== 'keep-alive') readSharedField(marks, key, value)
    else marks.keepAliveField = joined(marks.keepAliveField, value)
  }
  return marks
}

/** Several lines of one list (RFC 9110 §5.3). */
function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`
}

function readSharedField(marks: Marks, key: string, value: string): void {
  switch (key) {
    case 'content-length':
      marks.lengths++
      marks.length = value
      break
    case 'transfer-encoding':
      marks.codings = [...(marks.codings ?? []), ...listElements(value)]
      break
    case 'connection':
      readConnection(marks, value)
      break
  }
}

/** RFC 9112 §9.3: `close` wins, `keep-alive` asks in HTTP/1.0, every other option names a field. */
function readConnection(marks: Marks, value: string): void {
  if (value === 'keep-alive' && marks.nominated === null) {
    marks.keepAlive = true
    return
  }
  for (const option of listElements(value)) {
    if (option === 'close') {
      marks.keepAlive = false
      marks.nominated ??= []
      marks.nominated.push('close')
    } else if (option === 'keep-alive') {
      if (marks.nominated?.includes('close') !== true) marks.keepAlive = true
    } else if (option !== '') {
      marks.nominated ??= []
      marks.nominated.push(option)
    }
  }
}

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
