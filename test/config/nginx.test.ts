import t from 'tap'
import { parseNginxTime } from '../../src/config/nginx/directives.js'
import { tokenize } from '../../src/config/nginx/lexer.js'
import { USER_MACHINE, load, problemsOf } from './support.js'

const UPSTREAM = 'upstream web { server 192.0.2.10; }'

/** A `nginx.conf` with these parts in its blocks; the server begins on line 5. */
function conf(
  parts: { main?: string; http?: string; server?: string; location?: string } = {}
): string {
  return `${parts.main ?? ''}
events { }
http { ${UPSTREAM}
${parts.http ?? ''}
server {
${parts.server ?? 'listen 80;'}
location / {
proxy_pass http://web;
${parts.location ?? ''}
} } }
`
}

t.test('nginx defaults hold where nothing is written', async (t) => {
  const { config } = await load(t, { 'nginx.conf': conf({ server: ' ' }) })
  t.equal(config.role, null)
  t.match(config.proxy, {
    workers: 1,
    workerConnections: 512,
    user: 'nobody',
    errorLog: { path: '/var/log/nginx/error.log', level: 'error' }
  })
  const server = config.proxy?.servers[0]
  t.match(server, {
    listen: { host: '0.0.0.0', port: 80 },
    names: [],
    keepaliveTimeoutMs: 75000,
    keepaliveRequests: 1000,
    clientHeaderTimeoutMs: 60000,
    clientBodyTimeoutMs: 60000,
    sendTimeoutMs: 60000,
    accessLogs: [
      {
        path: '/var/log/nginx/access.log',
        format:
          '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent ' +
          '"$http_referer" "$http_user_agent"'
      }
    ]
  })
  t.match(server?.routes[0], {
    setHeaders: [['Host', '$proxy_host']],
    connectTimeoutMs: 60000,
    nextUpstream: ['error', 'timeout'],
    maxBodySize: 1048576
  })
  const plain = await load(t, { 'nginx.conf': conf({ server: ' ' }) }, { machine: USER_MACHINE })
  t.equal(plain.config.proxy?.servers[0]?.listen.port, 8000, 'without listen and without root')
})

t.test(
  'settings are inherited http > server > location; headers and logs only as a whole',
  async (t) => {
    const { config } = await load(t, {
      'nginx.conf': conf({
        http: `proxy_read_timeout 5; proxy_send_timeout 6s; proxy_set_header X-Http 1; proxy_set_header Host $host;
        access_log /a.log; access_log /b.log; keepalive_timeout 10;`,
        server: 'listen 80; proxy_read_timeout 1m30s; access_log off; keepalive_timeout 20s;',
        location: `proxy_set_header X-Own ""; access_log /c.log;
        } location /inherits { proxy_pass http://web;`
      })
    })
    const server = config.proxy?.servers[0]
    t.equal(server?.keepaliveTimeoutMs, 20000)
    t.strictSame(server?.accessLogs, [])
    const [own, inherits] = server?.routes ?? []
    t.equal(own?.readTimeoutMs, 90000)
    t.equal(own?.sendTimeoutMs, 6000)
    t.strictSame(own?.setHeaders, [
      ['Host', '$proxy_host'],
      ['X-Own', '']
    ])
    t.strictSame(
      own?.accessLogs.map(({ path }) => path),
      ['/c.log']
    )
    t.strictSame(inherits?.setHeaders, [
      ['X-Http', '1'],
      ['Host', '$host']
    ])
    t.strictSame(inherits?.accessLogs, [])
  }
)

