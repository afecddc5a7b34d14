import { parseSize } from '../units.js'

/** Where a directive may stand; nginx's words for its contexts. */
export type Context = 'main' | 'events' | 'http' | 'upstream' | 'server' | 'location'

/** What nginx's own table of commands knows about a directive. */
export interface DirectiveSpec {
  readonly contexts: readonly Context[]
  /** Fewest and most arguments. */
  readonly args: readonly [min: number, max: number]
  readonly isBlock?: boolean
  /** True when it may stand several times in one block. */
  readonly isRepeatable?: boolean
  /** True when it means nothing to tsha: it is listed and otherwise left alone. */
  readonly isIgnored?: boolean
  /** Turns its only argument into a value for the schema; undefined is an invalid value. */
  readonly convert?: (text: string) => string | number | boolean | undefined
  /** What `convert` expects, for the message. */
  readonly expected?: string
}

const HTTP_LEVELS: readonly Context[] = ['http', 'server', 'location']
const HTTP_AND_SERVER: readonly Context[] = ['http', 'server']
const ONE = [1, 1] as const

const time = { convert: parseNginxTime, expected: 'a time such as 3, 3s, 500ms or 1m30s' }
const size = { convert: parseSize, expected: 'a size such as 512, 8k or 1m' }
const number = { convert: parseNumber, expected: 'a whole number' }
const onOff = { convert: parseOnOff, expected: 'on or off' }
const ignored = { contexts: HTTP_LEVELS, args: ONE, isIgnored: true }

/**
 * Every directive that tsha reads. A directive that is not here is refused as not supported; so is
 * one that is here and has parameters which tsha does not have.
 */
export const DIRECTIVES: Readonly<Record<string, DirectiveSpec>> = {
  user: { contexts: ['main'], args: [1, 2] },
  worker_processes: {
    contexts: ['main'],
    args: ONE,
    convert: (text) => (text === 'auto' ? text : parseNumber(text)),
    expected: 'a whole number, or auto'
  },
  error_log: { contexts: ['main'], args: [1, 2], isRepeatable: true },
  pid: { contexts: ['main'], args: ONE },
  load_module: { contexts: ['main'], args: ONE, isRepeatable: true, isIgnored: true },
  events: { contexts: ['main'], args: [0, 0], isBlock: true },
  http: { contexts: ['main'], args: [0, 0], isBlock: true },
  worker_connections: { contexts: ['events'], args: ONE, ...number },

  sendfile: ignored,
  tcp_nopush: ignored,
  tcp_nodelay: ignored,
  types_hash_max_size: ignored,
  default_type: ignored,
  types: {
    contexts: HTTP_LEVELS,
    args: [0, 0],
    isBlock: true,
    isRepeatable: true,
    isIgnored: true
  },

  log_format: { contexts: ['http'], args: [2, Infinity], isRepeatable: true },
  access_log: { contexts: HTTP_LEVELS, args: [1, Infinity], isRepeatable: true },
  map: { contexts: ['http'], args: [2, 2], isBlock: true, isRepeatable: true },
  upstream: { contexts: ['http'], args: ONE, isBlock: true, isRepeatable: true },
  server: { contexts: ['http', 'upstream'], args: [0, Infinity], isRepeatable: true },
  least_conn: { contexts: ['upstream'], args: [0, 0] },
  ip_hash: { contexts: ['upstream'], args: [0, 0] },
  random: { contexts: ['upstream'], args: [0, 2] },
  hash: { contexts: ['upstream'], args: [1, 2] },
  queue: { contexts: ['upstream'], args: [1, 2] },
  listen: { contexts: ['server'], args: [1, Infinity], isRepeatable: true },
  server_name: { contexts: ['server'], args: [1, Infinity], isRepeatable: true },
  location: { contexts: ['server', 'location'], args: [1, 2], isBlock: true, isRepeatable: true },

  keepalive: { contexts: ['upstream'], args: [1, 2], ...number },
  keepalive_timeout: { contexts: [...HTTP_AND_SERVER, 'upstream'], args: [1, 2], ...time },
  keepalive_requests: { contexts: [...HTTP_AND_SERVER, 'upstream'], args: ONE, ...number },
  keepalive_time: { contexts: ['upstream'], args: ONE, ...time },
  client_header_timeout: { contexts: HTTP_AND_SERVER, args: ONE, ...time },
  client_body_timeout: { contexts: HTTP_AND_SERVER, args: ONE, ...time },
  send_timeout: { contexts: HTTP_AND_SERVER, args: ONE, ...time },
  limit_conn_zone: { contexts: ['http'], args: [2, 2], isRepeatable: true },
  limit_conn: { contexts: HTTP_AND_SERVER, args: [2, 2], isRepeatable: true },
  client_max_body_size: { contexts: HTTP_LEVELS, args: ONE, ...size },
  client_body_buffer_size: { contexts: HTTP_LEVELS, args: ONE, ...size },
  client_body_temp_path: { contexts: ['http'], args: [1, 4] },

  proxy_pass: { contexts: ['location'], args: ONE },
  proxy_http_version: {
    contexts: HTTP_LEVELS,
    args: ONE,
    isIgnored: true,
    convert: (text) => (text === '1.1' ? text : undefined),
    expected: '1.1, the version that tsha speaks'
  },
  proxy_set_header: { contexts: HTTP_LEVELS, args: [2, 2], isRepeatable: true },
  proxy_request_buffering: { contexts: HTTP_LEVELS, args: ONE, ...onOff },
  proxy_connect_timeout: { contexts: HTTP_LEVELS, args: ONE, ...time },
  proxy_send_timeout: { contexts: HTTP_LEVELS, args: ONE, ...time },
  proxy_read_timeout: { contexts: HTTP_LEVELS, args: ONE, ...time },
  proxy_next_upstream: { contexts: HTTP_LEVELS, args: [1, Infinity] },
  proxy_next_upstream_tries: { contexts: HTTP_LEVELS, args: ONE, ...number },
  proxy_next_upstream_timeout: { contexts: HTTP_LEVELS, args: ONE, ...time }
}

