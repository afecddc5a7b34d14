import type { RequestHead } from './http1/head.js'
import type { Failure } from './traffic-cells.js'

/**
 * nginx's `$variables`: compiled once, when the configuration is loaded, and rendered per request.
 */

/** Who is at the other end of a client connection, and where it came in. */
export interface ClientFacts {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly serverAddress: string
  readonly serverPort: number
  /** Serial number of the connection in its worker. */
  readonly connection: number
}

/** One attempt, as the log tells it and as it is counted. */
export interface AttemptFacts {
  /** -1 if no peer was left. */
  readonly peerIndex: number
  /** `host:port` of the peer, or the name of the group if no peer was left. */
  readonly address: string
  /** What the peer answered, or what its failure amounts to (502, 504); 0 is nothing. */
  readonly answerStatus: number
  /** Null if it was answered, or not waited for to its end. */
  readonly failure: Failure | null
  readonly startedAt: number
  /** When the first byte of an answer came; -1 if none did. */
  readonly firstByteAt: number
  readonly endedAt: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** Everything that variables can say about one request. Instants are monotonic milliseconds. */
export interface Transaction {
  readonly client: ClientFacts
  /** Null if the head was refused. */
  readonly head: RequestHead | null
  /** First line as the client sent it. */
  readonly requestLine: string
  readonly connectionRequests: number
  readonly startedAt: number
  endedAt: number
  /** Instant of the end since 1970. */
  endedAtEpochMs: number
  /** Normalised path. */
  path: string
  /** Host of the request, or the first name of the server that answers. */
  host: string
  serverName: string
  /** Name of the upstream. */
  proxyHost: string
  status: number
  bodyBytesSent: number
  bytesSent: number
  requestLength: number
  readonly attempts: AttemptFacts[]
}

/** Text for a variable; '' if it has no value. */
export type VariableReader = (transaction: Transaction) => string

/** Facts about this process that some variables tell. */
export interface ProcessFacts {
  readonly hostname: string
  readonly pid: number
}

/** A piece of a template: text as it stands, or a variable. */
export type TemplatePiece = string | { readonly name: string }

const VARIABLE = /\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))/gi

/** Cuts a template such as `$scheme://${host}/` into text and variables, in order. */
export function parseTemplate(template: string): TemplatePiece[] {
  const pieces: TemplatePiece[] = []
  let last = 0
  for (const match of template.matchAll(VARIABLE)) {
    if (match.index > last) pieces.push(template.slice(last, match.index))
    pieces.push({ name: (match[1] ?? match[2] ?? '').toLowerCase() })
    last = match.index + match[0].length
  }
  if (last < template.length) pieces.push(template.slice(last))
  return pieces
}

/**
 * Compiles a template to one function.
 * @param convert applied to each variable's value, not to the text around it
 * @throws {RangeError} naming the first variable that does not exist
 */
export function compileTemplate(
  template: string,
  facts: ProcessFacts,
  convert: (value: string) => string = (value) => value
): VariableReader {
  const readers = parseTemplate(template).map((piece): string | VariableReader => {
    if (typeof piece === 'string') return piece
    const read = compileVariable(piece.name, facts)
    return NUMBERS.has(piece.name) ? read : (tx) => convert(read(tx))
  })
  const [only] = readers
  if (readers.length === 1 && typeof only === 'function') return only
  return (tx) => {
    let text = ''
    for (const reader of readers) text += typeof reader === 'string' ? reader : reader(tx)
    return text
  }
}

/** Whether `$name` is a variable that tsha has. */
export function isVariable(name: string): boolean {
  return VARIABLE_NAMES.includes(name) || /^http_[a-z0-9_]+$/.test(name)
}

function compileVariable(name: string, facts: ProcessFacts): VariableReader {
  const reader = READERS.get(name)
  if (reader !== undefined) return reader
  if (name === 'hostname') return () => facts.hostname
  if (name === 'pid') return () => String(facts.pid)
  if (isVariable(name)) return fieldReader(name.slice('http_'.length).replaceAll('_', '-'))
  throw new RangeError(`unknown variable $${name}`)
}

/** `$http_name`: all lines of a field; Cookie joined with `; `, others with `, ` as nginx does. */
function fieldReader(key: string): VariableReader {
  const separator = key === 'cookie' ? '; ' : ', '
  return ({ head }) => {
    if (head === null) return ''
    let index = head.keys.indexOf(key)
    if (index < 0) return ''
    let text = head.values[index] ?? ''
    while ((index = head.keys.indexOf(key, index + 1)) >= 0) {
      text += `${separator}${head.values[index] ?? ''}`
    }
    return text
  }
}

const forwardedFor = fieldReader('x-forwarded-for')
const authorization = fieldReader('authorization')

