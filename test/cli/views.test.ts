import t from 'tap'
import type { AdminEvent, VirtualRouterStatus } from '../../src/admin/model.js'
import { formatEvent, isAtLeast } from '../../src/cli/events-view.js'
import { formatStatus } from '../../src/cli/status-view.js'
import { COLOURED, PLAIN } from '../../src/cli/style.js'
import { formatTop } from '../../src/cli/top-view.js'
import { ratesBetween } from '../../src/cli/traffic-rates.js'
import { formatWhy } from '../../src/cli/why-view.js'
import { fitHeight } from '../../src/cli/screen.js'
import {
  BACKUP,
  LISTENER,
  MASTER,
  PEER,
  PROXY,
  PROXY_WITH_OUT,
  SERVICE_CHECK,
  statusOf
} from './statuses.js'

process.env['TZ'] = 'UTC'

const NARROW = { style: PLAIN, width: 80 }
const WIDE = { style: PLAIN, width: 160 }

const TROUBLED = statusOf({
  role: 'backup',
  router_id: 'director2',
  problems: [
    'upstream web: 192.168.64.138:80 is out since 12:05:00: 2 failures: connection refused',
    'the service check fails: connection refused'
  ],
  configuration: {
    files: ['/etc/keepalived/keepalived.conf', '/etc/nginx/nginx.conf'],
    hash: '3f2a91bc0d1e',
    loaded_at: '2026-11-22T10:03:05.000Z',
    last_reload: {
      at: '2026-11-22T12:01:00.000Z',
      ok: false,
      lines: ['/etc/nginx/nginx.conf:7:3: unknown directive servr [TSHA_E_NOT_SUPPORTED]']
    }
  },
  virtual_routers: [BACKUP],
  sync_groups: [{ name: 'VG1', state: 'backup', members: ['nginx', 'mail'] }],
  checks: [
    { ...SERVICE_CHECK, passes: false, detail: 'connection refused by 127.0.0.1:80' },
    { kind: 'script', name: 'uplink', passes: null, since: null, detail: null }
  ],
  proxy: PROXY_WITH_OUT
})

t.test('a director that is well, in 80 columns', (t) => {
  t.strictSame(formatStatus(statusOf(), NARROW), [
    'director1 (master)  all is well  tsha 0.1.0, up 2 h 5 min',
    '',
    'nginx: MASTER since 10:03:11 (2 h 5 min)',
    '  this director holds 192.168.64.200',
    '  because 192.168.64.134 advertised priority 0',
    '  because its service check failed: connection refused',
    '',
    'Virtual routers',
    '  NAME   STATE   SINCE     PRIORITY  MASTER    INTERFACE  VRID',
    '  nginx  MASTER  10:03:11  100       this one  ens160       51',
    '',
    'Checks',
    '  KIND     NAME     RESULT  SINCE',
    '  service  service  passes  10:03:05',
    '',
    'Upstream web (round-robin, 2 of 2 peers up)',
    '  PEER               STATE  IN FLIGHT  FAILS  REQ/S     P50    P99  SINCE',
    '  192.168.64.143:80  up             3    0/2    120  1.2 ms  19 ms  10:03:05',
    '  192.168.64.138:80  up             3    0/2    120  1.2 ms  19 ms  10:03:05',
    '',
    'Listeners',
    '  LISTEN      CLIENTS  REQ/S     P50    P99  REQUESTS  SERVERS',
    '  0.0.0.0:80       17    241  1.3 ms  20 ms      1912  example.org www.example.…',
    '',
    'Workers',
    '  PID  STATE      CLIENTS         UP',
    '  812  listening        9  2 h 5 min',
    '  813  listening        8  2 h 5 min',
    '',
    'configuration 3f2a91bc0d1e, loaded 10:03:05 from /etc/tsha/tsha.yaml'
  ])
  t.end()
})

