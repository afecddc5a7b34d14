import { METHODS } from 'node:http'
import {
  llhttpRequests,
  llhttpResponse,
  type OracleRequest,
  type OracleRequests,
  type OracleResponse
} from './oracle.js'
import type { RequestHead } from '../../src/proxy/http1/head.js'
import {
  RULES,
  clientBytes,
  readRequests,
  readResponse,
  upstreamBytes,
  type Rules,
  type ServedRequest,
  type ServedRequests,
  type ServedResponse
} from './reader.js'

/**
 * Where tsha and llhttp differ. tsha may refuse what llhttp accepts; what it accepts it must
 * understand alike, and what it writes must mean to llhttp what it has read.
 */

/** A stream of requests and the places at which it is cut into reads. */
export interface RequestCase {
  readonly text: string
  readonly places: readonly number[]
}

/** An upstream server's bytes for a request with `method`; `isEnded`: its connection ends there. */
export interface ResponseCase extends RequestCase {
  readonly method: string
  readonly isEnded: boolean
}

/** How the two sides took a case. `allowed` is a difference that is meant. */
export type Verdict = 'both accept' | 'tsha refuses' | 'both refuse' | 'allowed'

/** What became of a case; `difference` is null if nothing is wrong. */
export interface Outcome {
  readonly verdict: Verdict
  readonly difference: string | null
  /** Requests that both understood alike. */
  readonly messages: number
}

