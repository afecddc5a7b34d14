import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { startProxy } from './support/proxy.js'
import { scriptedUpstream } from './support/upstream.js'

/**
 * RFC 9112 and RFC 9110 for requests, one line for each rule: what is refused, with its status, and
 * what is accepted, with the bytes that arrive at the upstream server.
 */

/** A server that writes down every byte and answers nothing. */
async function recorder(): Promise<{
  port: number
  received: () => string
  close: () => Promise<void>
}> {
  let received = ''
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => (received += chunk.toString('latin1')))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

const H = 'Host: a\r\n'
const GET = `GET / HTTP/1.1\r\n${H}`
const PUT = `PUT / HTTP/1.1\r\n${H}`
const CHUNKED = `${PUT}Transfer-Encoding: chunked\r\n\r\n`
const length = (value: string): string => `${PUT}Content-Length:${value}\r\n\r\n`
const coding = (value: string): string => `${PUT}Transfer-Encoding:${value}\r\n\r\n0\r\n\r\n`
const line = (text: string): string => `${text}\r\n${H}\r\n`
const host = (value: string): string => `GET / HTTP/1.1\r\nHost:${value}\r\n\r\n`
const field = (text: string): string => `${GET}${text}\r\n\r\n`

type Refused = readonly [claim: string, text: string, status?: number]

