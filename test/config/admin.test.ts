import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import type { AdminConfig } from '../../src/admin/messages.js'
import type { AdminFlags } from '../../src/config/admin-flags.js'
import { loadConfig } from '../../src/config/load.js'
import { ConfigError, formatProblem } from '../../src/errors.js'
import { load, problemsOf, ROOT_MACHINE } from './support.js'

const PROXY = `
upstreams: { web: { servers: [{ address: 192.0.2.1 }] } }
listeners: [{ address: ":80", routes: [{ path: /, upstream: web }] }]
`
const DEFAULTS: AdminConfig = {
  socket: '/run/tsha/admin.sock',
  socketGroup: null,
  listen: null,
  recordings: '/var/lib/tsha'
}

t.test('by default the socket alone is opened; off opens nothing', async (t) => {
  const adminOf = async (text: string): Promise<AdminConfig | null> =>
    (await load(t, { 'tsha.yaml': `${PROXY}${text}` })).config.admin
  t.strictSame(await adminOf(''), DEFAULTS)
  t.strictSame(await adminOf('admin: {}'), DEFAULTS)
  t.equal(await adminOf('admin: off'), null)
  t.equal(await adminOf('admin: { socket: off }'), null)
  t.strictSame(
    await adminOf(`admin:
  socket: off
  listen: "[::]:9112"
  token_file: /etc/tsha/token
  tls: { certificate: /etc/tsha/c.pem, key: /etc/tsha/k.pem }
  allow_remote: true
  host_names: [director1.example.org]
  recordings: off`),
    {
      socket: null,
      socketGroup: null,
      listen: {
        host: '::',
        port: 9112,
        tokenFile: '/etc/tsha/token',
        tls: { certificate: '/etc/tsha/c.pem', key: '/etc/tsha/k.pem' },
        hostNames: ['director1.example.org']
      },
      recordings: null
    }
  )
})

t.test('what cannot be served safely is refused, all at once', async (t) => {
  const problems = (admin: string): Promise<string[]> =>
    problemsOf(t, { 'tsha.yaml': `${PROXY}admin:\n${admin}\n` })
  t.strictSame(await problems('  listen: 0.0.0.0:9112\n  socket_group: nobody-has-it'), [
    'tsha.yaml:5:3: listen needs a token file; use one such as /etc/tsha/admin.token [TSHA_E_REQUIRED]',
    'tsha.yaml:5:11: listen "0.0.0.0:9112" is reached from other machines; use 127.0.0.1, or allow it with allow_remote: true in tsha.yaml [TSHA_E_VALUE]',
    'tsha.yaml:6:17: group "nobody-has-it" does not exist on this machine; use one from /etc/group [TSHA_E_USER]'
  ])
  t.strictSame(await problems('  token_file: /a\n  tls: { certificate: /a, key: /b }'), [
    'tsha.yaml:5:3: token_file needs a listen address [TSHA_E_REQUIRED]',
    'tsha.yaml:6:3: tls needs a listen address [TSHA_E_REQUIRED]'
  ])
  t.strictSame(await problems(`  socket: /${'x'.repeat(107)}`), [
    `tsha.yaml:5:11: socket "/${'x'.repeat(58)}… is too long for a socket; use at most 107 bytes [TSHA_E_VALUE]`
  ])
  t.match(await problems('  listen: 9112\n  scoket: /a'), [
    /listen needs a token file/,
    /listen 9112 is not text; use an address with a port/,
    /unknown key "scoket"/
  ])
})

t.test('a token that crosses the network readable is noted', async (t) => {
  const listen = 'listen: 0.0.0.0:9112, token_file: /a, allow_remote: true'
  const { notes } = await load(t, { 'tsha.yaml': `${PROXY}admin: { ${listen} }` })
  t.strictSame(notes, ['admin: the token crosses the network readable at 0.0.0.0:9112; use tls'])
})

t.test('flags say it in the place of a file, also for the old files', async (t) => {
  const nginxConf = join(t.testdir(), 'nginx.conf')
  writeFileSync(
    nginxConf,
    'events {} http { server { listen 80; location / { proxy_pass http://192.0.2.1; } } }'
  )
  const given = async (admin: AdminFlags): Promise<AdminConfig | null | string[]> => {
    try {
      return (await loadConfig({ role: null, nginxConf, admin }, ROOT_MACHINE)).config.admin
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return error.problems.map(formatProblem)
    }
  }
  t.strictSame(await given({}), DEFAULTS)
  t.equal(await given({ socket: 'off' }), null)
  t.strictSame(await given({ socket: '/a', listen: '127.0.0.1:9112', tokenFile: '/t' }), {
    ...DEFAULTS,
    socket: '/a',
    listen: { host: '127.0.0.1', port: 9112, tokenFile: '/t', tls: null, hostNames: [] }
  })
  t.strictSame(await given({ socket: 'a', listen: ':9112' }), [
    'tsha: --admin-socket "a" is not valid; use an absolute path [TSHA_E_FLAG]',
    'tsha: --admin-listen needs a token file; use one such as /etc/tsha/admin.token [TSHA_E_FLAG]',
    'tsha: --admin-listen ":9112" is reached from other machines; use 127.0.0.1, or allow it with allow_remote: true in tsha.yaml [TSHA_E_FLAG]'
  ])
})
