import fc from 'fast-check'
import t from 'tap'
import { Intake } from '../../src/proxy/downstream/intake.js'
import { findLenientHeadEnd, withCrlf } from '../../src/proxy/http1/bare-lf.js'
import { RawClient, exchange, get, statusOf } from './support/raw-client.js'
import { startProxy } from './support/proxy.js'
import { answer, scriptedUpstream } from './support/upstream.js'

/** Reads as a client connection with `accept_bare_lf` does: the first line, a status, or null. */
function read(pieces: readonly string[]): string | number | null {
  const intake = new Intake(true)
  for (const piece of pieces) {
    intake.keep(Buffer.from(piece, 'latin1'))
    const head = intake.skipEmptyLines() ? intake.read() : null
    if (head !== null) {
      if (head.kind === 'refusal') return head.status
      return JSON.stringify([head.line, head.names, head.values, head.length, intake.length])
    }
  }
  return null
}

const TWO = '["GET / HTTP/1.1",["Host","A"],["a","b"]'

t.test('RFC 9112 §2.2: LF alone ends the lines of a head where it is accepted', (t) => {
  const table: [claim: string, text: string, outcome: string | number | null][] = [
    ['LF alone', 'GET / HTTP/1.1\nHost: a\nA: b\n\n', `${TWO},29,0]`],
    ['CRLF', 'GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n', `${TWO},33,0]`],
    ['mixed', 'GET / HTTP/1.1\nHost: a\r\nA: b\n\r\n', `${TWO},31,0]`],
    ['mixed the other way', 'GET / HTTP/1.1\r\nHost: a\nA: b\r\n\n', `${TWO},31,0]`],
    ['empty lines before', '\n\r\n\nGET / HTTP/1.1\nHost: a\nA: b\n\n', `${TWO},29,0]`],
    ['the earliest end counts', 'GET / HTTP/1.1\nHost: a\nA: b\n\nX: y\r\n\r\n', `${TWO},29,8]`],
    ['the earliest end, mixed', 'GET / HTTP/1.1\nHost: a\nA: b\n\r\nX: y\n\n', `${TWO},30,6]`],
    ['bare CR', 'GET / HTTP/1.1\nHost: a\nA: b\rc\n\n', 400],
    ['CR CR LF', 'GET / HTTP/1.1\nHost: a\r\r\nA: b\n\n', 400],
    ['CR CR LF as the empty line', 'GET / HTTP/1.1\nHost: a\n\r\r\n', 400],
    ['CR before the request', '\r\r\nGET / HTTP/1.1\nHost: a\n\n', 400],
    ['LF in the request line', 'GET /\n HTTP/1.1\nHost: a\n\n', 400],
    ['folded line', 'GET / HTTP/1.1\nHost: a\nA: b\n c\n\n', 400],
    ['NUL', 'GET / HTTP/1.1\nHost: a\nA: \0\n\n', 400],
    ['two Hosts, told apart by a LF', 'GET / HTTP/1.1\nHost: a\nHost: b\n\n', 400],
    [
      'CL and TE behind a LF',
      'POST / HTTP/1.1\nHost: a\nContent-Length: 5\nTransfer-Encoding: chunked\n\n',
      400
    ],
    ['request line over 8 KiB', `GET /${'a'.repeat(9000)}`, 414],
    ['field line over 8 KiB, not complete', `GET / HTTP/1.1\nA: ${'a'.repeat(9000)}`, 431],
    ['head over 32 KiB', `GET / HTTP/1.1\nHost: a\n${`A: ${'a'.repeat(4000)}\n`.repeat(9)}\n`, 431],
    ['incomplete', 'GET / HTTP/1.1\nHost: a\n', null],
    ['incomplete behind CR', 'GET / HTTP/1.1\nHost: a\n\r', null]
  ]
  for (const [claim, text, outcome] of table) {
    t.equal(read([text]), outcome, claim)
    const rest = (whole: typeof outcome): typeof outcome =>
      typeof whole === 'string' ? whole.replace(/\d+\]$/, '') : whole
    t.equal(rest(read(Array.from(text))), rest(outcome), `${claim}: byte by byte`)
  }
  t.end()
})