t.test('a director in trouble, in 160 columns: problems first, and why', (t) => {
  t.strictSame(formatStatus(TROUBLED, WIDE), [
    'director2 (backup)   2 problems   tsha 0.1.0, up 2 h 5 min',
    '',
    '  ! upstream web: 192.168.64.138:80 is out since 12:05:00: 2 failures: connection refused',
    '  ! the service check fails: connection refused',
    '',
    'nginx: BACKUP since Nov 21 22:10 (13 h 58 min)',
    '  192.168.64.130 holds 192.168.64.200 (priority 100, last heard 0.4 s ago)',
    '  because 192.168.64.130 has the higher priority, 100 against 80',
    '',
    'Virtual routers',
    '  NAME   STATE   SINCE         PRIORITY     MASTER          INTERFACE  VRID  WAITS FOR                   ADDRESSES',
    '  nginx  BACKUP  Nov 21 22:10  80 (of 100)  192.168.64.130  ens160       51  Master_Down_Timer in 3.1 s  192.168.64.200/32',
    '',
    'Sync groups',
    '  NAME  STATE   MEMBERS',
    '  VG1   BACKUP  nginx mail',
    '',
    'Checks',
    '  KIND     NAME     RESULT   SINCE     DETAIL',
    '  service  service  FAILS    10:03:05  connection refused by 127.0.0.1:80',
    '  script   uplink   waiting  -',
    '',
    'Upstream web (round-robin, 1 of 2 peers up)',
    '  PEER               STATE  IN FLIGHT  FAILS  REQ/S     P50    P99  WEIGHT  SINCE     DETAIL',
    '  192.168.64.143:80  up             3    0/2    120  1.2 ms  19 ms       1  10:03:05',
    '  192.168.64.138:80  OUT            0    2/2      0       -      -       1  12:05:00  2 failures: connection refused',
    '',
    'Listeners',
    '  LISTEN      CLIENTS  REQ/S     P50    P99  REQUESTS  SERVERS',
    '  0.0.0.0:80       17    241  1.3 ms  20 ms      1912  example.org www.example.org',
    '',
    'Workers',
    '  PID  STATE      CLIENTS         UP',
    '  812  listening        9  2 h 5 min',
    '  813  listening        8  2 h 5 min',
    '',
    'configuration 3f2a91bc0d1e, loaded 10:03:05 from /etc/keepalived/keepalived.conf, /etc/nginx/nginx.conf',
    'the reload at 12:01:00 was refused, the old configuration stays:',
    '  /etc/nginx/nginx.conf:7:3: unknown directive servr [TSHA_E_NOT_SUPPORTED]'
  ])
  t.end()
})

t.test('nothing is wider than 80 columns, whatever happens', (t) => {
  const long = 'x'.repeat(30)
  const router = {
    ...BACKUP,
    name: long.slice(0, 20),
    addresses: Array<string>(9).fill('2001:db8::1234:5678/128')
  }
  const status = {
    ...TROUBLED,
    virtual_routers: [{ ...router, priority_override: 120, stepped_down: true }],
    checks: [{ ...SERVICE_CHECK, passes: false, name: long, detail: `${long} ${long} ${long}` }]
  }
  for (const line of formatStatus(status, NARROW)) t.ok(line.length <= 80, line)
  for (const line of formatWhy(router, status, NARROW)) t.ok(line.length <= 80, line)
  t.end()
})

t.test('each state of a virtual router has its words and its colour', (t) => {
  const second = (changes: Partial<VirtualRouterStatus>): string =>
    formatStatus(statusOf({ virtual_routers: [{ ...MASTER, ...changes }] }), {
      style: COLOURED,
      width: 80
    })[2] ?? ''
  const bold = (text: string): string => `\u001B[1m${text}\u001B[22m`
  const since = ' since 10:03:11 (2 h 5 min)'
  const of = (state: string, colour: number): string =>
    `${bold('nginx')}: \u001B[${colour}m${bold(state)}\u001B[39m${since}`
  t.equal(second({}), of('MASTER', 32))
  t.equal(second({ is_handing_over: true }), of('MASTER, handing over', 33))
  t.equal(second({ state: 'backup', stepped_down: true }), of('BACKUP', 33))
  t.equal(second({ state: 'fault' }), of('FAULT', 31))
  t.equal(second({ state: 'initialize' }), of('INITIALIZE', 31))
  t.equal(second({ state: 'backup' }), `${bold('nginx')}: ${bold('BACKUP')}${since}`)
  t.end()
})

t.test('a director without a proxy, and one without virtual routers, have no empty tables', (t) => {
  const speaker = formatStatus(statusOf({ proxy: null }), NARROW).join('\n')
  t.notMatch(speaker, /Upstream|Listeners|Workers/)
  const proxy = formatStatus(statusOf({ virtual_routers: [], checks: [] }), NARROW).join('\n')
  t.notMatch(proxy, /Virtual routers|Checks|nginx/)
  t.match(
    formatStatus(statusOf({ proxy: { ...PROXY, state: 'stopped' } }), NARROW).join('\n'),
    /The proxy is stopped\./
  )
  t.end()
})

