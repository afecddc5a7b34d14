import t from 'tap'
import { looksForNginx } from '../../src/config/join.js'
import { load } from './support.js'

const NGINX = `events { }
http { upstream web { server 192.0.2.10; }
server { location / { proxy_pass http://web; } } }
`

function keepalived(script: string, track = 'chk'): string {
  return `vrrp_script chk {
 script "${script}"
 interval 3
 timeout 2
 fall 2
 rise 4
 weight -30
}
vrrp_instance a {
 interface eth0
 virtual_router_id 7
 virtual_ipaddress { 192.0.2.1/24 }
 track_script { ${track} }
}
`
}

t.test('scripts that look for nginx by name are recognised, others are not', (t) => {
  const rows: [text: string, expected: boolean][] = [
    ['pgrep -x nginx', true],
    ['if [ -z "$(pidof nginx)" ]; then exit 1; fi', true],
    ['killall -0 nginx', true],
    ['A=`ps -C nginx --no-header | wc -l`', true],
    ['ps aux | grep -v grep | grep nginx', true],
    ['systemctl is-active --quiet nginx', true],
    ['systemctl status nginx.service', true],
    ['service nginx status', true],
    ['kill -0 $(cat /run/nginx.pid)', true],
    ['pgrep \\\n  nginx', true],
    ['curl -fs http://127.0.0.1/', false],
    ['curl -fs http://127.0.0.1/nginx', false],
    ['# pgrep nginx\npgrep haproxy', false],
    ['pgrep mysqld', false],
    ['exit 0 # nginx', false]
  ]
  for (const [text, expected] of rows) t.equal(looksForNginx(text), expected, text)
  t.end()
})

t.test(
  'a script that looks for nginx gives its timing and weight to the service check',
  async (t) => {
    const { config, notes } = await load(t, {
      'keepalived.conf': keepalived("/bin/sh -c 'pgrep nginx'"),
      'nginx.conf': NGINX
    })
    t.strictSame(config.serviceCheck, { intervalMs: 3000, timeoutMs: 2000, rise: 4, fall: 2 })
    t.strictSame(config.scripts, [])
    t.strictSame(config.virtualRouters[0]?.track, [
      { kind: 'service', check: 'service', weight: -30, reverse: false }
    ])
    t.match(notes.join('\n'), 'every 3s, fall 2, rise 4, weight -30')
  }
)

t.test('another script runs as it is, and the service check is tracked beside it', async (t) => {
  const { config, notes } = await load(t, {
    'keepalived.conf': keepalived('/bin/true', 'chk weight 5'),
    'nginx.conf': NGINX
  })
  t.equal(config.scripts[0]?.command[0], '/bin/true')
  t.strictSame(config.virtualRouters[0]?.track, [
    { kind: 'script', check: 'chk', weight: 5, reverse: false },
    { kind: 'service', check: 'service', weight: -20, reverse: false }
  ])
  t.strictSame(config.serviceCheck, { intervalMs: 2000, timeoutMs: 2000, rise: 1, fall: 1 })
  t.strictSame(notes, [
    'vrrp_instance a: tsha is the proxy here and asks its own data path too, every 2s, fall 1, rise 1, weight -20'
  ])
})

t.test(
  'with keepalived.conf alone a script that looks for nginx runs exactly as written',
  async (t) => {
    const { config, notes } = await load(t, {
      'keepalived.conf': keepalived("/bin/sh -c 'pgrep nginx'")
    })
    t.strictSame(config.scripts[0]?.command, ['/bin/sh', '-c', 'pgrep nginx'])
    t.strictSame(config.virtualRouters[0]?.track, [
      { kind: 'script', check: 'chk', weight: -30, reverse: false }
    ])
    t.equal(config.serviceCheck, null)
    t.strictSame(notes, [])
  }
)
