import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Status } from '../../src/admin/model.js'
import { start, tsha, type Running } from './fake-director.js'

t.setTimeout(60_000)

/*
 * A director that only forwards, on loopback: it needs no root and no network of its own.
 */

const folder = mkdtempSync(join(tmpdir(), 'tsha-real-'))
chmodSync(folder, 0o755)
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true })
})
const socket = join(folder, 'admin.sock')
const token = join(folder, 'token')
writeFileSync(token, 'correct-horse-battery-staple-correct\n', { mode: 0o600 })

const web = createServer((_request, response) => response.end('This is web'))
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
t.teardown(() => {
  web.closeAllConnections()
  web.close()
})
const webPort = (web.address() as AddressInfo).port
const [proxyPort, adminPort] = await freePorts()

writeFileSync(
  join(folder, 'nginx.conf'),
  `events {}
http {
  access_log off;
  upstream web { server 127.0.0.1:${webPort}; }
  server { listen 127.0.0.1:${proxyPort}; location / { proxy_pass http://web; } }
}
`
)

const files = ['--nginx-conf', join(folder, 'nginx.conf'), '--admin-socket', socket]
const tcp = ['--admin-listen', `127.0.0.1:${adminPort}`, '--admin-token-file', token]
const director: Running = start(['run', ...files, ...tcp], {}, 60_000)
t.teardown(async () => {
  director.child.kill('SIGCONT')
  director.child.kill('SIGTERM')
  await director.ended
})
await director.said(/admin process listens/)
const at = ['--socket', socket]
const url = `http://127.0.0.1:${adminPort}`

await t.test('a real director is looked at', async (t) => {
  const [text, raw, events, check, metrics] = await Promise.all([
    tsha(['status', ...at]),
    tsha(['status', '--json', ...at]),
    tsha(['events', '--level', 'debug', ...at]),
    tsha(['status', '--check', ...at]),
    tsha(['metrics', ...at])
  ])
  t.match(text, { code: 0, stdout: /all is well {2}tsha \d+\.\d+\.\d+, up \d+ s/, stderr: '' })
  const status = JSON.parse(raw.stdout) as Status
  t.equal(status.pid, director.child.pid)
  t.match(events, { code: 0, stderr: '' })
  t.match(check, { code: 0, stdout: /^TSHA OK - / })
  t.match(metrics, { code: 0, stdout: /^tsha_problems 0$/m })
})

await t.test('over TCP the token is asked for', async (t) => {
  const wrong = join(folder, 'wrong')
  writeFileSync(wrong, 'incorrect-horse-battery-staple-wrong\n')
  const [good, none, bad, nobody] = await Promise.all([
    tsha(['status', '--url', url, '--token-file', token]),
    tsha(['status', '--url', url]),
    tsha(['status', '--url', url, '--token-file', wrong]),
    tsha(['status', '--url', `http://127.0.0.1:1`])
  ])
  t.match(good, { code: 0, stdout: /all is well/ })
  t.match(none, { code: 1, stdout: '', stderr: / \[TSHA_E_TOKEN\]\n/ })
  t.match(bad, { code: 1, stdout: '', stderr: / \[TSHA_E_TOKEN\]\n/ })
  t.match(nobody, {
    code: 3,
    stderr: /^tsha: nobody answers at http:\/\/127\.0\.0\.1:1: .* \[TSHA_E_NO_DIRECTOR\]\n$/
  })
  t.notMatch(none.stderr + bad.stderr, /horse/)
})

await t.test('a director that stands still is told from one that is not there', async (t) => {
  director.child.kill('SIGSTOP')
  const frozen = await tsha(['status', ...at])
  director.child.kill('SIGCONT')
  t.match(frozen, { code: 3, stdout: '', stderr: / \[TSHA_E_SILENT\]\n$/ })
  t.match(await tsha(['status', '--timeout', '10s', ...at]), { code: 0 })
})

await t.test('what it has recorded comes out as it was', async (t) => {
  const { code, stdout } = await tsha(['recording', ...at])
  t.equal(code, 0)
  t.match(JSON.parse(stdout.split('\n')[0] ?? ''), { type: 'header', pid: director.child.pid })
})

/** Ports that were free a moment ago. */
async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createTcpServer(), createTcpServer()] as const
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as AddressInfo).port)
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  return [ports[0] ?? 0, ports[1] ?? 0]
}