t.test(
  'the end of a head is the earliest under both rules, and where it is strict it is the same',
  (t) => {
    const bytes = fc.array(fc.constantFrom('a', ':', '\r', '\n', '\r\n', ' '), { maxLength: 40 })
    fc.assert(
      fc.property(bytes, (pieces) => {
        const text = `x${pieces.join('')}`
        const match = /\n\r?\n/.exec(text)
        t.equal(findLenientHeadEnd(text, 0), match === null ? -1 : match.index + match[0].length)
        const head = withCrlf(text)
        t.notMatch(head, /(?<!\r)\n/)
        t.equal(withCrlf(head), head)
      }),
      { numRuns: 2000 }
    )
    t.end()
  }
)

t.test('accept_bare_lf of a listener: heads only, and what goes upstream has CRLF', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, {
    servers: [web.port],
    server: { acceptBareLf: true },
    route: { setHeaders: [['Host', '$host']] },
    logFormat: '"$request" $status $request_length'
  })
  const response = await exchange(
    proxy.port,
    'GET /1 HTTP/1.1\nHost: a\n\nPOST /2 HTTP/1.1\r\nHost: a\nContent-Length: 2\n\n\n\n' +
      'GET /3 HTTP/1.1\nHost: a\nConnection: close\r\n\n'
  )
  t.equal(response.match(/200 OK/g)?.length, 3)
  t.same(web.requests, [
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\n\n',
    'GET /3 HTTP/1.1\r\nHost: a\r\n\r\n'
  ])
  const chunked = 'PUT / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n'
  for (const body of ['1\nx\r\n0\r\n\r\n', '1\r\nx\n0\r\n\r\n', '0\r\nA: b\n\r\n', '0\r\n\n']) {
    t.equal(statusOf(await exchange(proxy.port, chunked + body)), 400, JSON.stringify(body))
  }
  t.equal(web.requests.filter((request) => request.endsWith('0\r\n\r\n')).length, 0)
  t.same((await proxy.accessLog()).slice(0, 3), [
    '"GET /1 HTTP/1.1" 200 25',
    '"POST /2 HTTP/1.1" 200 47',
    '"GET /3 HTTP/1.1" 200 44'
  ])
})

t.test(
  'accept_bare_lf of a listener says nothing about responses, that of an upstream does',
  async (t) => {
    const web = await scriptedUpstream((request, socket) => {
      if (request.includes('/interim')) socket.write('HTTP/1.1 103 x\nLink: y\n\n')
      socket.write('HTTP/1.1 200 OK\nX-A: b\r\nContent-Length: 3\n\nabc')
    })
    t.teardown(() => web.close())
    const strict = await startProxy(t, { servers: [web.port], server: { acceptBareLf: true } })
    t.equal(statusOf(await exchange(strict.port, get())), 502)
    const lenient = await startProxy(t, { servers: [web.port], upstream: { acceptBareLf: true } })
    t.match(
      await exchange(lenient.port, get()),
      /^HTTP\/1\.1 200 OK\r\n[^]*\r\nX-A: b\r\n[^]*\r\n\r\nabc$/
    )
    t.match(await exchange(lenient.port, get('/interim')), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nabc$/)
    t.equal(statusOf(await exchange(lenient.port, 'GET / HTTP/1.1\nHost: a\n\n')), 400)
  }
)

t.test('accept_bare_lf of an upstream: a head in pieces, a bare CR, and chunks', async (t) => {
  const web = await scriptedUpstream((request, socket) => {
    const text = request.includes('/cr')
      ? 'HTTP/1.1 200 OK\nX-A: b\rc\nContent-Length: 1\n\nx'
      : request.includes('/chunk')
        ? 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\nx\r\n0\r\n\r\n'
        : answer('abc').replaceAll('\r\n', '\n')
    let at = 0
    const next = (): void => {
      if (at < text.length) socket.write(text.slice(at, ++at), next)
    }
    next()
  })
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], upstream: { acceptBareLf: true } })
  t.match(await exchange(proxy.port, get()), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nabc$/)
  t.equal(statusOf(await exchange(proxy.port, get('/cr'))), 502)
  t.notMatch(
    await exchange(proxy.port, get('/chunk')),
    /0\r\n\r\n$/,
    'the client sees that it is cut'
  )
})

t.test('without accept_bare_lf, the default, LF alone is refused in both directions', async (t) => {
  const web = await scriptedUpstream((_request, socket) =>
    socket.write(answer('abc').replaceAll('\r\n', '\n'))
  )
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const client = new RawClient(proxy.port)
  client.send('GET / HTTP/1.1\nHost: a\n\n')
  t.equal(statusOf(await client.rest()), 400)
  await client.close()
  t.equal(web.requests.length, 0)
  t.equal(statusOf(await exchange(proxy.port, get())), 502)
})