t.test('keepalive in upstream: nginx has the words, tsha the keys', async (t) => {
  const http = `upstream a { server 192.0.2.1; keepalive 16; keepalive_timeout 1m30s;
    keepalive_requests 500; keepalive_time 30m; }
    upstream b { server 192.0.2.1; keepalive 0; }
    keepalive_timeout 5; proxy_http_version 1.1;`
  const { config, ignored } = await load(t, { 'nginx.conf': conf({ http }) })
  const [web, a, b] = config.proxy?.upstreams ?? []
  const defaults = { connections: 256, timeoutMs: 60000, requests: 1000, lifetimeMs: 3600000 }
  t.strictSame(web?.keepalive, defaults, 'nothing is inherited from http')
  t.strictSame(a?.keepalive, {
    connections: 16,
    timeoutMs: 90000,
    requests: 500,
    lifetimeMs: 1800000
  })
  t.strictSame(b?.keepalive, { ...defaults, connections: 0 })
  t.equal(config.proxy?.servers[0]?.keepaliveTimeoutMs, 5000)
  t.strictSame(ignored, ['proxy_http_version'])
})

const UPGRADE = 'proxy_set_header Upgrade $http_upgrade;'
const UPGRADE_MAP = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }"

t.test('the well-known ways to pass Upgrade on make upgrade: true', async (t) => {
  const rows: Parameters<typeof conf>[0][] = [
    { location: `proxy_http_version 1.1; ${UPGRADE} proxy_set_header Connection "upgrade";` },
    { location: `proxy_set_header connection Upgrade; proxy_set_header upgrade \${http_upgrade};` },
    { http: UPGRADE_MAP, location: `${UPGRADE} proxy_set_header Connection $connection_upgrade;` },
    {
      http: 'map $HTTP_UPGRADE $how { "" "close"; default Upgrade; }',
      location: `${UPGRADE} proxy_set_header Connection \${how};`
    },
    { server: `listen 80; ${UPGRADE} proxy_set_header Connection upgrade;` }
  ]
  for (const parts of rows) {
    const location = `${parts?.location ?? ''} proxy_read_timeout 1h;`
    const { config } = await load(t, { 'nginx.conf': conf({ ...parts, location }) })
    const route = config.proxy?.servers[0]?.routes[0]
    t.equal(route?.tunnelTimeoutMs, 3600000, location)
    t.strictSame(route?.setHeaders, [['Host', '$proxy_host']])
  }
  const own = `proxy_set_header X-A 1;`
  const { config } = await load(t, {
    'nginx.conf': conf({
      server: `listen 80; ${UPGRADE} proxy_set_header Connection upgrade;`,
      location: `${own} } location /b { proxy_pass http://web; ${UPGRADE}
        proxy_set_header Connection upgrade; ${own}`
    })
  })
  const [first, second] = config.proxy?.servers[0]?.routes ?? []
  t.equal(first?.tunnelTimeoutMs, null, 'headers are inherited as a whole or not at all')
  t.equal(second?.tunnelTimeoutMs, 60000)
  t.strictSame(second?.setHeaders, [
    ['Host', '$proxy_host'],
    ['X-A', '1']
  ])
})

t.test('any other map, and any other value of Upgrade, is refused at its place', async (t) => {
  const pair = (upgrade: string, connection: string): string =>
    `proxy_set_header Upgrade ${upgrade}; proxy_set_header Connection ${connection};`
  const map = `a map other than ${UPGRADE_MAP} is not supported`
  const header =
    'proxy_set_header Upgrade is only supported as $http_upgrade together with Connection "upgrade"'
  const rows: [parts: Parameters<typeof conf>[0], problem: string][] = [
    [{ http: 'map $host $backend { default web; }' }, `4:5: ${map}`],
    [{ http: 'map $http_upgrade $a { default upgrade; }' }, `4:1: ${map}`],
    [{ http: 'map $http_upgrade $a { }' }, `4:1: ${map}`],
    [{ http: "map $http_upgrade $a { '' close; '' close; }" }, `4:1: ${map}`],
    [{ http: "map $http_upgrade $a { '' close; default upgrade; '' close; }" }, `4:1: ${map}`],
    [{ http: "map $http_upgrade $a { default upgrade; '' ''; }" }, `4:41: ${map}`],
    [{ http: "map $http_upgrade $a { default keep-alive; '' close; }" }, `4:24: ${map}`],
    [{ http: "map $http_upgrade $a { default upgrade; '' close; h2c close; }" }, `4:51: ${map}`],
    [{ http: "map $http_upgrade $a { hostnames; default upgrade; '' close; }" }, `4:24: ${map}`],
    [{ http: "map $http_upgrade a { default upgrade; '' close; }" }, `4:5: ${map}`],
    [{ location: pair('websocket', 'upgrade') }, `9:1: ${header}`],
    [{ location: pair('$http_upgrade', '""') }, `9:1: ${header}`],
    [{ location: pair('$http_upgrade', '$http_connection') }, `9:1: ${header}`],
    [{ location: pair('$http_upgrade', '$connection_upgrade') }, `9:1: ${header}`],
    [{ location: pair('$http_upgrade', '"upgrade, close"') }, `9:1: ${header}`],
    [
      { http: UPGRADE_MAP, location: 'proxy_set_header X-A $connection_upgrade;' },
      '9:22: variable $connection_upgrade is not supported'
    ],
    [
      { server: `listen 80; ${UPGRADE_MAP}` },
      '6:12: directive "map" is not allowed in server; use it in http'
    ]
  ]
  for (const [parts, problem] of rows) {
    const [found, ...more] = await problemsOf(t, { 'nginx.conf': conf(parts) })
    t.match(found, `nginx.conf:${problem} [`)
    t.strictSame(more, [])
  }
})

