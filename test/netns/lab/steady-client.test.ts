import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { RequestResult } from './load-result.js'

t.setTimeout(30_000)

const CLIENT_PROGRAM = join(import.meta.dirname, 'steady-client.js')
const TIMEOUT_MS = 400
/** Longer than what the client waits for an answer. */
const STANDSTILL_MS = 700

/** One request of the client to a server, which is told how to stop the client and let it go on. */
async function ask(
  t: Test,
  serve: (...args: [...Parameters<RequestListener>, (signal: NodeJS.Signals) => void]) => void
): Promise<RequestResult> {
  const server = createServer((request, response) => {
    serve(request, response, (signal) => client.kill(signal))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const args = [`http://127.0.0.1:${port}/`, '0', String(TIMEOUT_MS), '0', '1']
  const client = spawn(process.execPath, [CLIENT_PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => client.kill('SIGKILL'))
  let said = ''
  client.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  await once(client, 'close')
  return JSON.parse(said) as RequestResult
}

void t.test('a client that stands still itself holds that against nobody', async (t) => {
  const result = await ask(t, (_request, response, signal) => {
    signal('SIGSTOP')
    response.end('here')
    setTimeout(signal, STANDSTILL_MS, 'SIGCONT')
  })
  t.match(result, { ok: true, body: 'here', error: '' })
  t.ok(result.ms > TIMEOUT_MS, `it stood still: ${result.ms} ms`)
})

void t.test('an answer that does not come is an outage', async (t) => {
  const result = await ask(t, () => undefined)
  t.match(result, { ok: false, error: 'timeout' })
  t.ok(result.ms >= TIMEOUT_MS - 5 && result.ms < 2 * TIMEOUT_MS, `${result.ms} ms`)
})

void t.test('also of a client that stood still while it waited', async (t) => {
  const result = await ask(t, (_request, _response, signal) => {
    signal('SIGSTOP')
    setTimeout(signal, STANDSTILL_MS, 'SIGCONT')
  })
  t.match(result, { ok: false, error: 'timeout' })
  t.ok(result.ms >= STANDSTILL_MS, `${result.ms} ms`)
})
