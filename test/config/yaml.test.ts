import t from 'tap'
import { readText } from '../../src/config/read-text.js'
import type { TestDirectory } from './support.js'
import { load, problemsOf, USER_MACHINE } from './support.js'

const ROUTER = `
virtual_routers:
  web:
    interface: eth0
    vrid: 51
    priority: { master: 100, backup: 90 }
    addresses: [192.0.2.1/24]
`

const PROXY = `
upstreams:
  web: { servers: [{ address: 192.0.2.10 }] }
listeners:
  - address: ":80"
    routes: [{ path: /, upstream: web }]
`

t.test(
  'a virtual router has keepalived defaults, a lease of 3 s and the make-before-break hand over',
  async (t) => {
    const { config } = await load(t, { 'tsha.yaml': ROUTER }, { role: 'backup' })
    t.match(config.virtualRouters, [
      {
        name: 'web',
        interface: 'eth0',
        vrid: 51,
        priority: 90,
        advertIntervalMs: 1000,
        authentication: null,
        addresses: [{ address: '192.0.2.1', prefixLength: 24 }],
        track: [],
        handOver: 'make-before-break',
        addressLeaseMs: 2000
      }
    ])
    t.equal(config.routerId, 'director1', 'the name of the machine')
    t.equal(config.proxy, null)
    t.equal(config.pidFile, null)
  }
)

t.test('a listener alone needs no role and has the defaults of nginx', async (t) => {
  const { config } = await load(t, { 'tsha.yaml': PROXY })
  t.equal(config.role, null)
  t.strictSame(config.proxy?.servers[0]?.routes[0], {
    path: '/',
    exact: false,
    upstream: 'web',
    setHeaders: [['Host', '$proxy_host']],
    connectTimeoutMs: 60000,
    sendTimeoutMs: 60000,
    readTimeoutMs: 60000,
    tunnelTimeoutMs: null,
    nextUpstream: ['error', 'timeout'],
    nextUpstreamTries: 0,
    nextUpstreamTimeoutMs: 0,
    maxBodySize: 1048576,
    requestBuffering: true,
    bodyBufferSize: 1048576,
    accessLogs: [
      {
        path: '/var/log/tsha/access.log',
        format:
          '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent ' +
          '"$http_referer" "$http_user_agent" "$http_x_forwarded_for"'
      }
    ]
  })
  t.strictSame(config.proxy?.upstreams[0]?.servers[0], {
    host: '192.0.2.10',
    port: 80,
    writtenAs: '192.0.2.10',
    weight: 1,
    maxConns: 0,
    maxFails: 1,
    failTimeoutMs: 10000,
    down: false,
    backup: false,
    slowStartMs: 0,
    recovery: 'probe'
  })
  t.equal(config.proxy?.servers[0]?.keepaliveTimeoutMs, 75000)
  t.equal(config.proxy?.servers[0]?.keepaliveRequests, 1000)
  t.equal(config.proxy?.workers, 4, 'auto is the number of CPUs')
  t.equal(config.proxy?.user, 'nobody')
})

t.test('keepalive of an upstream: its settings, their bounds', async (t) => {
  const text = (keepalive: string): string =>
    PROXY.replace('192.0.2.10 }]', `192.0.2.10 }], keepalive: ${keepalive}`)
  const { config } = await load(t, {
    'tsha.yaml': text('{ connections: 0, timeout: 5s, requests: 100, lifetime: 10m }')
  })
  t.strictSame(config.proxy?.upstreams[0]?.keepalive, {
    connections: 0,
    timeoutMs: 5000,
    requests: 100,
    lifetimeMs: 600000
  })
  const wrong = '{ connections: -1, timeout: 5, requests: 0, lifetime: x, idle: 3 }'
  t.strictSame(await problemsOf(t, { 'tsha.yaml': text(wrong) }), [
    'tsha.yaml:3:72: connections -1 is out of range; use 0 to 1000000 [TSHA_E_VALUE]',
    'tsha.yaml:3:85: timeout 5 has no unit; use one such as "250ms", "1s" or "5m" [TSHA_E_VALUE]',
    'tsha.yaml:3:98: requests 0 is out of range; use 1 to 1000000000 [TSHA_E_VALUE]',
    'tsha.yaml:3:111: lifetime "x" is not a duration; use one such as "250ms", "1s" or "5m" [TSHA_E_VALUE]',
    'tsha.yaml:3:114: unknown key "idle"; use one of connections, timeout, requests, lifetime [TSHA_E_UNKNOWN_KEY]'
  ])
})