t.test(
  'request bodies: nginx words, contexts and inheritance; the file has one folder',
  async (t) => {
    const plain = await load(t, { 'nginx.conf': conf({}) })
    t.match(plain.config.proxy, { bodyTempPath: '/var/tmp' })
    t.match(plain.config.proxy?.servers[0]?.routes[0], {
      requestBuffering: true,
      bodyBufferSize: 1048576
    })
    const { config, notes } = await load(t, {
      'nginx.conf': conf({
        http: 'client_body_temp_path /spool/bodies 1 2; client_body_buffer_size 16k;',
        server: 'listen 80; proxy_request_buffering off;',
        location: `proxy_request_buffering on; client_body_buffer_size 8k;
      } location /inherits { proxy_pass http://web;`
      })
    })
    t.equal(config.proxy?.bodyTempPath, '/spool/bodies')
    t.match(config.proxy?.servers[0]?.routes, [
      { requestBuffering: true, bodyBufferSize: 8192 },
      { requestBuffering: false, bodyBufferSize: 16384 }
    ])
    t.strictSame(
      notes.filter((note) => note.includes('body')),
      ['client_body_temp_path: the files have no names, so its levels mean nothing']
    )
    const rows: [parts: Parameters<typeof conf>[0], problem: string][] = [
      [
        { location: 'proxy_request_buffering yes;' },
        '9:25: proxy_request_buffering "yes" is not valid; use on or off [TSHA_E_VALUE]'
      ],
      [
        { location: 'client_body_buffer_size 0;' },
        '9:25: client_body_buffer_size 0 is not a size; use one such as "16k" or "1m" [TSHA_E_VALUE]'
      ],
      [
        { location: 'client_body_temp_path /spool;' },
        '9:1: directive "client_body_temp_path" in location is not supported; use it in http [TSHA_E_NOT_SUPPORTED]'
      ],
      [
        { http: 'client_body_temp_path spool;' },
        '4:23: client_body_temp_path "spool" is not valid; use an absolute path [TSHA_E_VALUE]'
      ]
    ]
    for (const [parts, problem] of rows) {
      t.strictSame(await problemsOf(t, { 'nginx.conf': conf(parts) }), [`nginx.conf:${problem}`])
    }
  }
)

