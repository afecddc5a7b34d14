import t from 'tap'
import { compileLogFormat, escapeValue } from '../../src/proxy/access-log.js'
import { parseRequestHead } from '../../src/proxy/http1/head.js'
import {
  VARIABLE_NAMES,
  compileTemplate,
  isVariable,
  type AttemptFacts,
  type Transaction
} from '../../src/proxy/variables.js'

process.env['TZ'] = 'UTC'

const FACTS = { hostname: 'director1', pid: 123 }

function transaction(head: string): Transaction {
  const parsed = parseRequestHead(head)
  if (parsed.kind === 'refusal') throw new Error(parsed.reason)
  return {
    client: {
      remoteAddress: '192.168.64.1',
      remotePort: 5555,
      serverAddress: '192.168.64.200',
      serverPort: 80,
      connection: 7
    },
    head: parsed,
    requestLine: parsed.line,
    connectionRequests: 2,
    startedAt: 1000,
    endedAt: 1012.4,
    endedAtEpochMs: Date.UTC(2026, 10, 22, 12, 35, 14, 250),
    path: '/a b',
    host: 'example.org',
    serverName: '_',
    proxyHost: 'web',
    status: 200,
    bodyBytesSent: 12,
    bytesSent: 150,
    requestLength: 90,
    attempts: [
      attempt(0, '192.168.64.143:80', 502, 1000, 1001),
      attempt(1, '192.168.64.138:80', 200, 1001, 1012)
    ]
  }
}

function attempt(
  peerIndex: number,
  address: string,
  answerStatus: number,
  startedAt: number,
  endedAt: number
): AttemptFacts {
  const uncounted = { failure: null, firstByteAt: -1, bytesSent: 0, bytesReceived: 0 }
  return { peerIndex, address, answerStatus, startedAt, endedAt, ...uncounted }
}

const MAIN =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent ' +
  '"$http_referer" "$http_user_agent" "$http_x_forwarded_for"'

t.test('the format main of the example pair, to the byte', (t) => {
  const tx = transaction(
    'GET /a%20b?c=d HTTP/1.1\r\nHost: Example.org\r\nUser-Agent: curl/8 "x\\\xe9"\r\n' +
      'X-Forwarded-For: 1.1.1.1\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n'
  )
  t.equal(
    compileLogFormat(MAIN, FACTS)(tx),
    '192.168.64.1 - alice [22/Nov/2026:12:35:14 +0000] "GET /a%20b?c=d HTTP/1.1" 200 12 ' +
      '"-" "curl/8 \\x22x\\x5C\\xE9\\x22" "1.1.1.1"\n'
  )
  t.end()
})

t.test('every variable has its value', (t) => {
  const tx = transaction(
    'GET /a%20b?c=d HTTP/1.1\r\nHost: Example.org:80\r\nX-A: 1\r\nX-A: 2\r\n\r\n'
  )
  const table: Record<string, string> = {
    host: 'example.org',
    http_host: 'Example.org:80',
    http_x_a: '1, 2',
    proxy_host: 'web',
    remote_addr: '192.168.64.1',
    remote_port: '5555',
    remote_user: '',
    server_addr: '192.168.64.200',
    server_port: '80',
    server_name: '_',
    scheme: 'http',
    request: 'GET /a%20b?c=d HTTP/1.1',
    request_method: 'GET',
    request_uri: '/a%20b?c=d',
    uri: '/a b',
    args: 'c=d',
    server_protocol: 'HTTP/1.1',
    status: '200',
    body_bytes_sent: '12',
    bytes_sent: '150',
    request_length: '90',
    request_time: '0.012',
    time_local: '22/Nov/2026:12:35:14 +0000',
    time_iso8601: '2026-11-22T12:35:14+00:00',
    msec: '1795350914.250',
    proxy_add_x_forwarded_for: '192.168.64.1',
    connection: '7',
    connection_requests: '2',
    upstream_addr: '192.168.64.143:80, 192.168.64.138:80',
    upstream_status: '502, 200',
    upstream_response_time: '0.001, 0.011',
    hostname: 'director1',
    pid: '123'
  }
  for (const [name, value] of Object.entries(table)) {
    t.equal(compileTemplate(`$${name}`, FACTS)(tx), value, name)
    t.equal(compileTemplate(`a\${${name}}b`, FACTS)(tx), `a${value}b`)
  }
  t.same(
    VARIABLE_NAMES.filter((name) => !(name in table)),
    [],
    'none is missing here'
  )
  t.throws(() => compileTemplate('$nonsense', FACTS), { message: 'unknown variable $nonsense' })
  t.equal(isVariable('nonsense'), false)
  t.equal(isVariable('http_any_thing'), true)
  t.end()
})

t.test('nginx escape=default', (t) => {
  t.equal(escapeValue(''), '-')
  t.equal(escapeValue('a"b\\c\x01\x7f\x80~ '), 'a\\x22b\\x5Cc\\x01\\x7F\\x80~ ')
  t.end()
})
