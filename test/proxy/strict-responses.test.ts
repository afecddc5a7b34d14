import t from 'tap'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { startProxy } from './support/proxy.js'
import { answer, scriptedUpstream } from './support/upstream.js'

/**
 * RFC 9112 and RFC 9110 for responses, one line for each rule: what is refused with 502, counted
 * against its server on a connection that is never used again, and what is passed on.
 */

const OK = 'HTTP/1.1 200 OK\r\n'
const GOOD = `${OK}Content-Length: 5\r\n\r\nhello`
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`
const length = (value: string): string => `${OK}Content-Length:${value}\r\n\r\nhello`
const coding = (value: string): string =>
  `${OK}Transfer-Encoding:${value}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`
const line = (text: string): string => `${text}\r\nContent-Length: 5\r\n\r\nhello`
const field = (text: string): string => `${OK}Content-Length: 5\r\n${text}\r\n\r\nhello`

type Refused = readonly [claim: string, text: string, method?: string]

const REFUSED: Readonly<Record<string, readonly Refused[]>> = {
  'RFC 9112 §6 framing': [
    [
      'Content-Length and Transfer-Encoding',
      `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    ],
    ['the same to HEAD', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 'HEAD'],
    ['two lengths, equal', `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
    ['two lengths, unequal', `${OK}Content-Length: 5\r\ncontent-length: 4\r\n\r\nhello`],
    ['a list of lengths', length(' 5, 5')],
    ['a length with a sign', length(' +5')],
    ['a length in hex', length(' 0x5')],
    ['a length with a space inside', length(' 0 5')],
    ['a length with a tab behind', length(' 5\t')],
    ['an empty length', length('')],
    ['a length over 2^64', length(' 18446744073709551621')],
    ['a bad length to HEAD', `${OK}Content-Length: x\r\n\r\n`, 'HEAD'],
    ['coding gzip', coding(' gzip')],
    ['coding identity', coding(' identity')],
    ['codings gzip, chunked', coding(' gzip, chunked')],
    ['codings chunked, gzip', coding(' chunked, gzip')],
    ['chunked twice', coding(' chunked, chunked')],
    [
      'chunked in two lines',
      `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    ],
    ['chunked in quotes', coding(' "chunked"')],
    ['chunked with a tab behind', coding(' chunked\t')],
    ['an empty coding', coding('')],
    ['a coding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'],
    ['204 with a coding', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['103 with a length', `HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\n${GOOD}`],
    ['100 with a coding', `HTTP/1.1 100 x\r\nTransfer-Encoding: chunked\r\n\r\n${GOOD}`]
  ],
  'RFC 9112 §4 status lines': [
    ['another protocol', line('ICY 200 OK')],
    ['HTTP/2.0', line('HTTP/2.0 200 OK')],
    ['HTTP/0.9', line('HTTP/0.9 200 OK')],
    ['lower-case http', line('http/1.1 200 OK')],
    ['status 99', line('HTTP/1.1 99 OK')],
    ['status 099', line('HTTP/1.1 099 OK')],
    ['status 000', line('HTTP/1.1 000 OK')],
    ['status 1000', line('HTTP/1.1 1000 OK')],
    ['status with a sign', line('HTTP/1.1 +20 OK')],
    ['status of letters', line('HTTP/1.1 OK')],
    ['no status', line('HTTP/1.1')],
    ['two spaces', line('HTTP/1.1  200 OK')],
    ['a tab instead of a space', line('HTTP/1.1\t200 OK')],
    ['a tab behind the status', line('HTTP/1.1 200\tOK')],
    ['a control character in the phrase', line('HTTP/1.1 200 O\x01K')],
    ['a bare CR in the phrase', line('HTTP/1.1 200 O\rK')],
    ['a space before it', line(' HTTP/1.1 200 OK')],
    ['an empty line before it', `\r\n${GOOD}`],
    ['HTTP/0.9, a body alone', 'hello'],
    [
      '101, which nobody asked for',
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n${GOOD}`
    ],
    ['17 interim responses', 'HTTP/1.1 103 x\r\n\r\n'.repeat(17) + GOOD]
  ],
  'RFC 9112 §5 field lines': [
    ['obs-fold', field('A: b\r\n c')],
    ['a line of one tab', field('\t')],
    ['space before the first field', `${OK} A: b\r\n\r\n`],
    ['bare CR', field('A: b\rc')],
    ['LF alone', field('A: b\nC: d')],
    ['a head with LF alone', GOOD.replaceAll('\r\n', '\n')],
    ['NUL', field('A: \0')],
    ['DEL', field('A: \x7f')],
    ['vertical tab', field('A: \x0b')],
    ['space before the colon', field('A : b')],
    ['empty name', field(': b')],
    ['no colon', field('A')],
    ['byte above 0x7f in a name', field('\xe9: b')],
    ['a line over 8 KiB', field(`A: ${'b'.repeat(8190)}`)],
    ['a head over 32 KiB', field(`A: ${'b'.repeat(8000)}\r\n`.repeat(5) + 'B: c')],
    ['a head over 32 KiB that does not end', OK + `A: ${'b'.repeat(8000)}\r\n`.repeat(5)],
    ['1001 lines', field('A: b\r\n'.repeat(1000) + 'B: c')]
  ],
  'RFC 9112 §6.3 bytes behind a complete response, and broken chunks with the head': [
    ['behind a length', `${OK}Content-Length: 4\r\n\r\nhello`],
    ['a second response', GOOD + GOOD],
    ['an empty line', `${GOOD}\r\n`],
    ['behind a length of 0', `${OK}Content-Length: 0\r\n\r\nx`],
    ['behind the last chunk', `${CHUNKED}0\r\n\r\nx`],
    ['behind 204', 'HTTP/1.1 204 No Content\r\n\r\nhello'],
    ['behind 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello'],
    ['a body to HEAD', GOOD, 'HEAD'],
    ['a size with a sign', `${CHUNKED}+5\r\nhello\r\n0\r\n\r\n`],
    ['a size with a space', `${CHUNKED}5 \r\nhello\r\n0\r\n\r\n`],
    ['a size that overflows', `${CHUNKED}10000000000000005\r\nhello\r\n0\r\n\r\n`],
    ['LF alone', `${CHUNKED}5\nhello\r\n0\r\n\r\n`],
    ['a chunk longer than its size', `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`],
    ['an extension with a NUL', `${CHUNKED}5;\0\r\nhello\r\n0\r\n\r\n`],
    ['Content-Length as a trailer', `${CHUNKED}0\r\nContent-Length: 5\r\n\r\n`]
  ]
}

for (const [rule, rows] of Object.entries(REFUSED)) {
  t.test(`${rule}: what is refused is 502, counts, and its connection is closed`, async (t) => {
    let text = ''
    const web = await scriptedUpstream((_request, socket) => socket.write(text, 'latin1'))
    t.teardown(() => web.close())
    const proxy = await startProxy(t, {
      servers: [web.port, web.port].map((port) => ({ port, maxFails: 1_000_000 }))
    })
    for (const [claim, bytes, method = 'GET'] of rows) {
      text = bytes
      const response = await exchange(proxy.port, get().replace('GET', method))
      t.equal(statusOf(response), 502, claim)
      t.notMatch(response, /hello/, `${claim}: nothing of it is passed on`)
      t.match(proxy.events.pop(), { event: { kind: 'failed' } }, `${claim}: it counts`)
      t.equal(proxy.engine.counters.upstreamConnections, 0, `${claim}: its connection is closed`)
    }
    t.equal(web.sockets.length, rows.length)
  })
}

const PASSED: readonly (readonly [
  claim: string,
  text: string,
  status: number,
  body: RegExp,
  method?: string
])[] = [
  [
    '100, 102, 103 and 199 are absorbed',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 x\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.1 199 x\r\nContent-Length: 0\r\n\r\n' +
      GOOD,
    200,
    /Content-Length: 5\r\n[^]*\r\n\r\nhello$/
  ],
  ['16 interim responses', 'HTTP/1.1 103 x\r\n\r\n'.repeat(16) + GOOD, 200, /\r\n\r\nhello$/],
  ['600, as in nginx', line('HTTP/1.1 600 x'), 600, /^HTTP\/1\.1 600 x\r\n[^]*\r\n\r\nhello$/],
  ['999 without a phrase', line('HTTP/1.1 999'), 999, /^HTTP\/1\.1 999 \r\n/],
  ['HTTP/1.2 is read as 1.1', line('HTTP/1.2 200 OK'), 200, /^HTTP\/1\.1 200 OK\r\n/],
  [
    '204 with a length of 0, which does not travel',
    'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    204,
    /^(?![^]*Content-Length)[^]*\r\n\r\n$/
  ],
  [
    '304 without a length',
    'HTTP/1.1 304 Not Modified\r\n\r\n',
    304,
    /^(?![^]*Content-Length)[^]*\r\n\r\n$/
  ],
  [
    '304 with the length of what it is about',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    304,
    /Content-Length: 5\r\n[^]*\r\n\r\n$/
  ],
  [
    'HEAD with a length',
    `${OK}Content-Length: 5\r\n\r\n`,
    200,
    /Content-Length: 5\r\n[^]*\r\n\r\n$/,
    'HEAD'
  ],
  [
    'HEAD with a coding',
    `${OK}Transfer-Encoding: chunked\r\n\r\n`,
    200,
    /^(?![^]*Transfer-Encoding)[^]*\r\n\r\n$/,
    'HEAD'
  ],
  ['HEAD with neither', `${OK}\r\n`, 200, /^(?![^]*Content-Length)[^]*\r\n\r\n$/, 'HEAD'],
  [
    'chunks with extensions and trailers, which end here',
    `${CHUNKED}5;a="b"\r\nhello\r\n0\r\nSet-Cookie: a=b\r\n\r\n`,
    200,
    /^(?![^]*Set-Cookie)[^]*\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/
  ],
  [
    'what Connection names ends here, a length that it names counts',
    `${OK}Connection: X-A, content-length, set-cookie\r\nX-A: 1\r\nSet-Cookie: a=b\r\nContent-Length: 5\r\n\r\nhello`,
    200,
    /^(?![^]*(?:X-A|Set-Cookie))[^]*\r\nContent-Length: 5\r\n[^]*hello$/
  ]
]

t.test('RFC 9110 §15: what is passed on, over one connection', async (t) => {
  let text = ''
  const web = await scriptedUpstream((_request, socket) => socket.write(text, 'latin1'))
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  for (const [claim, bytes, status, expected, method = 'GET'] of PASSED) {
    text = bytes
    const response = await exchange(proxy.port, get().replace('GET', method))
    t.equal(statusOf(response), status, claim)
    t.match(response, expected, claim)
  }
  t.equal(web.sockets.length, 1)
})

t.test(
  'what breaks after the head was passed on cuts the client, counts, and closes',
  async (t) => {
    const table: [claim: string, head: string, rest: string][] = [
      ['more than its length with its last byte', `${OK}Content-Length: 5\r\n\r\nhel`, 'lo!'],
      ['a second response with its last byte', `${OK}Content-Length: 5\r\n\r\nhel`, `lo${GOOD}`],
      ['something behind the last chunk', `${CHUNKED}3\r\nhel\r\n`, '2\r\nlo\r\n0\r\n\r\nx'],
      ['a broken chunk', `${CHUNKED}3\r\nhel\r\n`, '2\nlo\r\n0\r\n\r\n']
    ]
    for (const [claim, head, rest] of table) {
      const web = await scriptedUpstream((_request, socket) => socket.write(head))
      t.teardown(() => web.close())
      const proxy = await startProxy(t, {
        servers: [web.port, web.port].map((port) => ({ port, maxFails: 1_000_000 }))
      })
      const client = new RawClient(proxy.port)
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.take(/hel/)
      web.sockets[0]?.write(rest)
      t.notMatch(await client.rest(), /lo|\r\n0\r\n\r\n/, `${claim}: the end is missing`)
      t.match(proxy.events, [{ event: { kind: 'failed' } }], claim)
      t.equal(proxy.engine.counters.upstreamConnections, 0, `${claim}: closed`)
      await client.close()
    }
  }
)

t.test('bytes that come later end an idle connection and are given to nobody', async (t) => {
  const web = await scriptedUpstream((_request, socket) => socket.write(GOOD))
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  for (let serial = 0; serial < 3; serial++) {
    t.match(await exchange(proxy.port, get()), /\r\n\r\nhello$/)
    t.equal(web.sockets.length, serial + 1)
    web.sockets[serial]?.write(answer('evil'))
    while (proxy.engine.counters.upstreamConnections > 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
})

t.test(
  'an answer before the body is complete: the connection with half a request is closed',
  async (t) => {
    const web = await scriptedUpstream()
    t.teardown(() => web.close())
    const proxy = await startProxy(t, {
      servers: [web.port],
      route: { requestBuffering: false }
    })
    for (const fields of [
      'Content-Length: 99\r\n\r\nabc',
      'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'
    ]) {
      web.sockets.length = 0
      const client = new RawClient(proxy.port)
      client.send(`PUT / HTTP/1.1\r\nHost: a\r\n${fields}`)
      while (web.sockets.length === 0) await new Promise((resolve) => setImmediate(resolve))
      web.sockets[0]?.write(GOOD)
      t.match(await client.rest(), /\r\nConnection: close\r\n\r\nhello$/)
      t.equal(proxy.engine.counters.upstreamConnections, 0)
      t.match(await exchange(proxy.port, get()), /\r\n\r\nhello$/)
      t.equal(web.sockets.length, 2, 'the next request has a connection of its own')
      web.sockets[1]?.end()
      while (proxy.engine.counters.upstreamConnections > 0) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      await client.close()
    }
  }
)

t.test(
  'an upstream that breaks off in mid-body is a truncation that every client can see',
  async (t) => {
    const heads: [framing: string, head: string][] = [
      ['length', `${OK}Content-Length: 99\r\n\r\nhello`],
      ['chunked', `${CHUNKED}5\r\nhello\r\n`],
      ['a chunk that is not complete', `${CHUNKED}63\r\nhello`],
      ['length, HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\nhello'],
      ['until the end', `HTTP/1.0 200 OK\r\n\r\nhello`]
    ]
    for (const [framing, head] of heads) {
      const web = await scriptedUpstream((_request, socket) => socket.write(head))
      t.teardown(() => web.close())
      const proxy = await startProxy(t, { servers: [web.port] })
      for (const version of ['1.1', '1.0']) {
        web.sockets.length = 0
        const client = new RawClient(proxy.port)
        client.send(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`)
        const begin = await client.take(/hello/)
        // Without framing of its own only a reset tells a break from the end.
        if (framing === 'until the end') web.sockets[0]?.resetAndDestroy()
        else web.sockets[0]?.end()
        const rest = await client.rest()
        t.notMatch(rest, /0\r\n\r\n/, `${framing}, client of HTTP/${version}`)
        const isDelimited = /\r\n(?:Content-Length|Transfer-Encoding):/.test(begin)
        t.equal(
          client.ending,
          isDelimited ? 'end' : 'reset',
          `${framing}, client of HTTP/${version}`
        )
        await client.close()
      }
    }
  }
)