t.test('auto is never fewer than two workers, so that one crash never leaves none', async (t) => {
  const machine = { ...USER_MACHINE, cpuCount: 1 }
  const { config } = await load(t, { 'tsha.yaml': PROXY }, { machine })
  t.equal(config.proxy?.workers, 2)
})

t.test('request bodies: buffering per route, and one folder for the files', async (t) => {
  const text = `${PROXY}body_temp_path: /spool\n`.replace(
    'upstream: web',
    'upstream: web, request_buffering: false, body_buffer_size: 16k'
  )
  const { config } = await load(t, { 'tsha.yaml': text })
  t.equal(config.proxy?.bodyTempPath, '/spool')
  t.match(config.proxy?.servers[0]?.routes, [{ requestBuffering: false, bodyBufferSize: 16384 }])
  const wrong = text.replace('false', 'off').replace('16k', '0').replace('/spool', 'spool')
  t.match(await problemsOf(t, { 'tsha.yaml': wrong }), [
    /request_buffering "off" is not a yes or no; use true or false \[TSHA_E_VALUE\]$/,
    /body_buffer_size 0 is not a size; use one such as "16k" or "1m" \[TSHA_E_VALUE\]$/,
    /body_temp_path "spool" is not valid; use an absolute path \[TSHA_E_VALUE\]$/
  ])
})

t.test('every problem of a file is reported at once, each with its line and column', async (t) => {
  const text = `virtual_routers:
  a:
    interface: eth0
    vrid: 300
    advert_interval: 1
    adresses: [192.0.2.1/33]
    authentication: { type: pass, password: 123456 }
    track: [{ check: servce, weight: -20 }]
listeners:
  - address: "80"
    routes:
      - { path: /, upstream: wbe, set_headers: { Connection: upgrade, X-A: $nothing } }
      - { path: /, upstream: web, timeouts: { connect: 500 }, max_body_size: 1x }
upstreams:
  web: { servers: [] }
worker: 3
`
  t.strictSame(await problemsOf(t, { 'tsha.yaml': text }, { role: 'master' }), [
    'tsha.yaml:2:3: addresses is missing in virtual_routers a; use addresses such as [192.0.2.1/24] [TSHA_E_REQUIRED]',
    'tsha.yaml:2:3: virtual router a has no priority for the role master; use roles: { master: { priority: 100 } } [TSHA_E_REQUIRED]',
    'tsha.yaml:4:11: vrid 300 is out of range; use 1 to 255 [TSHA_E_VRID_RANGE]',
    'tsha.yaml:5:22: advert_interval 1 has no unit; use one such as "250ms", "1s" or "5m" [TSHA_E_VALUE]',
    'tsha.yaml:6:5: unknown key "adresses"; did you mean "addresses"? [TSHA_E_UNKNOWN_KEY]',
    'tsha.yaml:7:45: password is not text; use quoted text of 1 to 8 ASCII characters [TSHA_E_VALUE]',
    'tsha.yaml:8:22: check "servce" does not exist; did you mean "service"? [TSHA_E_REFERENCE]',
    'tsha.yaml:10:14: address "80" is not valid; use an address with a port, such as ":80", "192.0.2.1:80" or "[::]:80" [TSHA_E_VALUE]',
    'tsha.yaml:12:30: upstream "wbe" does not exist; did you mean "web"? [TSHA_E_REFERENCE]',
    'tsha.yaml:12:50: setting the header Connection is not supported; the proxy writes it itself [TSHA_E_NOT_SUPPORTED]',
    'tsha.yaml:12:76: variable $nothing is not supported [TSHA_E_NOT_SUPPORTED]',
    'tsha.yaml:13:17: route path / is already given on line 12; use it once [TSHA_E_DUPLICATE]',
    'tsha.yaml:13:56: connect 500 has no unit; use one such as "250ms", "1s" or "5m" [TSHA_E_VALUE]',
    'tsha.yaml:13:78: max_body_size "1x" is not a size; use one such as 512, "8k" or "1m", and 0 for no limit [TSHA_E_VALUE]',
    'tsha.yaml:15:19: servers list is empty; use at least one server [TSHA_E_VALUE]',
    'tsha.yaml:16:1: unknown key "worker"; did you mean "workers"? [TSHA_E_UNKNOWN_KEY]'
  ])
})