t.test('what tsha does not have is refused as not supported, at its place', async (t) => {
  const rows: [parts: Parameters<typeof conf>[0], problem: string][] = [
    [{ http: 'gzip on;' }, '4:1: directive "gzip" is not supported'],
    [
      { http: 'upstream b { sticky cookie id; server 192.0.2.1; }' },
      '4:14: directive "sticky" in upstream is not supported'
    ],
    [
      { http: 'upstream b { server 192.0.2.1 resolve; }' },
      '4:31: server parameter "resolve" is not supported'
    ],
    [
      { http: 'upstream b { server unix:/run/a; }' },
      '4:21: unix socket "unix:/run/a" is not supported; use an IP address or a host name'
    ],
    [{ server: 'listen 443 ssl;' }, '6:12: listen parameter "ssl" is not supported'],
    [
      { server: 'listen localhost:80;' },
      '6:8: listen on the host name "localhost:80" is not supported; use an address or a port'
    ],
    [
      { server: 'listen 80; server_name ~^a;' },
      '6:24: regular expression "~^a" in server_name is not supported'
    ],
    [
      { server: 'listen 80; location ~ \\.php$ { proxy_pass http://web; }' },
      '6:21: regular expression location "\\.php$" is not supported'
    ],
    [
      { server: 'listen 80; location /files { }' },
      '6:12: a location without proxy_pass is not supported; tsha serves no files'
    ],
    [
      { server: 'listen 80; location /a { proxy_pass https://web; }' },
      '6:37: https in proxy_pass is not supported'
    ],
    [
      { server: 'listen 80; location /a { proxy_pass http://web/; }' },
      '6:37: a URI part in proxy_pass ("/") is not supported; use http://web'
    ],
    [
      { server: 'listen 80; location /a { proxy_pass http://$host; }' },
      '6:37: a variable in proxy_pass is not supported'
    ],
    [
      { location: 'proxy_set_header Upgrade $http_upgrade;' },
      '9:1: proxy_set_header Upgrade is only supported as $http_upgrade together with Connection "upgrade"'
    ],
    [
      { location: 'proxy_set_header Connection "upgrade";' },
      '9:1: setting the header Connection is not supported; the proxy writes it itself'
    ],
    [{ location: 'proxy_set_header X-A $cookie_a;' }, '9:22: variable $cookie_a is not supported'],
    [
      { location: 'proxy_next_upstream error updating;' },
      '9:27: "updating" in proxy_next_upstream is not supported'
    ],
    [
      { http: 'log_format a escape=json $status;' },
      '4:14: "escape=json" in log_format is not supported'
    ],
    [
      { http: 'log_format a $ssl_cipher;' },
      '4:14: variable $ssl_cipher in log_format is not supported'
    ],
    [
      { http: 'access_log /a.log combined buffer=32k;' },
      '4:28: "buffer=32k" in access_log is not supported'
    ],
    [
      { main: 'error_log syslog:server=192.0.2.1;' },
      '1:11: "syslog:server=192.0.2.1" in error_log is not supported; use an absolute path'
    ],
    [
      { http: 'upstream b { server 192.0.2.1; keepalive 16 local; }' },
      '4:45: "local" in keepalive is not supported'
    ],
    [
      { server: 'keepalive_time 1h;' },
      '6:1: directive "keepalive_time" in server is not supported; use it in upstream'
    ],
    [
      { location: 'keepalive_timeout 5;' },
      '9:1: directive "keepalive_timeout" in location is not supported; use it in http, server, upstream'
    ]
  ]
  for (const [parts, problem] of rows) {
    t.strictSame(await problemsOf(t, { 'nginx.conf': conf(parts) }), [
      `nginx.conf:${problem} [TSHA_E_NOT_SUPPORTED]`
    ])
  }
})

