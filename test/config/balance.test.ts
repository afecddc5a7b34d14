import t from 'tap'
import { describeConfig } from '../../src/config/describe.js'
import { load, problemsOf } from './support.js'

const LISTENERS = 'listeners: [{ address: ":80", routes: [{ path: /, upstream: web }] }]\n'

/** A `tsha.yaml` with this upstream; its lines begin on line 3. */
function yaml(upstream: string): string {
  return `upstreams:\n  web:\n${upstream.replace(/^/gm, '    ')}\n${LISTENERS}`
}

/** A `nginx.conf` with this upstream, which is line 3. */
function conf(upstream: string): string {
  return `events { }
http {
upstream web { ${upstream} }
server { listen 80; location / { proxy_pass http://web; } } }
`
}

t.test('the balancing of an upstream in tsha.yaml and in nginx.conf', async (t) => {
  const servers = 'server 192.0.2.1:81; server 192.0.2.2;'
  const yamlServers = 'servers: [{ address: "192.0.2.1:81" }, { address: 192.0.2.2 }]'
  const table: [directive: string, key: string, balance: unknown][] = [
    ['', '', { method: 'round_robin' }],
    ['least_conn;', 'balance: least_conn', { method: 'least_conn' }],
    ['ip_hash;', 'balance: ip_hash', { method: 'ip_hash' }],
    ['random two;', 'balance: random_two', { method: 'random_two' }],
    ['random two least_conn;', 'balance: random_two', { method: 'random_two' }],
    [
      'hash $request_uri;',
      'balance: { hash: { key: $request_uri } }',
      { method: 'hash', key: '$request_uri', consistent: false }
    ],
    [
      'hash $host$uri consistent;',
      'balance: { hash: { key: $host$uri, consistent: true } }',
      { method: 'hash', key: '$host$uri', consistent: true }
    ]
  ]
  for (const [directive, key, balance] of table) {
    const nginx = await load(t, { 'nginx.conf': conf(directive + servers) })
    t.strictSame(nginx.config.proxy?.upstreams[0]?.balance, balance, directive)
    const tsha = await load(t, { 'tsha.yaml': yaml(`${yamlServers}\n${key}`) })
    t.strictSame(tsha.config.proxy?.upstreams[0]?.balance, balance, key)
    t.strictSame(
      tsha.config.proxy?.upstreams[0]?.servers,
      nginx.config.proxy?.upstreams[0]?.servers,
      'the servers, as they are written'
    )
  }
})

t.test('max_conns, backup, slow_start and queue', async (t) => {
  const nginx = await load(t, {
    'nginx.conf': conf(
      'server 192.0.2.1 max_conns=10 slow_start=30s; server 192.0.2.2 backup; queue 100 timeout=70;'
    )
  })
  const [upstream] = nginx.config.proxy?.upstreams ?? []
  t.match(upstream?.servers, [
    { maxConns: 10, slowStartMs: 30_000, backup: false },
    { maxConns: 0, slowStartMs: 0, backup: true }
  ])
  t.strictSame(upstream?.queue, { requests: 100, timeoutMs: 70_000 })
  t.strictSame(upstream?.retryBudget, { percent: 20, min: 3 })
  const tsha = await load(t, {
    'tsha.yaml': yaml(`servers:
  - { address: 192.0.2.1, max_conns: 10, slow_start: 30s }
  - { address: 192.0.2.2, backup: true }
queue: { requests: 100, timeout: 70s }`)
  })
  t.strictSame(tsha.config.proxy?.upstreams[0], upstream)
  const short = await load(t, { 'nginx.conf': conf('server 192.0.2.1; queue 5;') })
  t.strictSame(short.config.proxy?.upstreams[0]?.queue, { requests: 5, timeoutMs: 60_000 })
})

t.test('what is not as it is by default is described', async (t) => {
  const loaded = await load(t, {
    'tsha.yaml': yaml(`servers:
  - { address: 192.0.2.1, weight: 2, max_conns: 10, slow_start: 30s }
  - { address: 192.0.2.2, backup: true }
balance: least_conn
queue: { requests: 100, timeout: 2s }
last_resort: false
retry_budget: { percent: 10, min: 1 }`)
  })
  const lines = describeConfig(loaded).split('\n')
  t.equal(
    lines.at(-2),
    '  upstream web: 192.0.2.1:80 (max_fails 1 fail_timeout 10s weight 2 max_conns 10 slow_start 30s), ' +
      '192.0.2.2:80 (max_fails 1 fail_timeout 10s backup); balance least_conn; ' +
      'queue 100 timeout 2s; no last resort; retry budget 10%, at least 1'
  )
  const hash = await load(t, { 'nginx.conf': conf('hash $uri consistent; server 192.0.2.1;') })
  t.match(
    describeConfig(hash),
    / \(max_fails 1 fail_timeout 10s\); balance hash \$uri consistent$/m
  )
})

