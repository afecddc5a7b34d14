import t from 'tap'
import { parseRequestHead, parseResponseHead } from '../../src/proxy/http1/head.js'
import { askedProtocols, grantedProtocol } from '../../src/proxy/upgrade.js'

function asked(fields: string, line = 'GET / HTTP/1.1'): string | null {
  const head = parseRequestHead(`${line}\r\nHost: a\r\n${fields}\r\n\r\n`)
  if (head.kind === 'refusal') throw new Error(head.reason)
  return askedProtocols(head)
}

function granted(fields: string, protocols: string): string | null {
  const head = parseResponseHead(`HTTP/1.1 101 OK\r\n${fields}\r\n\r\n`, 'GET')
  if (head.kind === 'bad-response') throw new Error(head.reason)
  return grantedProtocol(head, protocols)
}

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: '

t.test('a GET of HTTP/1.1 without a body may ask for another protocol', (t) => {
  t.equal(asked(`${UPGRADE}websocket`), 'websocket')
  t.equal(asked(`${UPGRADE}WebSocket`), 'WebSocket', 'in its own spelling')
  t.equal(asked('connection: keep-alive, upgrade\r\nupgrade: websocket'), 'websocket')
  t.equal(asked(`${UPGRADE}IRC/6.9, RTA/x11`), 'IRC/6.9, RTA/x11')
  t.equal(asked(`${UPGRADE}a\r\nUpgrade: b`), 'a, b', 'several lines are one list')
  t.equal(asked(`${UPGRADE}, websocket ,`), 'websocket', 'a list may have holes')
  t.equal(asked(`Content-Length: 0\r\n${UPGRADE}websocket`), 'websocket', 'that is no body')
  t.end()
})

t.test('every other request with Upgrade is an ordinary one', (t) => {
  const field = `${UPGRADE}websocket`
  t.equal(asked('Upgrade: websocket'), null, 'Connection does not name it')
  t.equal(asked('Connection: upgrade'), null, 'no protocol')
  t.equal(asked(`${UPGRADE},`), null, 'an empty list')
  t.equal(asked(field, 'GET / HTTP/1.0'), null)
  t.equal(asked(field, 'POST / HTTP/1.1'), null)
  t.equal(asked(field, 'HEAD / HTTP/1.1'), null)
  t.equal(asked(field, 'OPTIONS * HTTP/1.1'), null)
  t.equal(asked(`Content-Length: 5\r\n${field}`), null)
  t.equal(asked(`Transfer-Encoding: chunked\r\n${field}`), null)
  t.equal(asked(`${UPGRADE}web socket`), null, 'not a protocol')
  t.equal(asked(`${UPGRADE}websocket, "x"`), null, 'one that is not spoils the list')
  t.equal(asked(`${UPGRADE}websocket/1/2`), null)
  t.equal(asked('Connection: upgrade\r\nUp_grade: websocket'), null)
  t.end()
})

t.test('a protocol that carries HTTP again is never asked for', (t) => {
  for (const protocol of ['h2c', 'H2C', 'h2', 'HTTP/2.0', 'http/1.1', 'TLS/1.0', 'tls/1.2, h2c']) {
    t.equal(asked(`HTTP2-Settings: AAMAAABk\r\n${UPGRADE}${protocol}`), null, protocol)
  }
  t.equal(asked(`${UPGRADE}h2c, websocket`), 'websocket')
  t.equal(asked(`${UPGRADE}websocket\r\nUpgrade: h2c`), 'websocket')
  t.end()
})

t.test('a 101 is valid for what was asked for and for nothing else', (t) => {
  t.equal(granted('Upgrade: websocket', 'websocket'), 'websocket')
  t.equal(granted('Upgrade: WebSocket', 'websocket'), 'WebSocket', 'names have no case')
  t.equal(granted('Upgrade: b', 'a, b'), 'b')
  t.equal(granted('Upgrade: a, b', 'a, b'), 'a, b')
  t.equal(granted('Connection: upgrade', 'websocket'), null, 'no Upgrade field')
  t.equal(granted('Upgrade:', 'websocket'), null)
  t.equal(granted('Upgrade: h2c', 'websocket'), null)
  t.equal(granted('Upgrade: websocket, h2c', 'websocket'), null)
  t.equal(granted('Upgrade: websocket\r\nUpgrade: h2c', 'websocket'), null)
  t.equal(granted('Upgrade: socket', 'websocket'), null)
  t.equal(granted('Upgrade: we b', 'websocket'), null)
  t.end()
})