t.test('what nginx refuses is refused', async (t) => {
  const rows: [parts: Parameters<typeof conf>[0], problem: string][] = [
    [
      { server: 'proxy_pass http://web;' },
      '6:1: directive "proxy_pass" is not allowed in server; use it in location [TSHA_E_SYNTAX]'
    ],
    [
      { main: 'sendfile on;' },
      '1:1: directive "sendfile" is not allowed in main; use it in http, server, location [TSHA_E_SYNTAX]'
    ],
    [
      { http: 'keepalive_timeout 5; keepalive_timeout 6;' },
      '4:22: "keepalive_timeout" is given twice in one block; use it once [TSHA_E_DUPLICATE]'
    ],
    [
      { http: 'upstream b { server 192.0.2.1; keepalive many; }' },
      '4:42: keepalive "many" is not valid; use a whole number [TSHA_E_VALUE]'
    ],
    [
      { http: 'upstream b { server 192.0.2.1; keepalive_requests 0; }' },
      '4:51: keepalive_requests 0 is out of range; use 1 to 1000000000 [TSHA_E_VALUE]'
    ],
    [
      { location: 'proxy_http_version 1.0;' },
      '9:20: proxy_http_version "1.0" is not valid; use 1.1, the version that tsha speaks [TSHA_E_VALUE]'
    ],
    [
      { location: 'proxy_read_timeout 3x;' },
      '9:20: proxy_read_timeout "3x" is not valid; use a time such as 3, 3s, 500ms or 1m30s [TSHA_E_VALUE]'
    ],
    [
      { location: 'client_max_body_size 1t;' },
      '9:22: client_max_body_size "1t" is not valid; use a size such as 512, 8k or 1m [TSHA_E_VALUE]'
    ],
    [
      { location: 'proxy_read_timeout;' },
      '9:1: directive "proxy_read_timeout" has 0 arguments; use 1 [TSHA_E_SYNTAX]'
    ],
    [
      { server: 'listen 80; location / { proxy_pass http://web; }' },
      '7:10: route path / is already given on line 6; use it once [TSHA_E_DUPLICATE]'
    ],
    [{ http: UPSTREAM }, '4:1: upstream "web" is given twice [TSHA_E_DUPLICATE]'],
    [
      { http: 'upstream b { }' },
      '4:10: upstream list is empty; use at least one server [TSHA_E_VALUE]'
    ],
    [
      { http: 'access_log /a.log mian; log_format main $status;' },
      '4:19: log_format "mian" does not exist; did you mean "main"? [TSHA_E_REFERENCE]'
    ],
    [
      { http: 'upstream b { server 192.0.2.1 max_fails=x; }' },
      '4:31: max_fails "x" is not a whole number; use 0 to 1000000 [TSHA_E_VALUE]'
    ],
    [
      { http: 'upstream b { server 192.0.2.1 fail_timeout=x; }' },
      '4:31: fail_timeout "x" is not a duration; use one such as "250ms", "1s" or "5m" [TSHA_E_VALUE]'
    ],
    [
      { server: 'listen 80; listen *:80;' },
      '6:12: listen 0.0.0.0:80 is given twice in one server; use it once [TSHA_E_DUPLICATE]'
    ],
    [
      { server: 'listen 70000;' },
      '6:8: listen "70000" has no valid port; use 1 to 65535 [TSHA_E_VALUE]'
    ],
    [
      { main: 'user www;' },
      '1:6: user "www" does not exist on this machine; use one from /etc/passwd [TSHA_E_USER]'
    ],
    [
      { main: 'include missing.conf;' },
      '1:9: included file <dir>/missing.conf does not exist [TSHA_E_FILE]'
    ],
    [
      { server: 'listen 80; location /a { proxy_pass http://wbe; }' },
      '6:37: proxy_pass names "wbe", which is no upstream; did you mean "web"? a host name of that kind is written with its port, http://wbe:80 [TSHA_E_REFERENCE]'
    ],
    [
      { server: 'listen 80; location /a { proxy_pass http://web_x.example.org; }' },
      '6:37: proxy_pass "web_x.example.org" is no host name because of "_"; use letters, digits, hyphens and dots [TSHA_E_VALUE]'
    ],
    [
      { http: 'upstream b { server 192.0.2.300; }' },
      '4:21: server "192.0.2.300" is not an IP address; use one such as 192.0.2.1:80, [2001:db8::1]:80 or web1.example.org:8080 [TSHA_E_VALUE]'
    ]
  ]
  for (const [parts, problem] of rows) {
    t.strictSame(await problemsOf(t, { 'nginx.conf': conf(parts) }), [
      `nginx.conf:${problem.replace('<dir>/', '')}`
    ])
  }
})

