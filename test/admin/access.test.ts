import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { refuseUnreadable } from '../../src/admin/problem-answers.js'
import { readToken } from '../../src/admin/token.js'
import { CERTIFICATE, KEY } from './certificate.js'
import { ask, Office, TOKEN, until } from './support.js'

/** One for all that need no other settings: each process takes a while to start. */
const office = await Office.open(t, { listen: { hostNames: ['Director1.example.org'] } })
const secured = await openWithTls()
const halfHandshake = said('\x16\x03\x01\x02\x00\x01', secured.port)
const slowHead = said('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ')

/** What is answered to bytes, until the connection ends, and how long that took. */
async function said(
  text: string,
  port = office.port
): Promise<{ readonly answer: string; readonly ms: number }> {
  const startedAt = Date.now()
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  let isOver = false
  socket.on('data', (data) => (answer += data.toString('latin1')))
  socket.on('error', () => undefined)
  socket.on('close', () => (isOver = true))
  socket.write(text, 'latin1')
  await until(() => isOver)
  return { answer, ms: Date.now() - startedAt }
}

async function openWithTls(): Promise<Office> {
  const other = Office.prepare(t)
  const certificate = join(other.directory, 'cert.pem')
  const key = join(other.directory, 'key.pem')
  writeFileSync(certificate, CERTIFICATE)
  writeFileSync(key, KEY)
  await other.start({ listen: { tls: { certificate, key } } })
  return other
}

t.test('over TCP everything that tells or does something needs the token', async (t) => {
  const wrong = [undefined, 'wrong-token-of-some-length', TOKEN.slice(0, -1), `${TOKEN}x`]
  const paths = ['/v1/status', '/v1/events', '/metrics', '/v1/recording', '/openapi.json', '/none']
  const answers = await Promise.all([
    ...paths.map((path) => office.askPort(path)),
    ...wrong.map((token) => office.askPort('/v1/status', token === undefined ? {} : { token })),
    office.askPort('/v1/reload', { method: 'POST' }),
    office.askPort('/v1/status', { headers: { Authorization: `Basic ${TOKEN}` } })
  ])
  for (const answer of answers) {
    t.match(answer, { status: 401, json: { code: 'TSHA_E_TOKEN' } })
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="tsha"')
  }
  t.strictSame(office.performed, [])
  for (const path of paths.slice(0, -1)) {
    t.equal((await office.askPort(path, { token: TOKEN })).status, 200, path)
  }
  t.equal((await office.askPort('/v1/reload', { method: 'POST', token: TOKEN })).status, 200)
  t.equal(office.performed.at(-1)?.by, '127.0.0.1')
  t.match(await office.askPort('/healthz'), { status: 200, text: 'ok\n' }, 'this one needs none')
  t.equal((await office.askPort('/')).status, 200, 'nor the page, which holds no data')
  t.strictSame(
    office.messages().filter((message) => /valid token/.test(String(message))),
    ['admin: a request without a valid token from 127.0.0.1'],
    'and that is told once'
  )
  t.notMatch(JSON.stringify(office.log), TOKEN)
})

t.test('guessing is slow, and does not make the right token wait', async (t) => {
  const startedAt = Date.now()
  let isAnswered = false
  const guess = office.askPort('/v1/status', { token: 'a-guess-of-some-length' })
  const answered = guess.then(({ status }) => {
    isAnswered = true
    return status
  })
  t.equal((await office.askPort('/v1/status', { token: TOKEN })).status, 200)
  t.equal(isAnswered, false, 'the right one is answered first')
  t.equal(await answered, 401)
  t.ok(Date.now() - startedAt >= 1000, 'the guess took a second')
})

t.test('a token file that is no good is refused, without a word of the token', (t) => {
  const file = join(t.testdir(), 'token')
  const cases: readonly (readonly [text: string, mode: number, expected: RegExp])[] = [
    ['too-short', 0o600, /has 9 characters; use at least 16/],
    ['', 0o600, /has 0 characters/],
    [`${TOKEN}\n`, 0o644, /open to others \(mode 0644\); use mode 0600 or 0640/],
    [`${TOKEN}\n`, 0o660, /open to others/],
    ['token with blanks in it', 0o600, /has blanks/],
    ['x'.repeat(5000), 0o600, /longer than 4096 bytes/]
  ]
  for (const [text, mode, expected] of cases) {
    writeFileSync(file, text)
    chmodSync(file, mode)
    t.throws(() => readToken(file), { message: expected })
    t.throws(() => readToken(file), { message: /^(?!.*(?:correct-horse|with blanks in))/ })
  }
  t.throws(() => readToken(`${file}-gone`), { code: 'ENOENT' })
  writeFileSync(file, `${TOKEN}\nmore\n`)
  chmodSync(file, 0o640)
  t.equal(readToken(file).isIn(`Bearer ${TOKEN}`), true, 'the first line counts')
  t.end()
})