t.test('upgrade lets clients change the protocol; its timeout is that of reading', async (t) => {
  const routes = async (route: string): Promise<number | null | undefined> => {
    const text = `upstreams: { web: { servers: [{ address: 192.0.2.10 }] } }
listeners: [{ address: ":80", routes: [{ path: /, upstream: web, ${route} }] }]
`
    const { config } = await load(t, { 'tsha.yaml': text })
    return config.proxy?.servers[0]?.routes[0]?.tunnelTimeoutMs
  }
  t.equal(await routes('upgrade: false'), null)
  t.equal(await routes('upgrade: true'), 60000)
  t.equal(await routes('upgrade: true, timeouts: { read: 10s }'), 10000)
  t.equal(await routes('upgrade: true, timeouts: { read: 10s, tunnel: 1h }'), 3600000)
})

t.test('what upgrade cannot mean is refused', async (t) => {
  const text = `upstreams: { web: { servers: [{ address: 192.0.2.10 }] } }
listeners:
  - address: ":80"
    routes:
      - { path: /a, upstream: web, timeouts: { tunnel: 1h } }
      - { path: /b, upstream: web, upgrade: false, timeouts: { tunnel: 1h } }
      - { path: /c, upstream: web, upgrade: websocket }
      - { path: /d, upstream: web, upgrade: true, timeouts: { tunnel: 0s } }
      - { path: /e, upstream: web, set_headers: { Upgrade: $http_upgrade } }
`
  t.strictSame(await problemsOf(t, { 'tsha.yaml': text }), [
    'tsha.yaml:5:48: tunnel has no meaning without upgrade; use upgrade: true, or leave it out [TSHA_E_VALUE]',
    'tsha.yaml:6:64: tunnel has no meaning without upgrade; use upgrade: true, or leave it out [TSHA_E_VALUE]',
    'tsha.yaml:7:45: upgrade "websocket" is not a yes or no; use true or false [TSHA_E_VALUE]',
    'tsha.yaml:8:71: tunnel "0s" is out of range; use 1ms to 2147483647ms [TSHA_E_VALUE]',
    'tsha.yaml:9:51: setting the header Upgrade is not supported; use upgrade: true [TSHA_E_NOT_SUPPORTED]'
  ])
})

/** The one problem that a change to `ROUTER` makes. */
async function routerProblem(t: TestDirectory, text: string): Promise<string[]> {
  return problemsOf(t, { 'tsha.yaml': text }, { role: 'master' })
}

t.test('virtual routers need a role', async (t) => {
  t.strictSame(await problemsOf(t, { 'tsha.yaml': ROUTER }), [
    'tsha.yaml:2:1: virtual_routers needs a role; use --role master or --role backup [TSHA_E_ROLE]'
  ])
})

t.test('RFC 3768 5.3.2: one VRID is one election on an interface', async (t) => {
  const text = `${ROUTER}  other: { interface: eth0, vrid: 51, priority: 90, addresses: [192.0.2.2] }\n`
  t.strictSame(await routerProblem(t, text), [
    'tsha.yaml:8:35: VRID 51 on interface eth0 is already used by web (line 5); use another one for other [TSHA_E_VRID_DUPLICATE]'
  ])
  t.strictSame(
    await routerProblem(t, text.replace('interface: eth0, vrid', 'interface: eth1, vrid')),
    []
  )
})