t.test('nginx takes the last of several methods; a note says so', async (t) => {
  const both = conf('ip_hash; server 192.0.2.1; least_conn;')
  const { config, notes } = await load(t, { 'nginx.conf': both })
  t.strictSame(config.proxy?.upstreams[0]?.balance, { method: 'least_conn' })
  t.strictSame(notes, [
    'upstream web: ip_hash, least_conn are given; the last one holds, as in nginx'
  ])
})

t.test('what cannot be balanced in nginx.conf is refused where it stands', async (t) => {
  const rows: [upstream: string, problem: string][] = [
    [
      'ip_hash; server 192.0.2.1; server 192.0.2.2 backup;',
      '3:60: backup has no meaning with ip_hash; use round_robin or least_conn, or leave it out [TSHA_E_VALUE]'
    ],
    [
      'hash $uri; server 192.0.2.1 slow_start=3s;',
      '3:44: slow_start has no meaning with hash; use round_robin or least_conn, or leave it out [TSHA_E_VALUE]'
    ],
    [
      'random two; server 192.0.2.1; server 192.0.2.2 backup;',
      '3:63: backup has no meaning with random_two; use round_robin or least_conn, or leave it out [TSHA_E_VALUE]'
    ],
    [
      'server 192.0.2.1 backup;',
      '3:10: every server is a backup; leave backup out at one of them [TSHA_E_VALUE]'
    ],
    [
      'random; server 192.0.2.1;',
      '3:16: random without "two" is not supported; use random two [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      'random two least_time=header; server 192.0.2.1;',
      '3:27: "least_time=header" in random is not supported [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      'hash $uri ketama; server 192.0.2.1;',
      '3:26: hash parameter "ketama" is not valid; use consistent, or leave it out [TSHA_E_VALUE]'
    ],
    [
      'hash $ssl_cipher; server 192.0.2.1;',
      '3:21: variable $ssl_cipher is not supported [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      'server 192.0.2.1 max_conns=many;',
      '3:33: max_conns "many" is not a whole number; use 0 to 1000000 [TSHA_E_VALUE]'
    ],
    [
      'server 192.0.2.1; queue 0;',
      '3:40: queue 0 is out of range; use 1 to 1000000 [TSHA_E_VALUE]'
    ],
    [
      'server 192.0.2.1; queue 5 timeout=soon;',
      '3:42: queue timeout "soon" is not a duration; use one such as "250ms", "1s" or "5m" [TSHA_E_VALUE]'
    ],
    [
      'hash $uri consistent; server 192.0.2.1 weight=9999; server 192.0.2.2 weight=2;',
      '3:10: the weights of a consistent hash add up to 10001; use smaller ones, at most 10000 together [TSHA_E_VALUE]'
    ]
  ]
  for (const [upstream, problem] of rows) {
    const problems = await problemsOf(t, { 'nginx.conf': conf(upstream) })
    t.strictSame(problems, [`nginx.conf:${problem}`])
  }
})

t.test('what cannot be balanced in tsha.yaml is refused where it stands', async (t) => {
  const rows: [upstream: string, problem: string][] = [
    [
      'balance: fastest',
      '4:14: balance "fastest" is not a balancing method; use round_robin, least_conn, random_two, ip_hash, or { hash: { key: "$request_uri" } } [TSHA_E_VALUE]'
    ],
    [
      'balance: { hash: { key: $nonsense } }',
      '4:29: variable $nonsense is not supported [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      'balance: { hash: { key: $uri, kye: 1 } }',
      '4:35: unknown key "kye"; did you mean "key"? [TSHA_E_UNKNOWN_KEY]'
    ],
    [
      'balance: { hash: { consistent: true } }',
      '4:16: key is missing in upstreams web balance hash; use text with $variables, such as "$request_uri" [TSHA_E_REQUIRED]'
    ],
    [
      'queue: { timeout: 2s }',
      '4:5: requests is missing in upstreams web queue; use 1 to 1000000 [TSHA_E_REQUIRED]'
    ],
    [
      'retry_budget: { percent: 200 }',
      '4:30: percent 200 is out of range; use 0 to 100 [TSHA_E_VALUE]'
    ],
    [
      'last_resort: maybe',
      '4:18: last_resort "maybe" is not a yes or no; use true or false [TSHA_E_VALUE]'
    ]
  ]
  for (const [lines, problem] of rows) {
    const text = yaml(`servers: [{ address: 192.0.2.1 }]\n${lines}`)
    t.strictSame(await problemsOf(t, { 'tsha.yaml': text }), [`tsha.yaml:${problem}`])
  }
  const slow = yaml('balance: ip_hash\nservers: [{ address: 192.0.2.1, slow_start: 3s }]')
  t.strictSame(await problemsOf(t, { 'tsha.yaml': slow }), [
    'tsha.yaml:4:37: slow_start has no meaning with ip_hash; use round_robin or least_conn, or leave it out [TSHA_E_VALUE]'
  ])
})