t.test('a port that cannot be served is told, and the socket serves all the same', async (t) => {
  const other = Office.prepare(t)
  chmodSync(other.tokenFile, 0o644)
  await other.start({ listen: {} })
  t.match(await other.waitForLine((line) => line['level'] === 40), {
    where: `http://127.0.0.1:${other.port}`,
    msg: /^no administration there: token file .* is open to others/
  })
  await t.rejects(other.askPort('/healthz'), { code: 'ECONNREFUSED' })
  t.equal((await other.ask('/v1/status')).status, 200)
})

t.test('with TLS, what speaks plain HTTP gets nothing', async (t) => {
  const where = { host: '127.0.0.1', port: secured.port, isTls: true }
  t.equal((await ask(where, '/v1/status', { token: TOKEN })).status, 200)
  t.equal((await ask(where, '/v1/status')).status, 401)
  await t.rejects(secured.askPort('/healthz'))
  t.equal((await ask(where, '/healthz')).status, 200, 'and does no harm')
})

t.test(
  'pages of other sites are refused: by the name they call us, by what browsers tell',
  async (t) => {
    const { port } = office
    const token = TOKEN
    const cases: readonly (readonly [headers: Record<string, string>, status: number])[] = [
      [{}, 200],
      [{ Host: `localhost:${port}` }, 200],
      [{ Host: `[::1]:${port}` }, 200],
      [{ Host: 'director1.example.org' }, 200],
      [{ Host: `evil.example:${port}` }, 421],
      [{ Host: '127.0.0.1.evil.example' }, 421],
      [{ Host: 'user@127.0.0.1' }, 421],
      [{ 'Sec-Fetch-Site': 'same-origin' }, 200],
      [{ 'Sec-Fetch-Site': 'none' }, 200],
      [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
      [{ 'Sec-Fetch-Site': 'same-site' }, 403],
      [{ Origin: `http://127.0.0.1:${port}` }, 200],
      [{ Origin: `https://127.0.0.1:${port + 1}` }, 403],
      [{ Origin: 'https://evil.example' }, 403],
      [{ Origin: 'null' }, 403]
    ]
    for (const [headers, status] of cases) {
      const told = JSON.stringify(headers)
      const asking = { method: 'POST', token, headers }
      t.equal((await office.askPort('/v1/reload', asking)).status, status, told)
      t.equal((await office.askPort('/v1/status', { token, headers })).status, status, told)
    }
    const evil = { Host: 'evil.example' }
    const post = { method: 'POST', headers: { Origin: 'https://evil.example' } }
    t.equal((await office.ask('/v1/reload', post)).status, 403, 'a socket may be forwarded by ssh')
    t.equal((await office.ask('/v1/status', { headers: evil })).status, 421)
    t.equal((await office.askPort('/healthz', { headers: evil })).status, 421)
  }
)

t.test('what is no HTTP gets a plain answer, and a head that never ends is cut', async (t) => {
  const nonsense = await said('HELO\r\n\r\n')
  t.match(nonsense.answer, /^HTTP\/1\.1 400 .*application\/problem\+json.*TSHA_E_REQUEST/s)
  const long = await said(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`)
  t.match(long.answer, /^HTTP\/1\.1 4/)
  const slow = await slowHead
  t.match(slow.answer, /^HTTP\/1\.1 408 /)
  t.ok(slow.ms >= 4500, `after ${slow.ms} ms`)
})

t.test('a handshake that is never finished is cut, and does not keep its connection', async (t) => {
  const { answer, ms } = await halfHandshake
  t.equal(answer, '')
  t.ok(ms >= 4500, `after ${ms} ms`)
})

t.test('who is refused and does not close his end loses the connection all the same', async (t) => {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  let answer = ''
  client.on('data', (data) => (answer += data.toString()))
  const [socket] = (await once(server, 'connection')) as [Socket]
  refuseUnreadable(new Error('nonsense'), socket)
  await once(socket, 'close')
  t.match(answer, /^HTTP\/1\.1 400 /, 'it was told why')
  t.equal(client.writable, true)
})