t.test('a weight that can never move the VIP is refused (acassen/keepalived#2599)', async (t) => {
  const withWeight = (weight: number) =>
    `${ROUTER}    track: [{ check: service, weight: ${weight} }]\n${PROXY}`
  t.strictSame(await routerProblem(t, withWeight(-10)), [
    "tsha.yaml:8:39: weight can never move the addresses of web: with every check failed priority 100 becomes 90, which is not below the partner's 90; use weights that lose more than 10 [TSHA_E_VALUE]"
  ])
  t.strictSame(await routerProblem(t, withWeight(-11)), [])
  t.strictSame(await routerProblem(t, withWeight(11)), [], 'a weight that is added while it passes')
})

t.test('priority 255 is the address owner, who is master from the start', async (t) => {
  const text = ROUTER.replace('{ master: 100, backup: 90 }', '255')
  const { config } = await load(t, { 'tsha.yaml': text }, { role: 'backup' })
  t.match(config.virtualRouters, [{ priority: 255, initialState: 'master' }])
})

t.test('preempt: false and preempt_delay begin as backup on both directors', async (t) => {
  for (const line of ['preempt: false', 'preempt_delay: 5s']) {
    const text = `${ROUTER}    ${line}\n`
    const { config } = await load(t, { 'tsha.yaml': text }, { role: 'master' })
    t.equal(config.virtualRouters[0]?.initialState, 'backup', line)
  }
})

t.test('RFC 3768 5.3.7: an advertisement interval of VRRPv2 is whole seconds', async (t) => {
  const text = (interval: string) => `${ROUTER}    advert_interval: ${interval}\n`
  t.strictSame(await routerProblem(t, text('1500ms')), [
    'tsha.yaml:8:22: advert_interval "1500ms" is not whole seconds, which VRRPv2 counts; use 1s to 255s, or version 3 [TSHA_E_VALUE]'
  ])
  t.strictSame(await routerProblem(t, text('256s')), [
    'tsha.yaml:8:22: advert_interval "256s" is out of range; use 1s to 255s [TSHA_E_VALUE]'
  ])
})

t.test('a password is cut to the 8 bytes of the wire, and never told', async (t) => {
  const text = (password: string) =>
    `${ROUTER}    authentication: { type: pass, password: ${password} }\n`
  const { config, notes } = await load(
    t,
    { 'tsha.yaml': text('"secret-secret"') },
    { role: 'master' }
  )
  t.strictSame(config.virtualRouters[0]?.authentication, { type: 'pass', password: 'secret-s' })
  t.strictSame(notes, [
    'virtual router web: the password has 13 characters; VRRP carries 8, so only the first 8 are used, as keepalived does'
  ])
  const problems = await routerProblem(t, text('"gehe\u00efm"'))
  t.equal(problems.length, 1)
  t.notMatch(problems.join(), /gehe/)
})

t.test('service is tracked only where there is a listener to ask', async (t) => {
  t.strictSame(await routerProblem(t, `${ROUTER}    track: [{ check: service, weight: -20 }]\n`), [
    'tsha.yaml:8:22: service is tracked but there is no listener to ask; use listeners, or a script check [TSHA_E_REFERENCE]'
  ])
})

t.test('the service check takes its timing from the track entry', async (t) => {
  const track =
    'track: [{ check: service, interval: 500ms, timeout: 250ms, fall: 2, rise: 3, weight: -20 }]'
  const text = `${ROUTER}    ${track}\n${PROXY}`
  const { config } = await load(t, { 'tsha.yaml': text }, { role: 'master' })
  t.strictSame(config.serviceCheck, { intervalMs: 500, timeoutMs: 250, rise: 3, fall: 2 })
})

t.test('a script check is a program with arguments; its timeout is its interval', async (t) => {
  const text = `${ROUTER}    track: [{ check: shell, weight: -20 }]
checks:
  shell: { command: "/bin/sh -c 'exit 0'", interval: 5s }
  idle: { command: [/bin/true] }
`
  const { config, notes } = await load(t, { 'tsha.yaml': text }, { role: 'master' })
  t.strictSame(config.scripts, [
    {
      name: 'shell',
      command: ['/bin/sh', '-c', 'exit 0'],
      user: null,
      group: null,
      initFail: false,
      intervalMs: 5000,
      timeoutMs: 5000,
      rise: 1,
      fall: 1
    }
  ])
  t.strictSame(notes, ['check idle is tracked by no virtual router and is not run'])
})

