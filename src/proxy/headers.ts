import type { RequestHead, ResponseHead } from './http1/head.js'
import {
  compileTemplate,
  parseTemplate,
  type ProcessFacts,
  type Transaction,
  type VariableReader
} from './variables.js'

/**
 * Which fields go on: from the client towards the upstream server and back. Heads are written anew
 * from what was parsed (RFC 9110 §7.6).
 */

/** Fields of one connection only, in both directions (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length'
]

/** The request fields of a route, compiled. */
export interface RequestPlan {
  /** Fields that are set: `Name: ` and the value. */
  readonly set: readonly { readonly prefix: string; readonly value: VariableReader }[]
  /** Lower-case names that are not taken over from the client. */
  readonly dropped: ReadonlySet<string>
  /** Whether the configuration sets Host. */
  readonly setsHost: boolean
  /** Whether the server is told to close after its response, because we would. */
  readonly closes: boolean
}

/** Variables that may hold control characters because they were decoded from something. */
const DECODED_VARIABLES = ['uri', 'remote_user']

/**
 * Compiles `proxy_set_header` lines.
 * @param closes whether no connection is kept after a response
 * @throws {RangeError} for an unknown variable, and for a field that only tsha itself can set
 */
export function compileRequestPlan(
  setHeaders: readonly (readonly [name: string, template: string])[],
  facts: ProcessFacts,
  closes = false
): RequestPlan {
  const set: { prefix: string; value: VariableReader }[] = []
  const dropped = new Set([...HOP_BY_HOP, 'http2-settings', 'expect', 'host', 'x-tsha-check'])
  let setsHost = false
  for (const [name, template] of setHeaders) {
    const key = name.toLowerCase()
    if (template !== '' && (key === 'content-length' || key === 'transfer-encoding')) {
      throw new RangeError(`${name} cannot be set: it is made from the request's own body`)
    }
    dropped.add(key)
    if (key === 'host') setsHost = true
    if (template === '') continue
    const isRisky = parseTemplate(template).some(
      (piece) => typeof piece !== 'string' && DECODED_VARIABLES.includes(piece.name)
    )
    const value = compileTemplate(template, facts, isRisky ? withoutControls : undefined)
    set.push({ prefix: `${name}: `, value })
  }
  return { set, dropped, setsHost, closes }
}

/** A decoded path must not bring a line of its own into the head. */
function withoutControls(value: string): string {
  return value.replace(/[\x00-\x1f\x7f]/g, '')
}

/** Few pieces make a text that is quickly written: the client's own line is used as it is where it fits. */
function requestLine({ line, method, target }: RequestHead): string {
  const isSame = line.length === method.length + target.length + LINE_REST && line.endsWith('1.1')
  return isSame ? `${line}\r\n` : `${method} ${target} HTTP/1.1\r\n`
}

/** What a request line has beside its method and target: two spaces and the version. */
const LINE_REST = 10

/**
 * The whole head of the request to the upstream server, HTTP/1.1, as latin1 text.
 * @param bodyLength bytes of the body where it is sent with its length although it came chunked
 * @param upgrade the protocols that it asks for, null for none
 */
export function requestHeadText(
  plan: RequestPlan,
  head: RequestHead,
  tx: Transaction,
  bodyLength: number | null = null,
  upgrade: string | null = null
): string {
  let text = requestLine(head)
  if (!plan.setsHost) text += `Host: ${tx.proxyHost}\r\n`
  for (const { prefix, value } of plan.set) {
    const rendered = value(tx)
    if (rendered !== '') text += `${prefix}${rendered}\r\n`
  }
  if (head.framing === 'length') text += `Content-Length: ${head.contentLength}\r\n`
  else if (head.framing === 'chunked') {
    text +=
      bodyLength === null ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${bodyLength}\r\n`
  }
  if (upgrade !== null) text += `Upgrade: ${upgrade}\r\nConnection: upgrade\r\n`
  else if (plan.closes) text += 'Connection: close\r\n'
  const { names, keys, values, nominated } = head
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? ''
    if (plan.dropped.has(key) || nominated?.includes(key) === true) continue
    text += `${names[i] ?? ''}: ${values[i] ?? ''}\r\n`
  }
  return `${text}\r\n`
}

/** Response fields that stay here: nginx's hidden ones, and those of one connection. */
const RESPONSE_DROPPED = new Set([
  ...HOP_BY_HOP,
  'date',
  'server',
  'x-pad',
  'x-accel-expires',
  'x-accel-redirect',
  'x-accel-limit-rate',
  'x-accel-buffering',
  'x-accel-charset'
])

/** Fields of an answer to a client: name, value, name, value … */
export type FlatFields = string[]

/** The fields of an upstream response that go to the client, without framing and connection. */
export function responseFields(head: ResponseHead, tx: Transaction): FlatFields {
  const fields: FlatFields = []
  const { names, keys, values, nominated } = head
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? ''
    if (RESPONSE_DROPPED.has(key) || nominated?.includes(key) === true) continue
    const value = values[i] ?? ''
    fields.push(names[i] ?? '', key === 'location' ? ownLocation(value, tx) : value)
  }
  return fields
}

/**
 * nginx's `proxy_redirect default`: a Location that names the upstream, which no client can reach,
 * names this server instead.
 */
function ownLocation(location: string, tx: Transaction): string {
  const prefix = `http://${tx.proxyHost}/`
  if (!location.startsWith(prefix)) return location
  const { serverPort } = tx.client
  const port = serverPort === 80 ? '' : `:${serverPort}`
  return `http://${tx.host}${port}/${location.slice(prefix.length)}`
}

/** The Content-Length that a response without a body declares (HEAD, 304), or null. */
export function declaredLength(head: ResponseHead): string | null {
  const index = head.keys.indexOf('content-length')
  return index < 0 ? null : (head.values[index] ?? null)
}