const READERS = new Map<string, VariableReader>([
  ['host', (tx) => tx.host],
  ['proxy_host', (tx) => tx.proxyHost],
  ['remote_addr', (tx) => tx.client.remoteAddress],
  ['remote_port', (tx) => String(tx.client.remotePort)],
  ['remote_user', (tx) => basicUser(authorization(tx))],
  ['server_addr', (tx) => tx.client.serverAddress],
  ['server_port', (tx) => String(tx.client.serverPort)],
  ['server_name', (tx) => tx.serverName],
  ['scheme', () => 'http'],
  ['request', (tx) => tx.requestLine],
  ['request_method', (tx) => tx.head?.method ?? ''],
  ['request_uri', (tx) => tx.head?.target ?? ''],
  ['uri', (tx) => tx.path],
  ['args', (tx) => queryOf(tx.head?.target ?? '')],
  ['server_protocol', (tx) => (tx.head === null ? '' : `HTTP/1.${tx.head.minorVersion}`)],
  ['status', (tx) => String(tx.status).padStart(3, '0')],
  ['body_bytes_sent', (tx) => String(tx.bodyBytesSent)],
  ['bytes_sent', (tx) => String(tx.bytesSent)],
  ['request_length', (tx) => String(tx.requestLength)],
  ['request_time', (tx) => seconds(tx.endedAt - tx.startedAt)],
  ['time_local', (tx) => localTime(tx.endedAtEpochMs)],
  ['time_iso8601', (tx) => isoTime(tx.endedAtEpochMs)],
  ['msec', (tx) => seconds(tx.endedAtEpochMs)],
  ['proxy_add_x_forwarded_for', addForwardedFor],
  ['connection', (tx) => String(tx.client.connection)],
  ['connection_requests', (tx) => String(tx.connectionRequests)],
  ['upstream_addr', (tx) => tx.attempts.map((attempt) => attempt.address).join(', ')],
  [
    'upstream_status',
    (tx) => tx.attempts.map(({ answerStatus }) => known(answerStatus)).join(', ')
  ],
  [
    'upstream_response_time',
    (tx) => tx.attempts.map(({ startedAt, endedAt }) => seconds(endedAt - startedAt)).join(', ')
  ]
])

/** Variables that always are a number or a time, which no conversion changes. */
const NUMBERS = new Set(
  [
    'status body_bytes_sent bytes_sent request_length request_time time_local time_iso8601 msec',
    'connection connection_requests remote_port server_port pid'
  ]
    .join(' ')
    .split(' ')
)

/** Every variable but the `http_NAME` ones, which exist for each request field. */
export const VARIABLE_NAMES: readonly string[] = [...READERS.keys(), 'hostname', 'pid']

/** nginx's `$proxy_add_x_forwarded_for`: what the client sent, then the client itself. */
function addForwardedFor(tx: Transaction): string {
  const sent = forwardedFor(tx)
  return sent === '' ? tx.client.remoteAddress : `${sent}, ${tx.client.remoteAddress}`
}

function queryOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? '' : target.slice(mark + 1)
}

/** User name of HTTP Basic authentication (RFC 7617), not verified. */
function basicUser(authorizationField: string): string {
  if (authorizationField === '') return ''
  const match = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorizationField)
  if (match === null) return ''
  const pair = Buffer.from(match[1] ?? '', 'base64').toString('latin1')
  const colon = pair.indexOf(':')
  return colon < 0 ? '' : pair.slice(0, colon)
}

function known(status: number): string {
  return status === 0 ? '-' : String(status)
}

/** Seconds with three digits behind the point; `toFixed` would take longer than the rest of a line. */
function seconds(durationMs: number): string {
  const whole = Math.max(0, Math.round(durationMs))
  const rest = whole % 1000
  return `${(whole - rest) / 1000}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}

/** `+0000`, or `+00:00` with a separator. */
function offsetOf(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset()
  const sign = minutes < 0 ? '-' : '+'
  const size = Math.abs(minutes)
  return `${sign}${two(Math.floor(size / 60))}${separator}${two(size % 60)}`
}

function clockOf(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** A formatter that formats each second once: every line of that second says the same. */
function perSecond(format: (date: Date) => string): (epochMs: number) => string {
  let second = -1
  let text = ''
  return (epochMs) => {
    const current = Math.floor(epochMs / 1000)
    if (current !== second) {
      second = current
      text = format(new Date(epochMs))
    }
    return text
  }
}

const localTime = perSecond(
  (date) =>
    `${two(date.getDate())}/${MONTHS[date.getMonth()] ?? ''}/${date.getFullYear()}:` +
    `${clockOf(date)} ${offsetOf(date, '')}`
)

const isoTime = perSecond(
  (date) =>
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T` +
    `${clockOf(date)}${offsetOf(date, ':')}`
)
