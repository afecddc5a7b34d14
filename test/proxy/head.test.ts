import fc from 'fast-check'
import t from 'tap'
import { Intake } from '../../src/proxy/downstream/intake.js'
import { parseRequestHead, parseResponseHead } from '../../src/proxy/http1/head.js'

/** Reads a text as a client connection does, in pieces: the status of a refusal, 0 for none yet. */
function read(pieces: readonly string[]): number | string {
  const intake = new Intake()
  for (const piece of pieces) {
    intake.keep(Buffer.from(piece, 'latin1'))
    const head = intake.skipEmptyLines() ? intake.read() : null
    if (head !== null) return head.kind === 'refusal' ? head.status : JSON.stringify(head)
  }
  return 0
}

const HOST = 'Host: example.org\r\n'

t.test('RFC 9112, RFC 9110: requests that are refused', (t) => {
  const table: [claim: string, text: string, status: number][] = [
    ['two spaces in the request line', `GET  / HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['no version', `GET /\r\n${HOST}\r\n`, 400],
    ['lower-case http', `GET / http/1.1\r\n${HOST}\r\n`, 400],
    ['HTTP/2.0', `GET / HTTP/2.0\r\n${HOST}\r\n`, 505],
    ['HTTP/1.10', `GET / HTTP/1.10\r\n${HOST}\r\n`, 400],
    ['space at the end of the line', `GET / HTTP/1.1 \r\n${HOST}\r\n`, 400],
    ['method is no token', `G(T / HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['fragment', `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['target without a slash', `GET a HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['asterisk with GET', `GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['userinfo in the target', `GET http://u@a/ HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['ftp target', `GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['no Host in 1.1', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
    ['empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400],
    ['userinfo in Host', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 400],
    ['two dots in Host', 'GET / HTTP/1.1\r\nHost: a..b\r\n\r\n', 400],
    ['only a dot in Host', 'GET / HTTP/1.1\r\nHost: .\r\n\r\n', 400],
    ['path in Host', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
    ['bad port in Host', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', 400],
    ['port out of range', 'GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n', 400],
    ['list in Host', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    ['bare LF', 'GET / HTTP/1.1\nHost: a\n\n', 400],
    ['bare CR in a value', 'GET / HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n', 400],
    ['bare LF in a value', 'GET / HTTP/1.1\r\nHost: a\r\nA: b\nc: d\r\n\r\n', 400],
    ['NUL', `GET / HTTP/1.1\r\n${HOST}A: b\0\r\n\r\n`, 400],
    ['space before the colon', `GET / HTTP/1.1\r\n${HOST}A : b\r\n\r\n`, 400],
    ['obs-fold', `GET / HTTP/1.1\r\n${HOST}A: b\r\n c\r\n\r\n`, 400],
    ['space before the first field', `GET / HTTP/1.1\r\n ${HOST}\r\n`, 400],
    ['no colon', `GET / HTTP/1.1\r\n${HOST}A\r\n\r\n`, 400],
    ['empty name', `GET / HTTP/1.1\r\n${HOST}: a\r\n\r\n`, 400],
    [
      'CL and TE',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400
    ],
    [
      'two CLs that agree',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
      400
    ],
    ['list of CLs', `POST / HTTP/1.1\r\n${HOST}Content-Length: 1, 1\r\n\r\n`, 400],
    ['signed CL', `POST / HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\n`, 400],
    ['hex CL', `POST / HTTP/1.1\r\n${HOST}Content-Length: 0x1\r\n\r\n`, 400],
    ['empty CL', `POST / HTTP/1.1\r\n${HOST}Content-Length:\r\n\r\n`, 400],
    ['tab after CL', `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\t\r\n\r\n`, 400],
    ['tab after TE', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked \t \r\n\r\n`, 400],
    [
      'CL beyond all numbers',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\n`,
      400
    ],
    ['TE in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['unknown TE', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\n\r\n`, 501],
    ['TE identity', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: identity\r\n\r\n`, 501],
    ['gzip, chunked', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
    [
      'chunked is not last',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, gzip\r\n\r\n`,
      400
    ],
    [
      'chunked twice',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400
    ],
    ['empty TE', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding:\r\n\r\n`, 400],
    ['hole before chunked', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: ,chunked\r\n\r\n`, 400],
    ['hole after chunked', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked,\r\n\r\n`, 400],
    [
      'empty TE line before chunked',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400
    ],
    ['xchunked', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n`, 501],
    ['request line over 8 KiB', `GET /${'a'.repeat(8192)} HTTP/1.1\r\n${HOST}\r\n`, 414],
    ['field line over 8 KiB', `GET / HTTP/1.1\r\n${HOST}A: ${'a'.repeat(8192)}\r\n\r\n`, 431],
    [
      'head over 32 KiB',
      `GET / HTTP/1.1\r\n${HOST}${`A: ${'a'.repeat(4000)}\r\n`.repeat(9)}\r\n`,
      431
    ],
    ['1001 lines', `GET / HTTP/1.1\r\n${HOST}${'A: a\r\n'.repeat(1000)}\r\n`, 431]
  ]
  for (const [claim, text, status] of table) t.equal(read([text]), status, claim)
  t.end()
})

t.test('a hopeless head is refused before it is complete', (t) => {
  t.equal(read(['GET / HTTP/1.1\nHost']), 400)
  t.equal(read([`GET /${'a'.repeat(9000)}`]), 414)
  t.equal(read([`GET / HTTP/1.1\r\nA: ${'a'.repeat(9000)}`]), 431)
  t.equal(read(['GET / HTTP/1.1\r']), 0, 'a CR may still get its LF')
  t.end()
})

t.test('RFC 9112: what a good request says', (t) => {
  const parse = (text: string): Record<string, unknown> => {
    const parsed = parseRequestHead(text)
    if (parsed.kind === 'refusal') throw new Error(parsed.reason)
    const { method, target, host, framing, contentLength, keepAlive, expectsContinue } = parsed
    return { method, target, host, framing, contentLength, keepAlive, expectsContinue }
  }
  t.same(
    parse(
      'POST /a?b HTTP/1.1\r\nHost:\tEx.ORG:80 \r\nContent-Length: 12\r\nexpect: 100-Continue\r\n\r\n'
    ),
    {
      method: 'POST',
      target: '/a?b',
      host: 'ex.org',
      framing: 'length',
      contentLength: 12,
      keepAlive: true,
      expectsContinue: true
    }
  )
  t.match(parse('GET http://[::1]:8080?q HTTP/1.1\r\nHost: a\r\n\r\n'), {
    target: '/?q',
    host: '[::1]'
  })
  t.match(parse('GET / HTTP/1.1\r\nHost: Example.org.:80\r\n\r\n'), { host: 'example.org' })
  t.match(parse('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'), { target: '*' })
  t.match(parse('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked \r\n\r\n'), {
    framing: 'chunked'
  })
  t.match(parse('GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n'), {
    keepAlive: false
  })
  t.match(
    parse('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n'),
    {
      keepAlive: false
    }
  )
  t.end()
})

t.test('RFC 9112 §4, §6.3: responses that are good and bad', (t) => {
  const table: [text: string, method: string, verdict: string][] = [
    ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', 'GET', '200 length 3 true'],
    ['HTTP/1.1 200\r\n\r\n', 'GET', '200 close 0 false'],
    ['HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n', 'GET', '200 length 3 false'],
    [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
      'GET',
      '200 chunked 0 false'
    ],
    ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', 'HEAD', '200 none 0 true'],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n', 'GET', '304 none 0 true'],
    ['HTTP/1.1 204 No Content\r\n\r\n', 'GET', '204 none 0 true'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 'GET', 'bad'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n', 'GET', 'bad'],
    ['HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n', 'GET', 'bad'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'GET', 'bad'],
    ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'GET', 'bad'],
    ['HTTP/2 200 OK\r\n\r\n', 'GET', 'bad'],
    ['HTTP/1.1 20 OK\r\n\r\n', 'GET', 'bad'],
    ['HTTP/1.1  200 OK\r\n\r\n', 'GET', 'bad'],
    ['ICY 200 OK\r\n\r\n', 'GET', 'bad'],
    ['HTTP/1.1 200 OK\r\nA : b\r\n\r\n', 'GET', 'bad'],
    ['HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n', 'GET', 'bad'],
    ['HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n', 'GET', 'bad']
  ]
  for (const [text, method, verdict] of table) {
    const parsed = parseResponseHead(text, method)
    const found =
      parsed.kind === 'bad-response'
        ? 'bad'
        : `${parsed.status} ${parsed.framing} ${parsed.contentLength} ${String(parsed.keepAlive)}`
    t.equal(found, verdict, JSON.stringify(text))
  }
  t.end()
})

const ALPHABET = [
  ...Array.from('GET /HTP1.0:ao'),
  '\r\n',
  '\r\n\r\n',
  '\r',
  '\n',
  '\0',
  '\t',
  '\xff',
  'Host: a'
]

t.test('random bytes never throw', (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...ALPHABET), { maxLength: 60 }), (pieces) => {
      const text = pieces.join('')
      read([text])
      parseResponseHead(`HTTP/1.1 200 OK\r\n${text}\r\n\r\n`, 'GET')
    }),
    { numRuns: 3000 }
  )
  t.end()
})

t.test('every split of a message into two reads is the same', (t) => {
  const texts = [
    `\r\nPOST /a?b=%20 HTTP/1.1\r\n${HOST}A: b\r\nContent-Length: 3\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}A: b\rc\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}A: b\nc\r\n\r\n`,
    'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n'
  ]
  for (const text of texts) {
    const whole = read([text])
    t.not(whole, 0)
    for (let i = 1; i < text.length; i++) {
      if (read([text.slice(0, i), text.slice(i)]) !== whole) t.fail(`split at ${i}`)
    }
  }
  t.end()
})
