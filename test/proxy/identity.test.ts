import t from 'tap'
import { NGINX_MISSING, startNginx } from './support/nginx.js'
import { exchange } from './support/raw-client.js'
import { startProxy } from './support/proxy.js'
import { scriptedUpstream } from './support/upstream.js'

/**
 * Who the client is, as the upstream server is told it with the example pair's configuration:
 * whatever a client sends, and the same as behind the real nginx.
 */

const REAL_IP = 'X-Real-IP: 127.0.0.1'
const PROTO = 'X-Forwarded-Proto: http'
const chain = (before: string): string => `X-Forwarded-For: ${before}127.0.0.1`

const CASES: readonly (readonly [
  claim: string,
  fields: readonly string[],
  /** Beside Host. */
  arrive: readonly string[]
])[] = [
  ['nothing of its own', [], [REAL_IP, chain(''), PROTO]],
  ['X-Real-IP', ['X-Real-IP: 6.6.6.6'], [REAL_IP, chain(''), PROTO]],
  ['X-Real-IP twice', ['X-Real-IP: 6.6.6.6', 'X-Real-IP: 7.7.7.7'], [REAL_IP, chain(''), PROTO]],
  ['X-Real-IP in odd case', ['x-REAL-ip: 6.6.6.6'], [REAL_IP, chain(''), PROTO]],
  ['X-Real-IP, empty', ['X-Real-IP:'], [REAL_IP, chain(''), PROTO]],
  ['X-Real-IP with white space', ['X-Real-IP: \t 6.6.6.6 \t'], [REAL_IP, chain(''), PROTO]],
  [
    'names that applications take for X-Real-IP',
    ['X_Real_IP: 6.6.6.6', 'x-real_ip: 6.6.6.6', 'X.Real.IP: 6.6.6.6', 'X!Real~IP: 6.6.6.6'],
    [REAL_IP, chain(''), PROTO]
  ],
  [
    'names that applications take for X-Forwarded-For',
    ['X_Forwarded_For: 6.6.6.6', 'X-Forwarded_For: 6.6.6.6', 'X_FORWARDED-FOR: 6.6.6.6'],
    [REAL_IP, chain(''), PROTO]
  ],
  [
    'names that applications take for the others',
    ['X_Forwarded_Proto: https', 'X_Forwarded_Host: evil', 'X_Forwarded-Host: evil'],
    [REAL_IP, chain(''), PROTO]
  ],
  [
    'X-Real-IP that Connection names',
    ['Connection: X-Real-IP', 'X-Real-IP: 6.6.6.6'],
    [REAL_IP, chain(''), PROTO]
  ],
  ['X-Forwarded-For', ['X-Forwarded-For: 6.6.6.6'], [REAL_IP, chain('6.6.6.6, '), PROTO]],
  [
    'X-Forwarded-For with several addresses',
    ['X-Forwarded-For: 6.6.6.6,7.7.7.7'],
    [REAL_IP, chain('6.6.6.6,7.7.7.7, '), PROTO]
  ],
  [
    'X-Forwarded-For in several lines and cases',
    ['X-Forwarded-For: 6.6.6.6', 'x-forwarded-FOR: 7.7.7.7'],
    [REAL_IP, chain('6.6.6.6, 7.7.7.7, '), PROTO]
  ],
  [
    'X-Forwarded-For with white space',
    ['X-Forwarded-For: \t6.6.6.6 \t'],
    [REAL_IP, chain('6.6.6.6, '), PROTO]
  ],
  ['X-Forwarded-For, empty', ['X-Forwarded-For:'], [REAL_IP, chain(''), PROTO]],
  [
    'X-Forwarded-For that Connection names: the chain is not lost',
    ['Connection: x-forwarded-for', 'X-Forwarded-For: 6.6.6.6'],
    [REAL_IP, chain('6.6.6.6, '), PROTO]
  ],
  [
    'X-Forwarded-Proto, and once more',
    ['X-Forwarded-Proto: https', 'x-forwarded-proto: wss'],
    [REAL_IP, chain(''), PROTO]
  ],
  [
    'what the configuration does not set travels as it came',
    ['X-Forwarded-Host: evil', 'Forwarded: for=6.6.6.6', 'x-forwarded-host: worse'],
    [
      REAL_IP,
      chain(''),
      PROTO,
      'X-Forwarded-Host: evil',
      'Forwarded: for=6.6.6.6',
      'x-forwarded-host: worse'
    ]
  ]
]

const IDENTITY = /^(?:host|x[^a-z]real[^a-z]ip|x[^a-z]forwarded[^a-z](?:for|proto|host)|forwarded)$/

/** The lines of a request that say who its client is, without Host. */
function identityOf(request: string): string[] {
  const lines = request.split('\r\n').slice(1)
  return lines.filter((line) => IDENTITY.test(line.split(':', 1)[0]?.toLowerCase() ?? ''))
}

/** Names and list elements alone: nginx keeps tabs, and an empty element before its own. */
function meaningOf(lines: readonly string[]): string[] {
  return lines
    .map((line) => {
      const [name = '', ...value] = line.split(':')
      const elements = value
        .join(':')
        .split(',')
        .map((element) => element.trim())
      return `${name.toLowerCase()}: ${elements.filter((element) => element !== '').join(', ')}`
    })
    .sort()
}

function requestWith(fields: readonly string[]): string {
  const lines = ['GET / HTTP/1.1', 'Host: Ex.org:8080', ...fields, 'Connection: close']
  return `${lines.join('\r\n')}\r\n\r\n`
}

t.test('what a client says about itself arrives only as the configuration says', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  for (const [claim, fields, arrive] of CASES) {
    await exchange(proxy.port, requestWith(fields))
    t.same(identityOf(web.requests.pop() ?? ''), ['Host: ex.org', ...arrive], claim)
  }
})

t.test('the same arrives behind the real nginx', { skip: NGINX_MISSING }, async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const port = await startNginx(t, web.port)
  for (const [claim, fields, arrive] of CASES) {
    await exchange(port, requestWith(fields))
    t.same(
      meaningOf(identityOf(web.requests.pop() ?? '')),
      meaningOf(['Host: ex.org', ...arrive]),
      claim
    )
  }
})

t.test('RFC 9110 §7.6.1: what Connection names ends here, where nginx passes it on', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port] })
  const fields = ['Connection: X-Forwarded-Host, Forwarded', 'X-Forwarded-Host: a', 'Forwarded: b']
  await exchange(proxy.port, requestWith(fields))
  t.same(identityOf(web.requests[0] ?? ''), ['Host: ex.org', REAL_IP, chain(''), PROTO])
})

t.test('without a configuration for them they travel as they came, once each', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const proxy = await startProxy(t, { servers: [web.port], route: { setHeaders: [] } })
  await exchange(proxy.port, requestWith(['X-Real-IP: 6.6.6.6', 'X_Real_IP: 7.7.7.7']))
  t.same(identityOf(web.requests[0] ?? ''), ['Host: web', 'X-Real-IP: 6.6.6.6'])
})
