import t from 'tap'
import { describeConfig } from '../../src/config/describe.js'
import { load } from './support.js'

t.test('a configuration is described for people, without its password', async (t) => {
  const loaded = await load(
    t,
    {
      'tsha.yaml': `
roles:
  master: { priority: 100, router_id: FIRST }
  backup: { priority: 90 }
virtual_routers:
  web:
    interface: eth0
    vrid: 51
    authentication: { type: pass, password: "topsecret" }
    addresses: [192.0.2.1/24]
    address_lease: off
    track:
      - { check: service, weight: -20 }
      - { check: disk, weight: -5 }
checks:
  disk: { command: /bin/true, interval: 10s }
upstreams:
  web: { servers: [{ address: 192.0.2.10 }, { address: "192.0.2.11:81", weight: 2, down: true }] }
listeners:
  - address: ":80"
    server_names: [www.example.org]
    routes: [{ path: /, upstream: web }, { path: /chat, upstream: web, upgrade: true, timeouts: { tunnel: 1h } }]
user: nginx
`
    },
    { role: 'master' }
  )
  t.equal(
    describeConfig(loaded),
    `director FIRST, role master
virtual router web: interface eth0, VRID 51, priority 100, advertisement every 1s, authentication PASS
  addresses 192.0.2.1/24; hand over make-before-break; address lease off
  check service: weight -20, every 2s, timeout 2s, fall 1, rise 1
  check disk (/bin/true): weight -5, every 10s, timeout 10s, fall 1, rise 1
elections: nice -20, SCHED_RR 1
proxy: 4 workers as user nginx, 1024 connections each, error log /var/log/tsha/error.log (error)
  listener 0.0.0.0:80, names www.example.org
    / -> web; timeouts 1m/1m/1m; next upstream error timeout; access log /var/log/tsha/access.log
    /chat -> web; timeouts 1m/1m/1m; upgrade, tunnel 1h; next upstream error timeout; access log /var/log/tsha/access.log
  upstream web: 192.0.2.10:80 (max_fails 1 fail_timeout 10s), 192.0.2.11:81 (max_fails 1 fail_timeout 10s weight 2 down)
    keepalive 256 connections to each server, timeout 1m, 1000 requests, lifetime 1h
note: virtual router web: the password has 9 characters; VRRP carries 8, so only the first 8 are used, as keepalived does`
  )
})

t.test('the check of an upstream and its way to recover are described', async (t) => {
  const loaded = await load(t, {
    'tsha.yaml': `
upstreams:
  web:
    servers: [{ address: 192.0.2.10 }]
    recovery: request
    check: { type: http, path: /health, expect_status: [200, 300-399], expect_body: ready }
  db: { servers: [{ address: 192.0.2.11 }], keepalive: { connections: 0 }, check: { type: tcp, interval: 5s, rise: 3 } }
listeners: [{ address: ":80", routes: [{ path: /, upstream: web, request_buffering: false }] }]
`
  })
  const lines = describeConfig(loaded).split('\n')
  t.match(lines.join('\n'), '; next upstream error timeout; request buffering off; access log ')
  t.strictSame(lines.slice(lines.findIndex((line) => line.startsWith('  upstream'))), [
    '  upstream web: 192.0.2.10:80 (max_fails 1 fail_timeout 10s); recovery by a request',
    '    keepalive 256 connections to each server, timeout 1m, 1000 requests, lifetime 1h',
    '    check http /health, host web, status 200 300-399, body with "ready": every 2s, 500ms while it fails, timeout 1s, fall 2, rise 1',
    '  upstream db: 192.0.2.11:80 (max_fails 1 fail_timeout 10s)',
    '    keepalive off',
    '    check tcp: every 5s, 500ms while it fails, timeout 1s, fall 2, rise 3'
  ])
})

t.test('the limit of connections and where LF alone is accepted are described', async (t) => {
  const loaded = await load(t, {
    'tsha.yaml': `
upstreams: { web: { servers: [{ address: 192.0.2.10 }], accept_bare_lf: true } }
listeners:
  - address: ":80"
    accept_bare_lf: true
    max_connections_per_client: 20
    routes: [{ path: /, upstream: web }]
`
  })
  const lines = describeConfig(loaded).split('\n')
  t.ok(
    lines.includes('  listener 0.0.0.0:80, 20 connections per client and worker, accepts LF alone')
  )
  t.ok(
    lines.includes(
      '  upstream web: 192.0.2.10:80 (max_fails 1 fail_timeout 10s); LF alone is accepted'
    )
  )
})