t.test('a script that cannot be run is refused, where keepalived goes on without it', async (t) => {
  const text = (command: string) =>
    `${ROUTER}    track: [{ check: a, weight: -20 }]\nchecks:\n  a: { command: ${command} }\n`
  const files = { 'tsha.yaml': text('/no/such/file'), 'plain.txt': 'text' }
  t.match(
    (await problemsOf(t, files, { role: 'master' })).join(),
    /tsha.yaml:10:17: script \/no\/such\/file does not exist; use the path of a program \[TSHA_E_FILE\]/
  )
  t.match(
    (await routerProblem(t, text('/etc/passwd'))).join(),
    /is not executable; use chmod \+x \[TSHA_E_FILE\]/
  )
  t.match((await routerProblem(t, text('/etc'))).join(), /is not a file/)
  t.match(
    (await routerProblem(t, text('"/bin/true && /bin/false"'))).join(),
    /shell syntax in a command is not supported/
  )
})

t.test('syntax errors and repeated keys carry their place', async (t) => {
  t.strictSame(await problemsOf(t, { 'tsha.yaml': 'workers: 2\nworkers: 3\n' }), [
    'tsha.yaml:2:1: map keys must be unique [TSHA_E_DUPLICATE]'
  ])
  t.match(
    (await problemsOf(t, { 'tsha.yaml': 'a: [1, 2\nb: 3\n' })).join(),
    /^tsha.yaml:2:1: .*\[TSHA_E_SYNTAX\]/
  )
  t.strictSame(await problemsOf(t, { 'tsha.yaml': '# nothing\n' }), [
    'tsha.yaml:1:1: the file is empty; use keys such as virtual_routers and listeners [TSHA_E_SYNTAX]'
  ])
  t.strictSame(await problemsOf(t, { 'tsha.yaml': 'workers: 2\n' }), [
    'tsha.yaml:1:1: nothing to do; use virtual_routers, listeners or both [TSHA_E_REQUIRED]'
  ])
})

t.test('columns count characters, also after Chinese text', async (t) => {
  const text = PROXY.replace('path: /,', '"path": "/\u{1F600}\u8D1F", upstrem: a,')
  t.match(
    (await problemsOf(t, { 'tsha.yaml': text })).join(),
    /tsha.yaml:6:31: unknown key "upstrem"/
  )
})

t.test('without root a user is ignored and said so; with root it must exist', async (t) => {
  const text = `${PROXY}user: www\n`
  const loaded = await load(t, { 'tsha.yaml': text }, { machine: USER_MACHINE })
  t.equal(loaded.config.proxy?.user, null)
  t.strictSame(loaded.ignored, ['user'])
  t.match(loaded.notes[0], /^user is ignored: only root can/)
  t.strictSame(await problemsOf(t, { 'tsha.yaml': text }), [
    'tsha.yaml:7:7: user "www" does not exist on this machine; use one from /etc/passwd [TSHA_E_USER]'
  ])
})

t.test('of a file without an end no more is read than a configuration may have', async (t) => {
  await t.rejects(readText('/dev/zero'), {
    message: /file \/dev\/zero is larger than 4194304 bytes/
  })
})

t.test('a missing file is one clear problem', async (t) => {
  t.strictSame(await problemsOf(t, { 'nginx.conf': { a: '' } }), [
    'tsha: file nginx.conf is a directory [TSHA_E_FILE]'
  ])
  t.strictSame(await problemsOf(t, {}), [
    'tsha: no configuration given; use --config, --keepalived-conf or --nginx-conf [TSHA_E_FLAG]'
  ])
  t.strictSame(await problemsOf(t, { 'tsha.yaml': PROXY, 'nginx.conf': '' }), [
    'tsha: --config cannot be used with --keepalived-conf or --nginx-conf; use one kind [TSHA_E_FLAG]'
  ])
})

