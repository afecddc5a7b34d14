import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { serviceCheck } from '../../src/health/checks/service.js'
import type { CheckResult } from '../../src/health/scheduler.js'

/** A proxy that treats each connection as it is told. */
async function listen(t: Test, serve: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

function ask(...ports: number[]): Promise<CheckResult> {
  const listeners = ports.map((port) => ({ host: '0.0.0.0', port }))
  return serviceCheck({ listeners, timeoutMs: 500, token: 'secret' })(new AbortController().signal)
}

t.test('a worker that answers 204 passes, asked with the token', async (t) => {
  let request = ''
  const port = await listen(t, (socket) => {
    socket.on('data', (chunk) => {
      request += chunk.toString('latin1')
      socket.end('HTTP/1.1 204 No Content\r\n\r\n')
    })
  })
  t.same(await ask(port), { passed: true, detail: 'answered' })
  t.match(request, /^GET \/ HTTP\/1.1\r\n[^]*X-Tsha-Check: secret\r\n\r\n$/)
})

t.test('anything else fails: another answer, none, a close, a refusal', async (t) => {
  const other = await listen(t, (socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
  const silent = await listen(t, () => undefined)
  const closing = await listen(t, (socket) => socket.end())
  t.match(await ask(other), { passed: false, detail: /answered "HTTP\/1.1 502 Bad/ })
  t.match(await ask(silent), { passed: false, detail: /did not answer within 500 ms/ })
  t.match(await ask(closing), { passed: false, detail: /closed without an answer/ })
  t.match(await ask(1), { passed: false, detail: /ECONNREFUSED/ })
})

t.test('one listener that does not answer fails the check', async (t) => {
  const well = await listen(t, (socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))
  t.match(await ask(well, 1), { passed: false })
})

t.test('time in which we stood still ourselves does not count', async (t) => {
  const port = await listen(t, (socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))
  const silent = await listen(t, () => undefined)
  const [answered, late] = [ask(port), ask(silent)]
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100)
  t.same(await answered, { passed: true, detail: 'answered' })
  t.match(await late, { passed: false, detail: /did not answer within 500 ms/ })
})
