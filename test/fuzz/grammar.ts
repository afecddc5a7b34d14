import { Random } from './random.js'

/**
 * Client and upstream byte streams as latin1 text: most of them right, the others wrong in one or a
 * few of the ways that are known to divide HTTP parsers.
 */

/** How often one place of a message goes wrong: once in so many. */
const RARELY = 24

/** One to three requests, one behind the other. */
export function requestStream(random: Random): string {
  let text = random.oneIn(40) ? random.pick(['\r\n', '\r\n\r\n', '\n', ' ', '\r']) : ''
  for (let left = 1 + random.below(3); left > 0; left--) text += request(random)
  return mutated(random, text)
}

/** A response to a request with `method`, sometimes behind interim ones or before bytes that are not its own. */
export function responseStream(random: Random, method: string): string {
  let text = ''
  while (random.oneIn(8)) text += interim(random)
  text += response(random, method)
  if (random.oneIn(RARELY))
    text += random.pick(['\r\n', 'x', 'HTTP/1.1 200 OK\r\n\r\n', '0\r\n\r\n'])
  return mutated(random, text)
}

/** A stream with some or all line ends written as LF alone, more in its heads than elsewhere. */
export function withBareLf(random: Random, text: string): string {
  const often = random.pick([1, 1, 2, 8])
  return text
    .split(/(?<=\r\n\r\n)/)
    .map((part) => {
      const times = / HTTP\/1|^HTTP\/1/.test(part) ? often : 16
      return part.replace(/\r\n/g, (eol) => (random.oneIn(times) ? '\n' : eol))
    })
    .join('')
}

/** Places at which a stream is cut into reads, ascending. */
export function cuts(random: Random, length: number): number[] {
  const places = new Set<number>()
  const count = random.pick([0, 0, 1, 2, 3, 8])
  for (let i = 0; i < count && length > 1; i++) places.add(1 + random.below(length - 1))
  return [...places].sort((a, b) => a - b)
}

const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH'] as const
const ODD_METHODS = [
  ...['get', 'PURGE', 'M-SEARCH', 'FOO', 'G@T', 'CONNECT', 'TRACE', 'PRI', '', 'GET\t', ' GET'],
  ...['"GET"', 'G\x00T', 'SOURCE', 'LINK', 'ANNOUNCE', 'QUERY', 'GETX', 'P\xd6ST']
] as const
const TARGETS = [
  ...['/', '/', '/', '/a', '/a?b=c', '/a//b/../c', '/%41%20', '/a;b=c', '/?http://x/', '/~a:b@c'],
  ...['http://a/x', 'http://a', 'http://A:80/?q', 'https://[::1]:8/x', 'http://a?x']
] as const
const ODD_TARGETS = [
  ...[
    '*',
    '/%00',
    '/..',
    '/%2e%2e/',
    '/%zz',
    '',
    'a',
    'a:443',
    'http://u@a/',
    'http:///x',
    'http:a'
  ],
  ...['ftp://a/', 'HTTP://a/', 'http://a:/', 'http://a:99999/', 'http://a:x/', '/\xe9', '/a#b'],
  ...['/a b', '/"<>{}|^`\\', '/\x7f', '/\x00', '/\t', '//a/b', 'http://a#b', 'http://[::1/', '?a'],
  ...['http://a\\b/', 'http://a b/', 'http://%41/', 'http://a,b/', 'http://a_b/', 'http://\xe9/']
] as const
const ODD_VERSIONS = [
  ...[
    'HTTP/1.2',
    'HTTP/1.9',
    'HTTP/0.9',
    'HTTP/2.0',
    'HTTP/3.0',
    'http/1.1',
    'HTTP/1.1 ',
    'HTTP/1'
  ],
  ...['HTTP/01.1', 'HTTP/1.10', 'HTTP/1,1', 'HTTPS/1.1', '', 'HTTP/1.1\t', 'ICE/1.0', 'RTSP/1.0'],
  ...['HTTP/1.1 HTTP/1.1', 'HTTP /1.1', 'HTTP/1. 1', 'HTTP/1.1\x0b']
] as const
const HOSTS = [
  'a',
  'a',
  'example.org',
  'EXAMPLE.org:80',
  '[::1]',
  '[::1]:8080',
  '127.0.0.1'
] as const
const ODD_HOSTS = [
  ...[
    '',
    'a b',
    'a,b',
    'u@a',
    'a/b',
    'a:x',
    'a:99999',
    '[::1',
    'a:',
    ':80',
    '\xe9',
    'a\x00b',
    'a#'
  ],
  ...['a?', '%61', 'http://a', 'a\tb', '[v1.x]', 'a:80:80', '..']
] as const

