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
    routes: [{ path: /, upstream: web }]
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
proxy: 4 workers as user nginx, 1024 connections each, error log /var/log/tsha/error.log (error)
  listener 0.0.0.0:80, names www.example.org
    / -> web; timeouts 1m/1m/1m; next upstream error timeout; access log /var/log/tsha/access.log
  upstream web: 192.0.2.10:80 (max_fails 1 fail_timeout 10s), 192.0.2.11:81 (max_fails 1 fail_timeout 10s weight 2 down)
note: virtual router web: the password has 9 characters; VRRP carries 8, so only the first 8 are used, as keepalived does`
  )
})