t.test('host names of servers and of proxy_pass are read and not resolved', async (t) => {
  const { config, notes } = await load(t, {
    'nginx.conf': conf({
      http: 'upstream names { server web1.invalid:8080 max_fails=2; server Web2.invalid; }',
      location: `} location /a { proxy_pass http://names;
        } location /b { proxy_pass http://app.invalid:8080;
        } location /c { proxy_pass http://backend;
        } location /d { proxy_pass http://wbe:80;`
    })
  })
  const hosts = config.proxy?.upstreams.map(({ name, servers }) => [
    name,
    ...servers.map(({ host, port }) => `${host} ${port}`)
  ])
  t.strictSame(hosts, [
    ['web', '192.0.2.10 80'],
    ['names', 'web1.invalid 8080', 'web2.invalid 80'],
    ['app.invalid:8080', 'app.invalid 8080'],
    ['backend', 'backend 80'],
    ['wbe', 'wbe 80']
  ])
  t.equal(config.proxy?.resolveIntervalMs, 10_000)
  t.strictSame(
    notes.filter((note) => note.includes('host name')),
    ['proxy_pass http://backend: there is no upstream "backend", so it is taken for a host name']
  )
})

t.test('braces, quotes and ends that do not match are syntax problems', async (t) => {
  t.strictSame(
    await problemsOf(t, { 'nginx.conf': 'events { }\nhttp {\nserver { listen 80 }\n}' }),
    ['nginx.conf:3:10: directive "listen" is not terminated by ";" [TSHA_E_SYNTAX]']
  )
  t.match(
    (await problemsOf(t, { 'nginx.conf': conf().replace(/\}\s*$/, '') })).join(),
    /3:6: block is not closed/
  )
  t.match((await problemsOf(t, { 'nginx.conf': `${conf()}}` })).join(), /unexpected "\}"/)
  t.match(
    (await problemsOf(t, { 'nginx.conf': conf({ http: 'access_log "/a;' }) })).join(),
    /4:12: quote is not closed/
  )
  t.match(
    (await problemsOf(t, { 'nginx.conf': conf({ main: 'pid "/a"b;' }) })).join(),
    /1:9: unexpected "b" after a closing quote/
  )
  t.match(await problemsOf(t, { 'nginx.conf': 'user nginx;' }), [
    'nginx.conf:1:1: events is missing; use events { } [TSHA_E_REQUIRED]',
    'nginx.conf:1:1: http is missing; use http { } with a server [TSHA_E_REQUIRED]'
  ])
})

t.test('servers are told apart by listen, default_server and names', async (t) => {
  const { config, notes } = await load(t, {
    'nginx.conf': conf({
      server:
        'listen 8080 default_server; listen [::1]:81; listen 192.0.2.5; server_name Www.Example.ORG *.example.org .short.org www.short.*;',
      location: `} location = /exact { proxy_pass http://192.0.2.7:8080; } location ^~ /dir/ { proxy_pass http://WEB; } }
        server { listen 8080; server_name www.example.org;`
    }).replace('} } }', '} }')
  })
  const [first, second, third, other] = config.proxy?.servers ?? []
  t.strictSame(first?.listen, { host: '0.0.0.0', port: 8080 })
  t.equal(first?.isDefault, true)
  t.strictSame(second?.listen, { host: '::1', port: 81 })
  t.equal(second?.isDefault, false)
  t.strictSame(third?.listen, { host: '192.0.2.5', port: 80 })
  t.strictSame(first?.names, [
    'www.example.org',
    '*.example.org',
    'short.org',
    '*.short.org',
    'www.short.*'
  ])
  t.strictSame(
    first?.routes.map(({ path, exact, upstream }) => ({ path, exact, upstream })),
    [
      { path: '/', exact: false, upstream: 'web' },
      { path: '/exact', exact: true, upstream: '192.0.2.7:8080' },
      { path: '/dir/', exact: false, upstream: 'web' }
    ]
  )
  t.strictSame(other?.routes, [])
  t.strictSame(config.proxy?.upstreams[1], {
    name: '192.0.2.7:8080',
    servers: [
      {
        host: '192.0.2.7',
        port: 8080,
        writtenAs: '192.0.2.7:8080',
        weight: 1,
        maxConns: 0,
        maxFails: 1,
        failTimeoutMs: 10000,
        down: false,
        backup: false,
        slowStartMs: 0,
        recovery: 'probe'
      }
    ],
    keepalive: { connections: 256, timeoutMs: 60000, requests: 1000, lifetimeMs: 3600000 },
    acceptBareLf: false,
    balance: { method: 'round_robin' },
    queue: null,
    lastResort: true,
    retryBudget: { percent: 20, min: 3 },
    check: null
  })
  t.strictSame(notes, [
    'location /dir/: nginx answers /dir with a redirect to /dir/; tsha does not',
    'server www.example.org: it has no location, so tsha answers every request with 404',
    '0.0.0.0:8080 already has the server name "www.example.org" (line 5); the first one answers'
  ])
})