function request(random: Random): string {
  const method = random.oneIn(RARELY) ? random.pick(ODD_METHODS) : random.pick(METHODS)
  const target = random.oneIn(10) ? random.pick(ODD_TARGETS) : random.pick(TARGETS)
  const space = random.oneIn(200) ? random.pick(['  ', '\t', '', '\x0b', '\x0c', '\r']) : ' '
  const line = `${method}${space}${target} ${version(random)}`
  const body = bodyWithFraming(random, hasBody(random, method))
  const fields = [...hostFields(random), ...body.fields, ...someFields(random, REQUEST_FIELDS)]
  return head(random, line, fields) + body.bytes
}

function version(random: Random): string {
  if (random.oneIn(RARELY)) return random.pick(ODD_VERSIONS)
  return random.oneIn(8) ? 'HTTP/1.0' : 'HTTP/1.1'
}

function hasBody(random: Random, method: string): boolean {
  return method === 'POST' || method === 'PUT' ? !random.oneIn(6) : random.oneIn(5)
}

function hostFields(random: Random): string[] {
  if (random.oneIn(RARELY * 2)) return []
  const host = random.oneIn(RARELY) ? random.pick(ODD_HOSTS) : random.pick(HOSTS)
  const line = fieldLine(random, 'Host', host)
  return random.oneIn(RARELY * 2) ? [line, `host: ${random.pick(HOSTS)}`] : [line]
}

const STATUSES = ['200', '200', '200', '201', '204', '206', '301', '304', '404', '500'] as const
const PHRASES = [' OK', ' OK', ' OK', ' ', '', ' Not Found', ' a\tb', ' \xe9'] as const
const ODD_STATUS_LINES = [
  ...['HTTP/1.1 99 OK', 'HTTP/1.1 0200 OK', 'HTTP/1.1 20 OK', 'HTTP/1.1  200 OK', 'HTTP/1.1 200OK'],
  ...[
    'HTTP/1.1 600 OK',
    'HTTP/1.1 999',
    'HTTP/1.1 000 OK',
    'HTTP/1.1',
    'HTTP/1.1 OK',
    'http/1.1 200'
  ],
  ...[
    'HTTP/2.0 200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/0.9 200 OK',
    'ICY 200 OK',
    'HTTP/1.1\t200 OK',
    ''
  ],
  ...['HTTP/1.1 200\tOK', 'HTTP/1.1 200 O\x00K', 'HTTP/1.1 200 \x7f', 'HTTP/1.1 101 Switching'],
  ...[
    'HTTP/1.1 +20 OK',
    'HTTP/1.1 200 OK\r',
    ' HTTP/1.1 200 OK',
    'RTSP/1.0 200 OK',
    'HTTP/1.10 200'
  ]
] as const

function interim(random: Random): string {
  const status = random.pick(['100 Continue', '103 Early Hints', '102 Processing', '199 x'])
  const body = random.oneIn(10) ? bodyWithFraming(random, true) : { fields: [], bytes: '' }
  const fields = [...body.fields, ...(random.oneIn(2) ? ['Link: </x>'] : [])]
  return head(random, `HTTP/1.1 ${status}`, fields)
}

function response(random: Random, method: string): string {
  const major = random.oneIn(8) ? 'HTTP/1.0' : 'HTTP/1.1'
  const status = random.pick(STATUSES)
  const line = random.oneIn(RARELY)
    ? random.pick(ODD_STATUS_LINES)
    : `${major} ${status}${random.pick(PHRASES)}`
  const body = random.oneIn(8)
    ? { fields: [], bytes: random.pick(['', 'until the end', '0\r\n\r\n']) }
    : bodyWithFraming(random, true)
  const isBodyless = method === 'HEAD' || status === '204' || status === '304'
  const bytes = isBodyless && !random.oneIn(4) ? '' : body.bytes
  return head(random, line, [...body.fields, ...someFields(random, RESPONSE_FIELDS)]) + bytes
}