t.test('why: the chain of causes, the priority and who else is there', (t) => {
  t.strictSame(formatWhy(MASTER, statusOf(), NARROW), [
    'nginx: MASTER since 10:03:11 (2 h 5 min) [priority-zero]',
    '  because 192.168.64.134 advertised priority 0',
    '    because its service check failed: connection refused',
    '  this director holds 192.168.64.200.',
    '  Priority',
    '    100  configured',
    '    100  effective'
  ])
  const router = { ...BACKUP, priority_override: 90, effective_priority: 70, stepped_down: true }
  t.strictSame(formatWhy(router, TROUBLED, NARROW), [
    'nginx: BACKUP since Nov 21 22:10 (13 h 58 min) [higher-priority]',
    '  because 192.168.64.130 has the higher priority, 100 against 80',
    '  192.168.64.130 holds 192.168.64.200 (priority 100, last heard 0.4 s ago).',
    '  It stands back because an administrator said so: tsha resume nginx',
    '  Priority',
    '     90  set by an administrator, instead of 100: tsha priority nginx default',
    '    -20  the service check fails: connection refused',
    '     70  effective',
    '  Heard as master',
    '  192.168.64.130, priority 100, last heard 0.4 s ago',
    '  silent for 3.609 s, it is taken for dead (Master_Down_Interval)'
  ])
  const fault: VirtualRouterStatus = {
    ...MASTER,
    state: 'fault',
    reason: null,
    because: [],
    effects: [{ what: 'interface ens160', detail: 'is down', added: 0, is_fault: true }]
  }
  t.strictSame(formatWhy(fault, statusOf(), NARROW), [
    'nginx: FAULT since 10:03:11 (2 h 5 min)',
    '  nothing more is known of the cause',
    '  this director does not hold 192.168.64.200, and has heard nobody who does.',
    '  Priority',
    '    100  configured',
    '  fault  interface ens160 is down',
    '      -  out of the election',
    '  Heard as master',
    '  nobody'
  ])
  t.end()
})

t.test('an event is one line, with its fields behind it', (t) => {
  const event: AdminEvent = {
    id: 7,
    at: '2026-11-22T12:05:00.042Z',
    level: 'warn',
    kind: 'peer',
    subject: '192.168.64.138:80',
    text: 'peer is out',
    details: { peer: '192.168.64.138:80', upstream: 'web', fails: 2, error: 'connection refused' }
  }
  t.equal(
    formatEvent(event, NARROW),
    '2026-11-22 12:05:00.042 WARN  peer 192.168.64.138:80: peer is out upstream=web fails=2 error="connection refused"'
  )
  t.match(
    formatEvent({ ...event, level: 'error' }, { style: COLOURED, width: 80 }),
    '\u001B[31mERROR\u001B[39m'
  )
  t.ok(isAtLeast('warn', 'warn'))
  t.notOk(isAtLeast('info', 'warn'))
  t.end()
})

t.test('top: what went on between two statuses, each second', (t) => {
  const before = statusOf()
  const after = statusOf({
    now: '2026-11-22T12:08:16.000Z',
    proxy: {
      ...PROXY,
      listeners: [
        {
          ...LISTENER,
          traffic: {
            ...LISTENER.traffic,
            requests: { '200': 2900, '404': 15, '502': 2, '000': 1 },
            bytes_sent: 14_000_000
          }
        }
      ],
      upstreams: [
        {
          name: 'web',
          balance: 'round-robin',
          peers: [
            {
              ...PEER,
              traffic: { ...PEER.traffic, attempts: { '200': 1500, '404': 15, connect: 5 } }
            },
            { ...PEER, name: '192.168.64.138:80', state: 'drain' }
          ]
        }
      ]
    }
  })
  t.strictSame(formatTop(after, ratesBetween(before, after), NARROW).slice(1), [
    '12:08:16  requests of the last 5 s, latencies of the last minute',
    '',
    '  LISTEN      CLIENTS  REQ/S  2XX  3XX  4XX  5XX  NONE     P50    P99   OUT/S',
    '  0.0.0.0:80       17    201  200    0  1.0    0   0.2  1.3 ms  20 ms  1.0 MB',
    '',
    '  PEER               STATE  FLIGHT  REQ/S  2XX  4XX  5XX  NONE     P50    P99',
    '  192.168.64.143:80  up          3    102  100  1.0    0   1.0  1.2 ms  19 ms',
    '  192.168.64.138:80  drain       3      0    0    0    0     0  1.2 ms  19 ms'
  ])
  const restarted = { ...after, started_at: '2026-11-22T12:08:12.000Z' }
  t.equal(ratesBetween(before, restarted).seconds, 0, 'counters of another life are not compared')
  t.end()
})

t.test('what does not fit the window is counted', (t) => {
  t.strictSame(fitHeight(['a', 'b', 'c'], 3), ['a', 'b', 'c'])
  t.strictSame(fitHeight(['a', 'b', 'c', 'd'], 3), [
    'a',
    'b',
    '… 2 more lines: make the window higher'
  ])
  t.end()
})