t.test(
  'include takes files and globs, relative to the main file; places name the included file',
  async (t) => {
    const files = {
      'nginx.conf': 'events { }\nhttp { include conf.d/*.conf; include none/*.conf; }',
      'conf.d': {
        'b.conf': 'server { listen 82;\n location / { proxy_pass http://web; } }',
        'a.conf': `${UPSTREAM}\nserver { listen 81; location / { proxy_pass http://web; } }`,
        '.hidden.conf': 'gzip on;',
        'c.txt': 'gzip on;'
      }
    }
    const { config } = await load(t, files)
    t.strictSame(
      config.proxy?.servers.map(({ listen }) => listen.port),
      [81, 82]
    )
    const broken = { ...files, 'conf.d': { ...files['conf.d'], 'b.conf': '\n gzip on;' } }
    t.strictSame(await problemsOf(t, broken), [
      'conf.d/b.conf:2:2: directive "gzip" is not supported [TSHA_E_NOT_SUPPORTED]'
    ])
    t.strictSame(
      await problemsOf(t, { 'nginx.conf': 'include nginx.conf;\nevents { }' }),
      [
        'nginx.conf:1:9: files include each other deeper than 16; use fewer levels [TSHA_E_SYNTAX]',
        'nginx.conf:2:1: "events" is given twice in one block; use it once [TSHA_E_DUPLICATE]',
        'nginx.conf:1:1: http is missing; use http { } with a server [TSHA_E_REQUIRED]'
      ].sort()
    )
  }
)

t.test('Connection "" is what tsha does anyway, so it is taken and dropped', async (t) => {
  const { config } = await load(t, {
    'nginx.conf': conf({ location: 'proxy_set_header Connection "";' })
  })
  t.strictSame(config.proxy?.servers[0]?.routes[0]?.setHeaders, [['Host', '$proxy_host']])
})

t.test('user is only for root', async (t) => {
  const text = conf({ main: 'user www staff; worker_processes auto; pid /run/a.pid;' })
  const { config, ignored, notes } = await load(
    t,
    { 'nginx.conf': text },
    { machine: USER_MACHINE }
  )
  t.match(config.proxy, { user: null, group: null, workers: 4 })
  t.equal(config.pidFile, '/run/a.pid')
  t.strictSame(ignored, ['user'])
  t.equal(notes.length, 1)
  t.match(
    (await problemsOf(t, { 'nginx.conf': text })).join(),
    /1:6: user "www".*1:10: group "staff"/s
  )
})

t.test('ngx_conf_read_token: quotes, escapes, variables in braces, comments', (t) => {
  const words = (text: string) =>
    tokenize('f', text).tokens.map(({ text, kind }) => (kind === 'word' ? text : kind))
  t.strictSame(words('a "b c" \'d "e"\' f#g;'), ['a', 'b c', 'd "e"', 'f#g', 'end'])
  t.strictSame(words('a # comment }\nb;'), ['a', 'b', 'end'])
  t.strictSame(words('x${host}y {'), ['x${host}y', 'open'])
  t.strictSame(words('a{b}'), ['a', 'open', 'b}'])
  t.strictSame(words(String.raw`"a\"b" \d \; "\t\q"`), ['a"b', '\\d', '\\;', '\t\\q'])
  t.end()
})