const REQUEST_FIELDS = [
  ...[
    'Accept: */*',
    'Cookie: a=b; c=d',
    'X-A: 1',
    'X-B:',
    'User-Agent: x/1 (y)',
    'Referer: http://b/'
  ],
  ...[
    'Connection: close',
    'Connection: keep-alive',
    'Connection: X-A, x-b',
    'Connection: ,, X-A ,'
  ],
  ...[
    'Connection: close, keep-alive',
    'Connection: Content-Length',
    'Connection: transfer-encoding'
  ],
  ...[
    'Connection: host, X-Real-IP, cookie',
    'Connection: upgrade',
    'Upgrade: websocket',
    'Upgrade: h2c'
  ],
  ...['Keep-Alive: timeout=5', 'Proxy-Connection: keep-alive', 'TE: trailers', 'Trailer: X-T'],
  ...['X-Real-IP: 6.6.6.6', 'X_Real_IP: 6.6.6.6', 'x-real_ip: 6.6.6.6', 'X-Forwarded-For: 6.6.6.6'],
  ...['X_Forwarded_For: 6.6.6.6', 'X-Forwarded-Proto: https', 'X-FORWARDED-PROTO: https'],
  ...['Expect: 100-continue', 'Expect: x', 'X-Tsha-Check: x', 'Content_Length: 5'],
  ...['Transfer_Encoding: chunked', 'HTTP2-Settings: AAMAAABk', 'X-Long: ' + 'y'.repeat(300)]
] as const
const RESPONSE_FIELDS = [
  ...[
    'Content-Type: text/plain',
    'Set-Cookie: a=b',
    'Set-Cookie: c=d',
    'ETag: "x"',
    'X-A: 1',
    'X-B:'
  ],
  ...[
    'Connection: close',
    'Connection: keep-alive',
    'Connection: X-A, etag',
    'Connection: content-length'
  ],
  ...['Connection: transfer-encoding', 'Keep-Alive: timeout=5', 'Trailer: X-T', 'Upgrade: h2c'],
  ...['Proxy-Connection: close', 'Server: x', 'Date: x', 'Location: http://web/x', 'Location: /y'],
  ...['X-Accel-Redirect: /z', 'X_Under: 1', 'TE: x', 'Vary: *', 'Connection: upgrade']
] as const
const ODD_FIELDS = [
  ...[
    'X-A : 1',
    ' X-A: 1',
    '\tX-A: 1',
    'X-A\t: 1',
    ': 1',
    'X-A',
    'X A: 1',
    'X-A: a\x00b',
    'X\x00A: 1'
  ],
  ...[
    'X-A: a\rb',
    'X-A: a\nb',
    'X-A: 1\r\n folded',
    'X-A: 1\r\n\tfolded',
    'X-A: \x7f',
    'X-A: \x01'
  ],
  ...[
    'X\xe9: 1',
    'X-A: \xe9\xff',
    'X(A): 1',
    'X-A: \x0b1',
    'X-A:\x0c',
    'X-A: 1\r',
    'X-A:\r\n ',
    '"X": 1'
  ],
  ...['Transfer-Encoding\r\n: chunked', 'Content-Length\x00: 5', 'X-A: 1\n', 'X-A: 1\r\r', '=: 1'],
  ...[
    '\r',
    '\n',
    ' ',
    'X-A:: 1',
    'X-A: \t 1 \t ',
    "!#$%&'*+-.^_`|~: 1",
    '\xa0X: 1',
    'X-A:\xa01\xa0'
  ]
] as const

function someFields(random: Random, choices: readonly [string, ...string[]]): string[] {
  const fields: string[] = []
  for (let left = random.below(5); left > 0; left--) {
    fields.push(random.oneIn(RARELY * 2) ? random.pick(ODD_FIELDS) : random.pick(choices))
  }
  return fields
}

/** A field line with white space and letter case as they may come. */
function fieldLine(random: Random, name: string, value: string): string {
  const cased = random.pick([name, name, name, name.toLowerCase(), name.toUpperCase()])
  const before = random.oneIn(RARELY) ? random.pick(['', '  ', '\t', '\x0b', '\r\n ', '\x00']) : ' '
  const after = random.oneIn(RARELY) ? random.pick([' ', '\t', ' \t ', '\x0c', '\xa0', ',']) : ''
  const colon = random.oneIn(RARELY * 4) ? random.pick([' :', '\t:', '::', '\x00:', ';']) : ':'
  return `${cased}${colon}${before}${value}${after}`
}

function head(random: Random, line: string, fields: string[]): string {
  for (let i = fields.length - 1; i > 0 && random.oneIn(2); i--) {
    const [moved = ''] = fields.splice(random.below(fields.length), 1)
    fields.push(moved)
  }
  let text = line + lineEnd(random)
  for (const field of fields) text += field + lineEnd(random)
  return text + lineEnd(random)
}

function lineEnd(random: Random): string {
  return random.oneIn(RARELY * 8)
    ? random.pick(['\n', '\r', '\r\r\n', '\n\r', '', ' \r\n'])
    : '\r\n'
}

interface Body {
  readonly fields: string[]
  readonly bytes: string
}

