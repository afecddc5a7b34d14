import fc from 'fast-check'
import t from 'tap'
import { BodyDecoder } from '../../src/proxy/http1/body.js'

/** Decodes pieces one after the other: the body, or null if the framing is broken. */
function decode(pieces: readonly string[]): { body: string | null; done: boolean; rest: number } {
  const decoder = new BodyDecoder('chunked', 0)
  let body = ''
  let rest = 0
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1')
    const found: Buffer[] = []
    const at = decoder.decode(bytes, 0, bytes.length, found)
    if (at < 0) return { body: null, done: false, rest: 0 }
    body += found.map((part) => part.toString('latin1')).join('')
    rest += bytes.length - at
  }
  return { body, done: decoder.done, rest }
}

t.test('RFC 9112 §7.1: what is a chunked body and what is not', (t) => {
  const table: [claim: string, text: string, body: string | null, done: boolean][] = [
    ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello', true],
    [
      'hex in both cases, leading zeros',
      '00A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n',
      '0123456789abcdefghij',
      true
    ],
    ['empty', '0\r\n\r\n', '', true],
    ['several zeros end it too', '000\r\n\r\n', '', true],
    ['extension dropped', '3;a=b;c="d"\r\nabc\r\n0;x\r\n\r\n', 'abc', true],
    ['trailers dropped', '1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n', 'x', true],
    ['incomplete', '5\r\nhel', 'hel', false],
    ['no size', '\r\nhello', null, false],
    ['LF alone after size', '5\nhello\r\n0\r\n\r\n', null, false],
    ['LF alone after data', '5\r\nhello\n0\r\n\r\n', null, false],
    ['CR alone', '5\rhello', null, false],
    ['longer than its size', '3\r\nhello\r\n', null, false],
    ['sign', '+5\r\nhello\r\n', null, false],
    ['0x', '0x5\r\nhello\r\n', null, false],
    ['space before size', ' 5\r\nhello\r\n', null, false],
    ['space after size', '5 \r\nhello\r\n', null, false],
    ['size of 13 digits', '1000000000000\r\n', null, false],
    ['control character in an extension', '1;\0\r\n', null, false],
    ['LF in an extension', '1;a\nb\r\n', null, false],
    ['extension without a name', '1;\r\nx\r\n', null, false],
    ['extensions with names and values', '1;a;b=c;d="e; \\"f"\r\nx\r\n0\r\n\r\n', 'x', true],
    ['quote without end in an extension', '1;a="b\r\nx\r\n', null, false],
    ['space in an extension', '1; a\r\nx\r\n', null, false],
    ['extension without end', `1;${'a'.repeat(5000)}`, null, false],
    ['trailer without name', '0\r\n: b\r\n\r\n', null, false],
    ['space in a trailer name', '0\r\nA : b\r\n\r\n', null, false],
    ['trailer name is no token', '0\r\n(: b\r\n\r\n', null, false],
    ['Content-Length among the trailers', '0\r\ncontent-length: 1\r\n\r\n', null, false],
    ['trailers without end', `0\r\nA: ${'b'.repeat(9000)}`, null, false]
  ]
  for (const [claim, text, body, done] of table) {
    const whole = decode([text])
    t.equal(whole.body, body, claim)
    t.equal(whole.done, done, `${claim}: done`)
    t.same(decode(Array.from(text)), whole, `${claim}: byte by byte`)
  }
  t.end()
})

t.test('RFC 9112 §9.3.2: what follows the last chunk belongs to the next message', (t) => {
  const { body, rest } = decode(['1\r\nx\r\n0\r\n\r\nGET /'])
  t.equal(body, 'x')
  t.equal(rest, 5)
  t.end()
})

t.test('random bytes never throw, and splits change nothing', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...Array.from('01aF;:\r\nx \0\xff')), { maxLength: 60 }),
      (bytes) => {
        t.same(decode(bytes), decode([bytes.join('')]))
      }
    ),
    { numRuns: 2000 }
  )
  t.end()
})

t.test('RFC 9112 §6.3: a body of known length ends there', (t) => {
  const decoder = new BodyDecoder('length', 4)
  const pieces: Buffer[] = []
  t.equal(decoder.decode(Buffer.from('abcdef'), 0, 6, pieces), 4)
  t.equal(pieces.join(''), 'abcd')
  t.ok(decoder.done)
  t.end()
})