const REFUSED: Readonly<Record<string, readonly Refused[]>> = {
  'RFC 9112 §6.3 Content-Length': [
    [
      'beside Transfer-Encoding',
      `${PUT}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    ],
    [
      'the same in the other order',
      `${PUT}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`
    ],
    ['twice, equal', `${PUT}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`],
    ['twice, unequal', `${PUT}Content-Length: 0\r\nContent-Length: 44\r\n\r\n`],
    ['twice, in different case', `${PUT}Content-Length: 0\r\ncontent-length: 44\r\n\r\n`],
    ['a list of equal values', length(' 5, 5')],
    ['a list of one value and nothing', length(' 5,')],
    ['over 2^64', length(' 18446744073709551616')],
    ['over 2^53', length(' 9007199254740993')],
    ['sign +', length(' +5')],
    ['sign -', length(' -5')],
    ['hex', length(' 0x5')],
    ['spaces inside', length(' 1 0')],
    ['a tab behind', length(' 5\t')],
    ['empty', length('')],
    ['only spaces', length('  ')],
    ['a fraction', length(' 5.0')],
    ['quotes', length(' "5"')],
    ['a vertical tab before', length(' \x0b5')],
    ['letters behind', length(' 5x')],
    ['a digit of another script', length(' \xb3')]
  ],
  'RFC 9112 §6.1 Transfer-Encoding': [
    ['gzip', coding(' gzip'), 501],
    ['gzip, then chunked', coding(' gzip, chunked'), 501],
    ['identity', coding(' identity'), 501],
    ['identity, then chunked', coding(' identity, chunked'), 501],
    ['chunked, then gzip', coding(' chunked, gzip')],
    ['chunked twice', coding(' chunked, chunked')],
    [
      'chunked in two lines',
      `${PUT}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`
    ],
    [
      'identity and chunked in two lines',
      `${PUT}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n`,
      501
    ],
    ['quotes', coding(' "chunked"'), 501],
    ['a parameter', coding(' chunked;q=1'), 501],
    ['a space inside', coding(' chun ked'), 501],
    ['xchunked', coding(' xchunked'), 501],
    ['a tab behind', coding(' chunked\t')],
    ['a vertical tab before', coding(' \x0bchunked')],
    ['empty', coding('')],
    ['an empty element before', coding(' , chunked')],
    ['an empty element behind', coding(' chunked,')],
    ['in HTTP/1.0', `PUT / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a space before its colon', `${PUT}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['its line is folded', `${PUT}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`]
  ],
  'RFC 9112 §5 field lines': [
    ['obs-fold with a space', field('A: b\r\n c')],
    ['obs-fold with a tab', field('A: b\r\n\tc')],
    ['a line of one space', field('A: b\r\n ')],
    ['bare CR in a value', field('A: b\rc')],
    ['bare CR at the end of a value', field('A: b\r')],
    ['bare CR in a name', field('A\rB: c')],
    ['LF alone', field('A: b\nC: d')],
    ['LF alone before the empty line', `${GET}A: b\n\r\n`],
    ['LF alone as the empty line', `${GET}\n`],
    ['NUL in a value', field('A: \0')],
    ['NUL in a name', field('A\0: b')],
    ['vertical tab', field('A: \x0b')],
    ['form feed', field('A: \x0c')],
    ['backspace', field('A: \x08')],
    ['escape', field('A: \x1b')],
    ['DEL', field('A: \x7f')],
    ['space before the colon', field('A : b')],
    ['tab before the colon', field('A\t: b')],
    ['space before the first field', `GET / HTTP/1.1\r\n ${H}\r\n`],
    ['tab before the first field', `GET / HTTP/1.1\r\n\t${H}\r\n`],
    ['empty name', field(': b')],
    ['no colon', field('A')],
    ['space in a name', field('A B: c')],
    ['parentheses in a name', field('A(b): c')],
    ['byte above 0x7f in a name', field('A\xe9: c')],
    ['a line over 8 KiB', field(`A: ${'b'.repeat(8190)}`), 431],
    ['a head over 32 KiB', field(`A: ${'b'.repeat(8000)}\r\n`.repeat(5) + 'B: c'), 431],
    ['1001 lines', field('A: b\r\n'.repeat(1000) + 'B: c'), 431]
  ],
  'RFC 9112 §3 request lines': [
    ['two spaces behind the method', line('GET  / HTTP/1.1')],
    ['two spaces before the version', line('GET /  HTTP/1.1')],
    ['a tab instead of a space', line('GET\t/ HTTP/1.1')],
    ['a space before the method', line(' GET / HTTP/1.1')],
    ['a space behind the version', line('GET / HTTP/1.1 ')],
    ['an empty method', line('/ HTTP/1.1')],
    ['brackets in the method', line('G[T / HTTP/1.1')],
    ['quotes around the method', line('"GET" / HTTP/1.1')],
    ['a byte above 0x7f in the method', line('G\xcbT / HTTP/1.1')],
    ['an empty target', line('GET HTTP/1.1')],
    ['a target of one space', line('GET   HTTP/1.1')],
    ['a space in the target', line('GET /a b HTTP/1.1')],
    ['a tab in the target', line('GET /a\tb HTTP/1.1')],
    ['a NUL in the target', line('GET /\0 HTTP/1.1')],
    ['a DEL in the target', line('GET /\x7f HTTP/1.1')],
    ['a fragment', line('GET /a#b HTTP/1.1')],
    ['a fragment in an absolute-form', line('GET http://a/#b HTTP/1.1')],
    ['a target without a slash', line('GET a HTTP/1.1')],
    ['a query alone', line('GET ?a HTTP/1.1')],
    ['asterisk-form with another method', line('GET * HTTP/1.1')],
    ['authority-form with another method', line('GET a:80 HTTP/1.1')],
    ['CONNECT', line('CONNECT a:80 HTTP/1.1'), 405],
    ['TRACE', line('TRACE / HTTP/1.1'), 405],
    ['another scheme', line('GET ftp://a/ HTTP/1.1')],
    ['an absolute-form without a host', line('GET http:///a HTTP/1.1')],
    ['an absolute-form with userinfo', line('GET http://u:p@a/ HTTP/1.1')],
    ['an absolute-form with a bad port', line('GET http://a:x/ HTTP/1.1')],
    ['an absolute-form with port 65536', line('GET http://a:65536/ HTTP/1.1')],
    ['an absolute-form beside an invalid Host', 'GET http://a/ HTTP/1.1\r\nHost: b/c\r\n\r\n'],
    ['an absolute-form without Host', 'GET http://a/ HTTP/1.1\r\n\r\n'],
    ['a backslash in the authority', line('GET http://a\\b/ HTTP/1.1')],
    ['a path above the root', line('GET /../a HTTP/1.1')],
    ['an encoded path above the root', line('GET /%2e%2e/a HTTP/1.1')],
    ['a broken percent-encoding', line('GET /%zz HTTP/1.1')],
    ['an encoded NUL', line('GET /%00 HTTP/1.1')],
    ['a line over 8 KiB', line(`GET /${'a'.repeat(8192)} HTTP/1.1`), 414],
    ['HTTP/0.9 without a version', 'GET /\r\n'],
    ['HTTP/0.9', line('GET / HTTP/0.9'), 505],
    ['HTTP/2.0', line('GET / HTTP/2.0'), 505],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['HTTP/3.0', line('GET / HTTP/3.0'), 505],
    ['lower-case http', line('GET / http/1.1')],
    ['two digits', line('GET / HTTP/1.10')],
    ['a leading zero', line('GET / HTTP/01.1')],
    ['a comma', line('GET / HTTP/1,1')],
    ['no minor version', line('GET / HTTP/1')],
    ['another protocol', line('GET / ICAP/1.0')],
    ['a second version', line('GET / HTTP/1.1 HTTP/1.1')]
  ],
  'RFC 9112 §3.2 Host': [
    ['missing', 'GET / HTTP/1.1\r\n\r\n'],
    ['twice, equal', `${GET}${H}\r\n`],
    ['twice, unequal', `${GET}hOST: b\r\n\r\n`],
    ['twice in HTTP/1.0', `GET / HTTP/1.0\r\n${H}${H}\r\n`],
    ['empty', host('')],
    ['only spaces', host('  ')],
    ['userinfo', host(' u@a')],
    ['path', host(' a/b')],
    ['query', host(' a?b')],
    ['a URL', host(' http://a')],
    ['a space inside', host(' a b')],
    ['a tab inside', host(' a\tb')],
    ['percent-encoding', host(' %61')],
    ['a byte above 0x7f', host(' \xe9')],
    ['two dots', host(' a..b')],
    ['only a dot', host(' .')],
    ['a port alone', host(' :80')],
    ['an empty port', host(' a:')],
    ['a port of letters', host(' a:b')],
    ['two ports', host(' a:80:80')],
    ['port 0', host(' a:0')],
    ['port 65536', host(' a:65536')],
    ['a port with a sign', host(' a:+80')],
    ['IPv6 without brackets', host(' ::1')],
    ['IPv6 without its end', host(' [::1')],
    ['IPv6 with nine groups', host(' [1:2:3:4:5:6:7:8:9]')],
    ['IPv6 with seven groups', host(' [1:2:3:4:5:6:7]')],
    ['IPv6 with two gaps', host(' [1::2::3]')],
    ['IPv6 of colons only', host(' [:::]')],
    ['IPv6 with a group of five digits', host(' [::12345]')],
    ['IPv6 with an IPv4 part that is none', host(' [::1.2.3.256]')],
    ['IPv6 with a zone', host(' [fe80::1%25eth0]')],
    ['IPv4 in brackets', host(' [192.0.2.1]')],
    ['an address of the future', host(' [v1.x]')],
    ['empty brackets', host(' []')],
    ['letters behind the brackets', host(' [::1]a')]
  ],
  'RFC 9112 §7.1 chunks': [
    ['no size', `${CHUNKED}\r\nx\r\n0\r\n\r\n`],
    ['a size that overflows 64 bits', `${CHUNKED}10000000000000001\r\nx\r\n0\r\n\r\n`],
    ['a size that overflows 53 bits', `${CHUNKED}20000000000001\r\nx\r\n0\r\n\r\n`],
    ['more than 12 digits of zeros', `${CHUNKED}0000000000001\r\nx\r\n0\r\n\r\n`],
    ['sign', `${CHUNKED}+1\r\nx\r\n0\r\n\r\n`],
    ['minus', `${CHUNKED}-1\r\nx\r\n0\r\n\r\n`],
    ['0x', `${CHUNKED}0x1\r\nx\r\n0\r\n\r\n`],
    ['space before', `${CHUNKED} 1\r\nx\r\n0\r\n\r\n`],
    ['space behind', `${CHUNKED}1 \r\nx\r\n0\r\n\r\n`],
    ['tab behind', `${CHUNKED}1\t\r\nx\r\n0\r\n\r\n`],
    ['underscore', `${CHUNKED}1_0\r\nx\r\n0\r\n\r\n`],
    ['LF alone behind the size', `${CHUNKED}1\nx\r\n0\r\n\r\n`],
    ['CR alone behind the size', `${CHUNKED}1\rx\r\n0\r\n\r\n`],
    ['LF alone behind the data', `${CHUNKED}1\r\nx\n0\r\n\r\n`],
    ['more data than the size', `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`],
    ['less data than the size', `${CHUNKED}2\r\nx\r\n0\r\n\r\n`],
    ['no line end behind the data', `${CHUNKED}1\r\nx0\r\n\r\n`],
    ['LF alone behind the last chunk', `${CHUNKED}0\n\r\n`],
    ['LF alone at the very end', `${CHUNKED}0\r\n\n`],
    ['an extension without a name', `${CHUNKED}1;\r\nx\r\n0\r\n\r\n`],
    ['an extension with a space', `${CHUNKED}1; a\r\nx\r\n0\r\n\r\n`],
    ['an extension with a LF', `${CHUNKED}1;a\nx\r\n0\r\n\r\n`],
    ['an extension with a bare CR', `${CHUNKED}1;a\rb\r\nx\r\n0\r\n\r\n`],
    ['an extension with a NUL', `${CHUNKED}1;a=\0\r\nx\r\n0\r\n\r\n`],
    ['an extension with an open quote', `${CHUNKED}1;a="b\r\nx\r\n0\r\n\r\n`],
    ['an extension over 4 KiB', `${CHUNKED}1;${'a'.repeat(4097)}\r\nx\r\n0\r\n\r\n`],
    ['Content-Length as a trailer', `${CHUNKED}0\r\nContent-Length: 5\r\n\r\n`],
    ['Transfer-Encoding as a trailer', `${CHUNKED}0\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['a folded trailer', `${CHUNKED}0\r\nA: b\r\n c\r\n\r\n`],
    ['a trailer without a name', `${CHUNKED}0\r\n: b\r\n\r\n`],
    ['a trailer with a space before its colon', `${CHUNKED}0\r\nA : b\r\n\r\n`],
    ['a trailer with a bare CR', `${CHUNKED}0\r\nA: b\rc\r\n\r\n`],
    ['a trailer with LF alone', `${CHUNKED}0\r\nA: b\n\r\n`],
    ['trailers over 8 KiB', `${CHUNKED}0\r\n${`A: ${'b'.repeat(4000)}\r\n`.repeat(3)}\r\n`]
  ]
}

const BEHIND = `GET /behind HTTP/1.1\r\n${H}\r\n`

for (const [rule, rows] of Object.entries(REFUSED)) {
  t.test(
    `${rule}: what is refused; the connection closes and nothing behind is executed`,
    async (t) => {
      const web = await recorder()
      t.teardown(() => web.close())
      const proxy = await startProxy(t, { servers: [web.port] })
      for (const [claim, text, status = 400] of rows) {
        const response = await exchange(proxy.port, text + BEHIND)
        t.equal(statusOf(response), status, claim)
        t.equal(response.match(/HTTP\/1\.1 /g)?.length, 1, `${claim}: one answer`)
        t.match(response, /\r\nConnection: close\r\n/, `${claim}: it says close`)
      }
      t.notMatch(web.received(), /behind/)
    }
  )
}

/** What arrives with the route's own fields reduced to `Host: $host`. */
const ACCEPTED: readonly (readonly [claim: string, text: string, arrives: string])[] = [
  [
    'a method in lower case is a method of its own',
    `get / HTTP/1.1\r\n${H}\r\n`,
    'get / HTTP/1.1\r\nHost: a\r\n\r\n'
  ],
  [
    'a method of every token character',
    line("!#$%&'*+-.^_`|~0aZ / HTTP/1.1"),
    "!#$%&'*+-.^_`|~0aZ / HTTP/1.1\r\nHost: a\r\n\r\n"
  ],
  [
    'bytes above 0x7f in a target, as in nginx',
    line('GET /\xe9\xff?\x80 HTTP/1.1'),
    'GET /\xe9\xff?\x80 HTTP/1.1\r\nHost: a\r\n\r\n'
  ],
  [
    'characters that a URI may not have',
    line('GET /"<>\\^`{|} HTTP/1.1'),
    'GET /"<>\\^`{|} HTTP/1.1\r\nHost: a\r\n\r\n'
  ],
  ['HTTP/1.2 is read as 1.1', line('GET / HTTP/1.2'), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'HTTP/1.0 without Host: the name of the server',
    'GET / HTTP/1.0\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: _\r\n\r\n'
  ],
  [
    'the absolute-form wins over Host',
    'GET http://B:81/p?q HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /p?q HTTP/1.1\r\nHost: b\r\n\r\n'
  ],
  [
    'an absolute-form in HTTP/1.0 without Host',
    'GET http://b/ HTTP/1.0\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: b\r\n\r\n'
  ],
  [
    'an absolute-form without a path',
    line('GET http://b?q HTTP/1.1'),
    'GET /?q HTTP/1.1\r\nHost: b\r\n\r\n'
  ],
  ['asterisk-form', line('OPTIONS * HTTP/1.1'), 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'OPTIONS of an absolute-form without a path is about the server',
    line('OPTIONS http://b HTTP/1.1'),
    'OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n'
  ],
  [
    'a path with two slashes is no authority',
    line('GET //b/c HTTP/1.1'),
    'GET //b/c HTTP/1.1\r\nHost: a\r\n\r\n'
  ],
  [
    'Host in capitals, with white space and a final dot',
    host('\t EX.org.:80 \t'),
    'GET / HTTP/1.1\r\nHost: ex.org\r\n\r\n'
  ],
  ['port 65535', host(' a:65535'), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['IPv6', host(' [2001:DB8::1]:8080'), 'GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n'],
  ['IPv6 in full', host(' [1:2:3:4:5:6:7:8]'), 'GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:7:8]\r\n\r\n'],
  [
    'IPv6 with an IPv4 part',
    host(' [::ffff:192.0.2.1]'),
    'GET / HTTP/1.1\r\nHost: [::ffff:192.0.2.1]\r\n\r\n'
  ],
  ['a comma is part of a name', host(' a,b'), 'GET / HTTP/1.1\r\nHost: a,b\r\n\r\n'],
  ['empty lines before a request', `\r\n\r\n${GET}\r\n`, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'Content-Length with zeros before',
    `${length(' 003')}abc`,
    'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'
  ],
  [
    'Content-Length with spaces around',
    `${length('   3  ')}abc`,
    'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'
  ],
  ['Content-Length of 0', length(' 0'), 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
  ['neither of both is no body', `${PUT}\r\n`, 'PUT / HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'chunked behind a tab',
    coding('\tchunked'),
    'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
  ],
  [
    'chunked in odd case with spaces around',
    coding('  cHuNkEd  '),
    'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
  ],
  [
    'sizes with zeros before, extensions and trailers are dropped',
    `${CHUNKED}00000000003;a="b;c";d\r\nabc\r\n0;e=f\r\nX-Real-IP: 6.6.6.6\r\nHost: evil\r\nConnection: close\r\n\r\n`,
    'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
  ],
  [
    'Content_Length is no Content-Length, and does not travel',
    field('Content_Length: 5\r\nTransfer_Encoding: chunked'),
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  ],
  [
    'values keep their inner white space and bytes above 0x7f',
    field('A:\t b \t\xff c\t '),
    'GET / HTTP/1.1\r\nHost: a\r\nA: b \t\xff c\r\n\r\n'
  ],
  ['an empty value', field('A:'), 'GET / HTTP/1.1\r\nHost: a\r\nA: \r\n\r\n'],
  ['a colon in a value', field('A:: b:'), 'GET / HTTP/1.1\r\nHost: a\r\nA: : b:\r\n\r\n'],
  [
    'TE and Trailer end here',
    field('TE: trailers, deflate;q=0.5\r\nTrailer: X-T'),
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  ],
  [
    'Upgrade ends here',
    field('Connection: Upgrade\r\nUpgrade: h2c'),
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  ],
  [
    'what Connection names ends here, in any case and line',
    field('Connection: X-A,\t x-b ,\r\nconnection: ,X-C\r\nX-A: 1\r\nX-B: 2\r\nx-c: 3\r\nX-D: 4'),
    'GET / HTTP/1.1\r\nHost: a\r\nX-D: 4\r\n\r\n'
  ],
  [
    'a Host that Connection names still counts',
    field('Connection: host'),
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  ],
  [
    'a Content-Length that Connection names still counts',
    `${PUT}Connection: content-length\r\nContent-Length: 3\r\n\r\nabc`,
    'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'
  ],
  [
    'a Transfer-Encoding that Connection names still counts',
    `${PUT}Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
  ],
  [
    'an unknown expectation is left alone, as in nginx, and ends here',
    field('Expect: tea'),
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  ]
]

t.test('RFC 9112: what is accepted, and what arrives for it', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port],
    // As it came: a body that is read whole goes on with its length.
    route: { setHeaders: [['Host', '$host']], requestBuffering: false }
  })
  for (const [claim, text, arrives] of ACCEPTED) {
    const client = new RawClient(proxy.port)
    client.send(text)
    t.match(await client.take(/hello/), /^HTTP\/1\.1 200 OK\r\n/, claim)
    await client.close()
    t.equal(web.requests.pop(), arrives, claim)
    t.equal(web.requests.length, 0)
  }
})

t.test('RFC 9112 §3.2.2: $http_host is the authority of an absolute-form too', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port],
    route: { setHeaders: [['Host', '$http_host']] }
  })
  await exchange(proxy.port, `GET http://B:81/ HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)
  t.same(web.requests, ['GET / HTTP/1.1\r\nHost: B:81\r\n\r\n'])
})

t.test('RFC 9110 §10.1.1: 100-continue counts in a list and in any of several lines', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  for (const expect of ['Expect: 100-Continue, tea', 'Expect: 100-continue\r\nExpect: tea']) {
    const client = new RawClient(proxy.port)
    client.send(`${PUT}${expect}\r\nContent-Length: 3\r\n\r\n`)
    t.equal(await client.take(/\r\n\r\n/), 'HTTP/1.1 100 Continue\r\n\r\n', expect)
    client.send('abc')
    await client.take(/hello/)
    await client.close()
  }
  for (const none of [
    `PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n`,
    `${PUT}Expect: tea\r\nContent-Length: 3\r\n\r\n`
  ]) {
    const client = new RawClient(proxy.port)
    client.send(none)
    while (proxy.engine.counters.clientConnections === 0)
      await new Promise((resolve) => setImmediate(resolve))
    client.send('abc')
    t.match(await client.take(/hello/), /^HTTP\/1\.1 200/, none)
    await client.close()
  }
})

t.test(
  'a chunked body that breaks after its request went on: the attempt is cut, never ended',
  async (t) => {
    const web = await recorder()
    t.teardown(() => web.close())
    const proxy = await startProxy(t, { servers: [web.port], route: { requestBuffering: false } })
    const client = new RawClient(proxy.port)
    client.send(`${CHUNKED}3\r\nabc\r\n`)
    while (!web.received().includes('abc')) await new Promise((resolve) => setImmediate(resolve))
    client.send(`zz\r\n${BEHIND}`)
    t.equal(statusOf(await client.rest()), 400)
    t.notMatch(web.received(), /\r\n0\r\n\r\n$|behind/)
    await client.close()
    t.equal(proxy.engine.counters.upstreamConnections, 0, 'its connection is not used again')
  }
)

t.test('requests before a refused one are answered, the ones behind are not', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const first = `GET /first HTTP/1.1\r\n${H}\r\n`
  const response = await exchange(proxy.port, `${first}${field('A : b')}${BEHIND}`)
  t.same(response.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400'])
  t.equal(web.requests.length, 1)
  t.equal(statusOf(await exchange(proxy.port, get())), 200)
})