const TEXTS = [
  'abc',
  'x',
  'hello world',
  '0\r\n\r\n',
  'GET /inner HTTP/1.1\r\nHost: a\r\n\r\n'
] as const
const CODINGS = [
  ...['gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'identity', 'xchunked', 'chunked;q=1'],
  ...[
    '',
    ',',
    'chunked,',
    ',chunked',
    '\x0bchunked',
    'chunked\x0b',
    '"chunked"',
    'chun ked',
    'gzip'
  ],
  ...[
    'identity, chunked',
    'chunked, identity',
    'chunked\x00',
    'cHuNkEd',
    ' chunked ',
    'deflate,chunked'
  ]
] as const

function bodyWithFraming(random: Random, isWanted: boolean): Body {
  if (!isWanted) return { fields: [], bytes: '' }
  const text = random.pick(TEXTS)
  const fields: string[] = []
  const addLength = (): void => {
    const value = random.oneIn(RARELY) ? oddLength(random, text.length) : String(text.length)
    fields.push(fieldLine(random, 'Content-Length', value))
  }
  const addCoding = (): void => {
    const value = random.oneIn(10) ? random.pick(CODINGS) : 'chunked'
    fields.push(fieldLine(random, 'Transfer-Encoding', value))
  }
  const isChunked = random.oneIn(2)
  if (isChunked) addCoding()
  else addLength()
  if (random.oneIn(RARELY)) (random.oneIn(2) ? addCoding : addLength)()
  return { fields, bytes: isChunked ? chunked(random, text) : text }
}

function oddLength(random: Random, length: number): string {
  const plain = String(length)
  return random.pick([
    ...([
      `+${plain}`,
      `-${plain}`,
      `0${plain}`,
      `0x${plain}`,
      `${plain}, ${plain}`,
      `${plain},`
    ] as const),
    ...[
      `${plain} ${plain}`,
      '',
      `${plain}.0`,
      `${plain}e0`,
      '18446744073709551616',
      '9007199254740993'
    ],
    ...[
      String(length + 1),
      String(length - 1),
      '0',
      `00000000000000000000${plain}`,
      `\x0b${plain}`,
      '\xb3'
    ],
    ...[`${plain};`, `"${plain}"`, `${plain}_0`, '999999999999999', '1000000000000000']
  ])
}

function chunked(random: Random, text: string): string {
  let bytes = ''
  let at = 0
  while (at < text.length) {
    const size = 1 + random.below(text.length - at)
    bytes += sizeLine(random, size) + text.slice(at, at + size) + lineEnd(random)
    at += size
  }
  bytes += sizeLine(random, 0)
  if (random.oneIn(6)) {
    bytes +=
      random.pick(['X-T: 1', 'X-T:', 'Content-Length: 5', 'Host: b', ...ODD_FIELDS]) +
      lineEnd(random)
  }
  return bytes + lineEnd(random)
}

function sizeLine(random: Random, size: number): string {
  const hex = size.toString(16)
  const written = random.oneIn(RARELY * 2)
    ? random.pick([
        ...([
          `0x${hex}`,
          `+${hex}`,
          `-${hex}`,
          ` ${hex}`,
          `${hex} `,
          `\t${hex}`,
          `${hex}\t`
        ] as const),
        ...[
          '',
          'g',
          `${hex}g`,
          `${hex}\x00`,
          `10000000000000000${hex}`,
          `fffffffffffff${hex}`,
          `${hex}_`
        ],
        ...[(size + 1).toString(16), (size - 1).toString(16), `${hex}.`, `${hex}\r`, '100000000']
      ])
    : random.pick([hex, hex, hex.toUpperCase(), `0${hex}`, `000000${hex}`])
  const extension = random.oneIn(8)
    ? random.pick([
        ...([
          ';a',
          ';a=b',
          ';a="b c"',
          ';a="\\""',
          ' ;a',
          '; a',
          ';a =b',
          ';',
          ';;',
          ';a=\x00'
        ] as const),
        ...[
          ';a\n',
          ';a\r',
          ';a="',
          ';a="b',
          ';\xe9',
          ';a=b;c=d',
          ';\t',
          ' ; a = b',
          ';a="\x7f"',
          ';a"b'
        ]
      ])
    : ''
  return written + extension + lineEnd(random)
}

const INSERTS = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\x00',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '\x0b',
    '\x0c',
    '\x7f',
    '\xff'
  ],
  ...[
    '0',
    '5',
    '0\r\n',
    'chunked',
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 3\r\n',
    '_',
    '\xa0'
  ],
  ...[
    'Content-Length: 0\r\n',
    '\r\n ',
    'HTTP/1.1',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    '"',
    '\x85',
    '#'
  ]
] as const

/** Changes bytes without knowing what they mean; most streams stay as they are. */
function mutated(random: Random, text: string): string {
  if (!random.oneIn(4)) return text
  let changed = text
  for (let left = 1 + random.below(2); left > 0; left--) {
    const at = random.below(changed.length + 1)
    const size = random.below(random.pick([2, 2, 4, 16]))
    const [before, cut, after] = [
      changed.slice(0, at),
      changed.slice(at, at + size),
      changed.slice(at + size)
    ]
    const kind = random.below(5)
    if (kind === 0) changed = before + after
    else if (kind === 1) changed = before + cut + cut + after
    else if (kind === 2) changed = before + String.fromCharCode(random.below(256)) + after
    else if (kind === 3) changed = before
    else changed = before + random.pick(INSERTS) + cut + after
  }
  return changed
}