t.test('ngx_parse_time: units in order, a last number without unit is seconds', (t) => {
  const rows: [string, string | undefined][] = [
    ['3', '3000ms'],
    ['3s', '3000ms'],
    ['500ms', '500ms'],
    ['1m30s', '90000ms'],
    ['1m 30', '90000ms'],
    ['1h', '3600000ms'],
    ['1d', '86400000ms'],
    ['30s1m', undefined],
    ['1.5s', undefined],
    ['', undefined],
    ['-1', undefined],
    ['1x', undefined]
  ]
  for (const [text, expected] of rows) t.equal(parseNginxTime(text), expected, text)
  t.end()
})

const ZONE = 'limit_conn_zone $binary_remote_addr zone=addr:10m;'

t.test(
  'ngx_http_limit_conn_module: by client address it is max_connections_per_client',
  async (t) => {
    const limits = async (http: string, server: string): Promise<(number | undefined)[]> => {
      const { config } = await load(t, {
        'nginx.conf': conf({ http, server: `listen 80; ${server}` })
      })
      return config.proxy?.servers.map((each) => each.maxConnectionsPerClient) ?? []
    }
    t.strictSame(await limits(ZONE, ''), [0], 'a zone alone limits nothing')
    t.strictSame(await limits(`${ZONE} limit_conn addr 20;`, ''), [20])
    t.strictSame(await limits(`${ZONE} limit_conn addr 20;`, 'limit_conn addr 5;'), [5])
    t.strictSame(await limits(ZONE, 'listen 81; limit_conn addr 5;'), [5, 5])
    const { notes } = await load(t, {
      'nginx.conf': conf({ http: ZONE, server: 'listen 80; limit_conn addr 5;' })
    })
    t.strictSame(notes, [
      'limit_conn addr 5: every connection of a client is counted from its begin to its end, ' +
        'an IPv6 client by its /64 network, in each worker'
    ])
  }
)

t.test('what of limit_conn tsha does not have is refused at its place', async (t) => {
  const rows: [parts: Parameters<typeof conf>[0], problem: string][] = [
    [
      { http: 'limit_conn_zone $server_name zone=a:1m;' },
      '4:17: limit_conn_zone by "$server_name" is not supported; use $binary_remote_addr [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      { http: 'limit_conn_zone $binary_remote_addr zone=a;' },
      '4:37: limit_conn_zone "zone=a" is not valid; use zone=NAME:SIZE [TSHA_E_VALUE]'
    ],
    [{ http: `${ZONE} ${ZONE}` }, '4:52: limit_conn_zone "addr" is given twice [TSHA_E_DUPLICATE]'],
    [
      { http: ZONE, server: 'listen 80; limit_conn adr 5;' },
      '6:23: limit_conn_zone "adr" does not exist; did you mean "addr"? [TSHA_E_REFERENCE]'
    ],
    [
      { http: ZONE, server: 'listen 80; limit_conn addr 0;' },
      '6:28: limit_conn "0" is not valid; use 1 to 65535 [TSHA_E_VALUE]'
    ],
    [
      { http: ZONE, server: 'listen 80; limit_conn addr 5; limit_conn addr 6;' },
      '6:31: a second limit_conn is not supported [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      { http: ZONE, location: 'limit_conn addr 5;' },
      '9:1: directive "limit_conn" in location is not supported; use it in http, server [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      { http: `${ZONE} limit_conn_status 429;` },
      '4:52: directive "limit_conn_status" is not supported [TSHA_E_NOT_SUPPORTED]'
    ],
    [
      { http: `${ZONE} server { listen 80; server_name a; limit_conn addr 5; }` },
      '5:1: another limit_conn than that of the server for 0.0.0.0:80 on line 4 is not supported [TSHA_E_NOT_SUPPORTED]'
    ]
  ]
  for (const [parts, problem] of rows) {
    t.strictSame(await problemsOf(t, { 'nginx.conf': conf(parts) }), [`nginx.conf:${problem}`])
  }
})