/** Fields of one connection, which must not travel. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade']
/** The settings that belong to `Upgrade: h2c` (RFC 7540 §3.2.1), which travel only with it. */
const HOP_BY_HOP_REQUEST = [...HOP_BY_HOP, 'http2-settings']
/** Fields that tsha makes itself with the example pair's configuration. */
const OWN_REQUEST_FIELDS = [
  ...['host', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-proto'],
  ...['content-length', 'transfer-encoding']
]
/** Fields that say who the client is, in every spelling that an application may mix up. */
const IDENTITY = ['x-real-ip', 'x-forwarded-for', 'x-forwarded-proto']

/** Compares the two readings of requests, and what would be sent upstream. */
export function compareRequests({ text, places }: RequestCase, rules: Rules = RULES): Outcome {
  const served = readRequests(text, places, rules)
  const whole = readRequests(text, [], rules)
  const { written, ends } = rules.acceptBareLf
    ? crlfRequests(text, served)
    : asTheyCame(text, served)
  const oracle = llhttpRequests(written, beforeAndAt(ends))
  let difference = differenceOfReads(served, whole)
  if (rules.acceptBareLf) difference ??= differenceOfModes(text, whole)
  for (const [index, request] of served.requests.entries()) {
    difference ??= differenceOfRequest(request, oracle.requests[index], oracle, index)
    if (difference === ALLOWED) {
      return { verdict: 'allowed', difference: null, messages: index }
    }
    if (request.isComplete) {
      for (const plan of [0, 1]) difference ??= differenceUpstream(request, plan, rules)
    }
  }
  const verdict =
    served.ending === 'refused'
      ? oracle.error === null
        ? 'tsha refuses'
        : 'both refuse'
      : 'both accept'
  return { verdict, difference, messages: ends.length }
}

const ALLOWED = 'allowed'

/** What llhttp is given, and where the complete requests end in it. */
interface Written {
  readonly written: string
  readonly ends: readonly number[]
}

function asTheyCame(text: string, { requests }: ServedRequests): Written {
  const ends = requests.filter((each) => each.isComplete).map((each) => each.end)
  return { written: text, ends }
}

/** llhttp is strict: it is given CRLF for each LF of the heads, and the bodies as they came. */
function crlfRequests(text: string, { requests }: ServedRequests): Written {
  let written = ''
  let at = 0
  const ends: number[] = []
  for (const { head, start, end, isComplete } of requests) {
    const bodyStart = start + head.length
    written += crlf(text.slice(at, bodyStart))
    at = isComplete ? end : text.length
    written += text.slice(bodyStart, at)
    if (isComplete) ends.push(written.length)
  }
  return { written: written + text.slice(at), ends }
}

function crlf(text: string): string {
  return text.replace(/\r?\n/g, '\r\n')
}

/** What is accepted without `accept_bare_lf` means the same with it. */
function differenceOfModes(text: string, lenient: ServedRequests): string | null {
  for (const [index, strict] of readRequests(text, []).requests.entries()) {
    if (!strict.isComplete) break
    const other = lenient.requests[index]
    if (JSON.stringify(other) === JSON.stringify(strict)) continue
    return `strict ${JSON.stringify(strict)}, with accept_bare_lf ${JSON.stringify(other)}`
  }
  return null
}

function beforeAndAt(ends: readonly number[]): number[] {
  return [...new Set(ends.flatMap((end) => [end - 1, end]))].sort((a, b) => a - b)
}

/** The pieces in which bytes arrive must not change what they mean. */
function differenceOfReads(cut: ServedRequests, whole: ServedRequests): string | null {
  const outline = (each: ServedRequests): string =>
    JSON.stringify([
      each.ending,
      each.requests
        .filter(({ isComplete }) => isComplete)
        .map(({ head, pieces, end }) => [head, pieces.join(''), end])
    ])
  if (outline(cut) === outline(whole)) return null
  return `the cuts change the meaning: ${outline(cut)} but whole ${outline(whole)}`
}

function differenceOfRequest(
  request: ServedRequest,
  other: OracleRequest | undefined,
  oracle: OracleRequests,
  index: number
): string | null {
  const { head, end } = request
  if (other === undefined) {
    if (isBeyondLlhttp(head, oracle.error)) return ALLOWED
    return `request ${index} is accepted: ${head.line}; llhttp: ${oracle.error ?? 'no request'}`
  }
  if (other.method !== head.method) return `method ${head.method}, llhttp ${other.method}`
  const target = originForm(other)
  if (target !== head.target) return `target ${head.target}, llhttp ${target}`
  if (other.minorVersion !== head.minorVersion) return `version 1.${head.minorVersion}`
  const fields = flat(head.names, head.values)
  const others = onlyPlain(withOwnHost(other))
  if (fields !== others) return `fields ${fields}, llhttp ${others}`
  const host = hostOf(other)
  if (host !== head.host) return `host ${head.host}, llhttp ${host}`
  const body = request.pieces.join('')
  if (request.isComplete) {
    if (other.body !== body) return `body ${body}, llhttp ${other.body}`
    if (!other.isComplete) return `request ${index} ends at ${end}, for llhttp it does not end`
    return endsThere(oracle, index) ? null : `request ${index} does not end at ${end}`
  }
  if (other.body.startsWith(body) || body.startsWith(other.body)) return null
  return `part of a body ${body}, llhttp ${other.body}`
}

/** Whether the request was complete at its end and not a byte before: two pieces for each request. */
function endsThere({ completeAfter }: OracleRequests, index: number): boolean {
  return completeAfter[2 * index] === index && completeAfter[2 * index + 1] === index + 1
}

/**
 * What llhttp refuses although it is clear to every reader that takes it.
 * @param error null also where a request with Upgrade is before it: then llhttp does not say
 */
function isBeyondLlhttp(head: RequestHead, error: string | null): boolean {
  // RFC 9110 §9.1: methods are an open set; llhttp has a list.
  if (!METHODS.includes(head.method)) return true
  const isNewer = / HTTP\/1\.[2-9]$/.test(head.line)
  const isRaw = /[\x80-\xff]/.test(head.target)
  switch (error) {
    case 'HPE_INVALID_VERSION':
      // RFC 9110 §2.5: a higher minor version is read as 1.1.
      return isNewer
    case 'HPE_INVALID_URL':
      // nginx passes bytes above 0x7f on as they are, and so do the clients that send them.
      return isRaw
    default:
      return error === null && (isNewer || isRaw)
  }
}

/** Whether a request that arrived is the one that llhttp has read from the client. */
export function isSameRequest(arrived: OracleRequest, read: OracleRequest): boolean {
  return arrived.method === read.method && arrived.target === originForm(read)
}

/** Whether both are whole, with the same body. */
export function isSameBody(arrived: OracleRequest, read: OracleRequest): boolean {
  return arrived.isComplete && read.isComplete && arrived.body === read.body
}

function originForm({ method, target }: OracleRequest): string {
  const match = /^https?:\/\/[^/?]*(.*)$/i.exec(target)
  if (match === null) return target
  const rest = match[1] ?? ''
  if (rest === '' && method === 'OPTIONS') return '*'
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** The fields with the host of an absolute-form in the place of Host. */
function withOwnHost({ target, fields }: OracleRequest): string[] {
  const authority = /^https?:\/\/([^/?]*)/i.exec(target)?.[1]
  const own = (name: string, value: string): string =>
    authority !== undefined && name.toLowerCase() === 'host' ? authority : value
  return pairs(fields).flatMap(([name, value]) => [name, own(name, value)])
}

function hostOf(request: OracleRequest): string {
  const authority =
    /^https?:\/\/([^/?]*)/i.exec(request.target)?.[1] ?? valuesOf(request.fields, 'host')[0] ?? ''
  return authority.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
}

function flat(names: readonly string[], values: readonly string[]): string {
  return JSON.stringify(names.flatMap((name, i) => [name, values[i] ?? '']))
}

function onlyPlain(fields: readonly string[]): string {
  const kept = pairs(fields).filter(([name]) => /^[a-z0-9-]+$/i.test(name))
  return JSON.stringify(kept.flat())
}

function pairs(fields: readonly string[]): [name: string, value: string][] {
  const all: [string, string][] = []
  for (let i = 0; i < fields.length; i += 2) all.push([fields[i] ?? '', fields[i + 1] ?? ''])
  return all
}

function valuesOf(fields: readonly string[], key: string): string[] {
  return pairs(fields)
    .filter(([name]) => name.toLowerCase() === key)
    .map(([, value]) => value)
}

/** Lower-case names that the Connection fields of a message name. */
function nominatedBy(fields: readonly string[]): string[] {
  return valuesOf(fields, 'connection').flatMap((value) =>
    value.split(',').map((option) => option.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase())
  )
}

/** What is sent upstream must be one request, with the same meaning. */
function differenceUpstream(request: ServedRequest, plan: number, rules: Rules): string | null {
  const { head } = request
  const isKnown = METHODS.includes(head.method)
  const sendable = isKnown ? request : { ...request, head: { ...head, method: 'PURGE' } }
  const text = upstreamBytes(sendable, plan, rules)
  const { requests, error } = llhttpRequests(text, [text.length - 1])
  const [sent] = requests
  const wrong = (what: string): string => `sent upstream: ${what}: ${JSON.stringify(text)}`
  if (sent === undefined || error !== null || requests.length !== 1 || !sent.isComplete) {
    return wrong(`${requests.length} requests, ${error ?? 'no error'}`)
  }
  if (sent.method !== sendable.head.method || sent.target !== head.target) return wrong('line')
  if (sent.minorVersion !== 1) return wrong('version')
  if (sent.body !== request.pieces.join('')) return wrong('body')
  const received = flatFields(head.names, head.values)
  const nominated = nominatedBy(received)
  const own = plan === 0 ? OWN_REQUEST_FIELDS : ['host', 'content-length', 'transfer-encoding']
  for (const [name] of pairs(sent.fields)) {
    const key = name.toLowerCase()
    if (HOP_BY_HOP_REQUEST.includes(key)) return wrong(`hop-by-hop ${name}`)
    if (nominated.includes(key) && !own.includes(key)) return wrong(`nominated ${name}`)
    if (plan === 0 && IDENTITY.includes(key.replaceAll('_', '-')) && !IDENTITY.includes(key)) {
      return wrong(`identity ${name}`)
    }
  }
  const once = (key: string, value: string): boolean =>
    JSON.stringify(valuesOf(sent.fields, key)) === JSON.stringify([value])
  if (plan === 1) {
    if (!once('host', 'web')) return wrong('host')
  } else {
    if (!once('host', head.host === '' ? 'fallback' : head.host)) return wrong('host')
    if (!once('x-real-ip', '192.0.2.1')) return wrong('x-real-ip')
    if (!once('x-forwarded-proto', 'http')) return wrong('x-forwarded-proto')
    const sentBefore = valuesOf(received, 'x-forwarded-for').join(', ')
    const chain = sentBefore === '' ? '192.0.2.1' : `${sentBefore}, 192.0.2.1`
    if (!once('x-forwarded-for', chain)) return wrong('x-forwarded-for')
  }
  const dropped = [...own, ...HOP_BY_HOP_REQUEST, ...nominated, 'expect', 'x-tsha-check']
  const endToEnd = (fields: readonly string[]): string =>
    JSON.stringify(pairs(fields).filter(([name]) => !dropped.includes(name.toLowerCase())))
  if (endToEnd(sent.fields) !== endToEnd(received)) return wrong('end-to-end fields')
  return null
}

function flatFields(names: readonly string[], values: readonly string[]): string[] {
  return names.flatMap((name, i) => [name, values[i] ?? ''])
}

/** Compares the two readings of a response, and what would be sent to clients. */
export async function compareResponses(each: ResponseCase, rules: Rules = RULES): Promise<Outcome> {
  const { text, places, method, isEnded } = each
  const served = readResponse(text, method, isEnded, places, rules)
  const heads = Math.max(0, served.bodyStart)
  const written = rules.acceptBareLf ? crlf(text.slice(0, heads)) + text.slice(heads) : text
  const ends = endOf(served).map((end) => end + written.length - text.length)
  const oracle = await llhttpResponse(written, method, isEnded, beforeAndAt(ends))
  const difference =
    differenceOfResponse(written, served, oracle) ?? (await differenceDownstream(served, method))
  const isRefused = served.problem !== ''
  const isBad = oracle.status === 0 || oracle.error !== null || !oracle.isComplete
  const verdict = isRefused ? (isBad ? 'both refuse' : 'tsha refuses') : 'both accept'
  if (difference === ALLOWED) return { verdict: 'allowed', difference: null, messages: 0 }
  return { verdict, difference, messages: served.isComplete ? 1 : 0 }
}

function endOf(served: ServedResponse): number[] {
  const isFramed = served.isComplete && served.head?.framing !== 'close' && served.end > 0
  return isFramed ? [served.end] : []
}

function differenceOfResponse(
  text: string,
  served: ServedResponse,
  oracle: OracleResponse
): string | null {
  const { head } = served
  if (head === null) return null
  if (oracle.status === 0) {
    if (oracle.error === 'HPE_INVALID_VERSION' && /HTTP\/1\.[2-9] /.test(text)) return ALLOWED
    return `status ${head.status} is accepted; llhttp: ${oracle.error ?? 'no response'}`
  }
  if (oracle.interims.length !== served.interims) return `${served.interims} interim responses`
  if (oracle.status !== head.status) return `status ${head.status}, llhttp ${oracle.status}`
  if (oracle.phrase !== head.phrase) return `phrase ${head.phrase}, llhttp ${oracle.phrase}`
  const fields = flat(head.names, head.values)
  const others = JSON.stringify(oracle.fields)
  if (fields !== others) return `fields ${fields}, llhttp ${others}`
  const body = served.pieces.join('')
  if (!served.isComplete) {
    if (oracle.body.startsWith(body) || body.startsWith(oracle.body)) return null
    return `part of a body ${body}, llhttp ${oracle.body}`
  }
  if (!oracle.isComplete) return `complete at ${served.end}, for llhttp it is not`
  if (oracle.body !== body) return `body ${body}, llhttp ${oracle.body}`
  if (head.framing !== 'close' && oracle.completeAfter !== 1) {
    return `the response does not end at ${served.end}`
  }
  const says = nominatedBy(oracle.fields)
  const isKept = oracle.minorVersion > 0 || says.includes('keep-alive')
  if (served.isReused && (says.includes('close') || !isKept)) return 'used again after close'
  return null
}

/** What a client is sent must be one response, with the same meaning. */
async function differenceDownstream(
  served: ServedResponse,
  method: string
): Promise<string | null> {
  const { head } = served
  if (head === null || !served.isComplete) return null
  const received = flatFields(head.names, head.values)
  const nominated = nominatedBy(received)
  for (const minorVersion of [0, 1] as const) {
    const text = clientBytes(served, minorVersion)
    const wrong = (what: string): string => `sent to the client: ${what}: ${JSON.stringify(text)}`
    const isOpen = head.framing === 'close' || head.framing === 'chunked'
    const endsByClose = isOpen && minorVersion === 0
    const places = endsByClose ? [] : [text.length - 1]
    const sent = await llhttpResponse(text, method, endsByClose, places)
    if (!sent.isComplete || sent.error !== null) return wrong(sent.error ?? 'incomplete')
    if (sent.status !== head.status || sent.phrase !== head.phrase) return wrong('status line')
    if (sent.body !== served.pieces.join('')) return wrong('body')
    if (!endsByClose && sent.completeAfter !== 1) return wrong('its end')
    for (const [name] of pairs(sent.fields)) {
      const key = name.toLowerCase()
      const isOwn = ['connection', 'server', 'date', 'content-length'].includes(key)
      if (isOwn || key === 'transfer-encoding') continue
      if (HOP_BY_HOP.includes(key) || nominated.includes(key)) return wrong(`hop-by-hop ${name}`)
    }
    for (const key of ['connection', 'server', 'date']) {
      if (valuesOf(sent.fields, key).length !== 1) return wrong(key)
    }
    const dropped = [...HOP_BY_HOP, ...nominated, ...DROPPED_RESPONSE_FIELDS]
    const endToEnd = (fields: readonly string[]): string =>
      JSON.stringify(pairs(fields).filter(([name]) => !dropped.includes(name.toLowerCase())))
    if (endToEnd(sent.fields) !== endToEnd(received)) return wrong('end-to-end fields')
  }
  return null
}

/** What does not come from the upstream server, and Location, which may be rewritten. */
const DROPPED_RESPONSE_FIELDS = [
  ...['server', 'date', 'content-length', 'transfer-encoding', 'location', 'x-pad'],
  ...['x-accel-expires', 'x-accel-redirect', 'x-accel-limit-rate', 'x-accel-buffering'],
  'x-accel-charset'
]