/**
 * Directives whose nginx contexts are wider than those in the table: there tsha has only one value
 * for all requests, so a narrower one is not supported rather than misplaced.
 */
export const NARROWER_CONTEXTS: Readonly<Record<string, readonly Context[]>> = {
  error_log: HTTP_LEVELS,
  keepalive_timeout: ['location'],
  keepalive_requests: ['location'],
  keepalive_time: HTTP_LEVELS,
  client_body_timeout: ['location'],
  client_body_temp_path: ['server', 'location'],
  limit_conn: ['location'],
  send_timeout: ['location']
}

/** Seconds in nginx's units; a plain number is seconds. */
const UNIT_MS = [
  ['y', 31_536_000_000],
  ['M', 2_592_000_000],
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1]
] as const

/**
 * Reads a time as nginx's `ngx_parse_time` does: numbers with units, larger units first, blanks
 * between them allowed, and a last number without unit that is seconds.
 * @returns a duration for the schema, such as `90000ms`, or undefined
 */
export function parseNginxTime(text: string): string | undefined {
  let totalMs = 0
  let lastUnit = -1
  let rest = text
  if (rest === '') return undefined
  while (rest !== '') {
    const match = /^(\d+)(ms|[yMwdhms])? */.exec(rest)
    if (!match) return undefined
    const unit = match[2] ?? 's'
    const index = UNIT_MS.findIndex(([name]) => name === unit)
    if (index <= lastUnit || (match[2] === undefined && match[0].length < rest.length))
      return undefined
    totalMs += Number(match[1]) * (UNIT_MS[index]?.[1] ?? NaN)
    lastUnit = index
    rest = rest.slice(match[0].length)
  }
  return Number.isSafeInteger(totalMs) ? `${totalMs}ms` : undefined
}

function parseOnOff(text: string): boolean | undefined {
  if (text === 'on') return true
  return text === 'off' ? false : undefined
}

function parseNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
