import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { httpCheck, type HttpOptions } from '../../src/health/checks/http.js'
import { tcpCheck } from '../../src/health/checks/tcp.js'
import type { CheckResult } from '../../src/health/scheduler.js'

const never = (): AbortSignal => new AbortController().signal

/** A server that treats each connection as it is told. */
async function listen(t: Test, serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A server that hears a request and says something. */
function saying(t: Test, text: string, requests: string[] = []): Promise<number> {
  return listen(t, (socket) => {
    socket.on('data', (chunk) => {
      requests.push(chunk.toString('latin1'))
      socket.write(text)
    })
  })
}

function ask(port: number, options: Partial<HttpOptions> = {}): Promise<CheckResult> {
  return httpCheck({
    host: '127.0.0.1',
    port,
    path: '/',
    hostField: 'web',
    timeoutMs: 300,
    expectStatus: [[200, 399]],
    expectBody: null,
    ...options
  })(never())
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

t.test('tcp: a connection passes; a refusal and silence fail', async (t) => {
  const port = await listen(t, () => undefined)
  const check = (host: string, at: number): Promise<CheckResult> =>
    tcpCheck({ host, port: at, timeoutMs: 200 })(never())
  t.same(await check('127.0.0.1', port), { passed: true, detail: 'took a connection' })
  t.match(await check('127.0.0.1', 1), { passed: false, detail: /ECONNREFUSED/ })
  // TEST-NET-1 (RFC 5737): nobody answers, or there is no route.
  t.match(await check('192.0.2.1', 80), { passed: false })
})

t.test('http: what is sent', async (t) => {
  const requests: string[] = []
  const port = await saying(t, OK, requests)
  t.same(await ask(port, { path: '/health?a=1' }), { passed: true, detail: 'answered 200' })
  t.equal(
    requests[0],
    'GET /health?a=1 HTTP/1.1\r\nHost: web\r\nUser-Agent: tsha-check\r\nConnection: close\r\n\r\n'
  )
})

t.test('http: status, body, silence, nonsense', async (t) => {
  const busy = await saying(t, 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n')
  t.same(await ask(busy), { passed: false, detail: 'answered 503' })
  t.same(
    await ask(busy, {
      expectStatus: [
        [200, 299],
        [503, 503]
      ]
    }),
    {
      passed: true,
      detail: 'answered 503'
    }
  )
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'
  t.match(await ask(await saying(t, chunked), { expectBody: 'hello' }), { passed: true })
  t.same(await ask(await saying(t, OK), { expectBody: 'bye' }), {
    passed: false,
    detail: 'the expected text is not in the answer'
  })
  const endless = `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}`
  t.match(await ask(await saying(t, endless), { expectBody: 'bye' }), {
    passed: false,
    detail: 'the expected text is not in the answer'
  })
  t.match(await ask(await saying(t, 'SSH-2.0-OpenSSH_9.2\r\n')), { passed: false })
  t.match(await ask(await listen(t, (socket) => socket.end())), { passed: false })
  t.same(await ask(await listen(t, () => undefined)), {
    passed: false,
    detail: 'did not answer within 300 ms'
  })
  const half = 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello'
  t.match(await ask(await saying(t, half), { expectBody: 'bye' }), {
    passed: false,
    detail: 'did not answer within 300 ms'
  })
})

t.test('a check that is ended leaves nothing behind', async (t) => {
  let closed = 0
  const port = await listen(t, (socket) => socket.resume().on('close', () => closed++))
  const end = new AbortController()
  const options = { host: '127.0.0.1', port, path: '/', hostField: 'web', timeoutMs: 60_000 }
  const result = httpCheck({ ...options, expectStatus: [], expectBody: null })(end.signal)
  await new Promise((resolve) => setTimeout(resolve, 50))
  end.abort()
  t.same(await result, { passed: false, detail: 'ended with tsha' })
  while (closed === 0) await new Promise((resolve) => setImmediate(resolve))
})