t.test('one address and name has one server', async (t) => {
  const second = '  - { address: ":80", server_names: [a.example], default: true }\n'
  const clash = PROXY + second.replace(', default: true', '') + second
  t.strictSame(await problemsOf(t, { 'tsha.yaml': clash }), [
    'tsha.yaml:8:37: 0.0.0.0:80 already has the server name "a.example" (line 7); the first one answers [TSHA_E_DUPLICATE]'
  ])
  t.strictSame(await problemsOf(t, { 'tsha.yaml': `${PROXY}  - { address: "192.0.2.1:80" }\n` }), [
    'tsha.yaml:7:16: listening on 192.0.2.1:80 beside 0.0.0.0:80 is not supported; use one of the two [TSHA_E_NOT_SUPPORTED]'
  ])
})

t.test('an alias is read where it points to, and a bomb of them is refused', async (t) => {
  const text =
    PROXY.replace('servers: [', 'servers: &s [') +
    '  - { address: ":81", routes: [{ path: /, upstream: other }] }\n'
  const withAlias = text.replace('listeners:', '  other: { servers: *s }\nlisteners:')
  const { config } = await load(t, { 'tsha.yaml': withAlias })
  t.equal(config.proxy?.upstreams[1]?.servers[0]?.host, '192.0.2.10')
  const bomb = ['a0: &a0 [x]']
  for (let n = 1; n < 9; n++)
    bomb.push(
      `a${n}: &a${n} [${Array(9)
        .fill(`*a${n - 1}`)
        .join(', ')}]`
    )
  t.match((await problemsOf(t, { 'tsha.yaml': bomb.join('\n') })).join(), /excessive alias count/i)
})

t.test('what is wrong with the check of an upstream', async (t) => {
  const text = `
upstreams:
  web:
    servers: [{ address: 192.0.2.10 }]
    recovery: ask
    check: { type: tcp, path: /health, interval: 2, expect_status: [399-200] }
  api: { servers: [{ address: 192.0.2.11 }], check: { type: http, expect_status: [99] } }
listeners: [{ address: ":80", routes: [{ path: /, upstream: web }] }]
`
  t.strictSame(await problemsOf(t, { 'tsha.yaml': text }), [
    'tsha.yaml:5:15: recovery "ask" is not a way to recover; use probe or request [TSHA_E_VALUE]',
    'tsha.yaml:6:25: path has no meaning for a tcp check; use type: http, or leave it out [TSHA_E_VALUE]',
    'tsha.yaml:6:50: interval 2 has no unit; use one such as "250ms", "1s" or "5m" [TSHA_E_VALUE]',
    'tsha.yaml:6:53: expect_status has no meaning for a tcp check; use type: http, or leave it out [TSHA_E_VALUE]',
    'tsha.yaml:6:69: expect_status "399-200" is not a status; use one such as 200, or a range such as 200-399 [TSHA_E_VALUE]',
    'tsha.yaml:7:83: expect_status 99 is not a status; use one such as 200, or a range such as 200-399 [TSHA_E_VALUE]'
  ])
})

t.test(
  'what holds before the host is known is the same for all listeners of an address',
  async (t) => {
    const listeners = (
      first: string,
      second: string
    ): string => `${PROXY.split('listeners:')[0] ?? ''}listeners:
  - { address: ":80", server_names: [a], ${first} routes: [{ path: /, upstream: web }] }
  - { address: ":80", server_names: [b], ${second} routes: [{ path: /, upstream: web }] }
`
    const same = 'accept_bare_lf: true, max_connections_per_client: 20,'
    const { config } = await load(t, { 'tsha.yaml': listeners(same, same) })
    t.match(config.proxy?.servers[1], { acceptBareLf: true, maxConnectionsPerClient: 20 })
    const problems = await problemsOf(t, { 'tsha.yaml': listeners(same, 'accept_bare_lf: false,') })
    t.strictSame(
      problems.map((problem) => problem.replace(/^tsha.yaml:\d+:/, '')),
      [
        '5: max_connections_per_client differs from the listener for 0.0.0.0:80 on line 5; use the same for both [TSHA_E_VALUE]',
        '42: accept_bare_lf differs from the listener for 0.0.0.0:80 on line 5; use the same for both [TSHA_E_VALUE]'
      ]
    )
  }
)
