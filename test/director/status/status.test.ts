import t from 'tap'
import type { Status } from '../../../src/admin/model.js'
import { statusOf, type StatusFacts } from '../../../src/director/status/status.js'
import { RouterWishes } from '../../../src/director/orders/router-wishes.js'
import { HEALTHY } from '../../../src/proxy/upstream/peer-status.js'
import { proxyFacts, routerFacts, server, statusFacts } from './status-support.js'
import { clock, effect, StoryPlay } from './story-play.js'

const PARTNER = '192.168.64.131'
const REFUSED = effect({
  detail: 'connect ECONNREFUSED 127.0.0.1:80',
  since: clock('12:00:10'),
  added: -20
})

/** The status 20 s after the start. */
function statusWith(facts: Partial<StatusFacts>): Status {
  return statusOf(statusFacts(facts), { wall: clock('12:00:20'), monotonic: 20_000 })
}

/** It gave the addresses to a partner of priority 90, 19.5 s after the start. */
function handedOver(): StoryPlay {
  const play = new StoryPlay(100).start().wait(19_000)
  return play.follow([REFUSED]).wait(500).hear(PARTNER, 90)
}

t.test('a director without anything says who it is, and that nothing is wrong', (t) => {
  t.strictSame(statusWith({}), {
    version: '1.2.3',
    role: 'master',
    router_id: 'director1',
    pid: 4711,
    now: '2026-03-01T12:00:20.000Z',
    started_at: '2026-03-01T12:00:00.000Z',
    uptime_s: 20,
    configuration: {
      files: ['/etc/tsha/tsha.yaml'],
      hash: '0123456789ab',
      loaded_at: '2026-03-01T12:00:00.000Z',
      last_reload: null
    },
    virtual_routers: [],
    sync_groups: [],
    checks: [],
    proxy: null,
    problems: []
  })
  t.end()
})

t.test('a virtual router that handed over tells all of it', (t) => {
  const { virtual_routers: routers } = statusWith({
    elections: { routers: [routerFacts(handedOver())], groups: [] }
  })
  const [router] = routers
  t.strictSame(
    { ...router, because: [], counters: {}, lateness: {} },
    {
      name: 'VI_1',
      interface: 'ens160',
      vrid: 51,
      vrrp_version: 2,
      family: 'ipv4',
      state: 'backup',
      since: '2026-03-01T12:00:19.500Z',
      reason: 'hand-over-answered',
      because: [],
      is_handing_over: false,
      stepped_down: false,
      addresses: [],
      configured_priority: 100,
      priority_override: null,
      effective_priority: 80,
      effects: [
        {
          what: 'the service check',
          detail: 'fails: connect ECONNREFUSED 127.0.0.1:80',
          added: -20,
          is_fault: false
        }
      ],
      master: { address: PARTNER, priority: 90, last_heard_s: 0.5 },
      timers: {
        advert_interval_ms: 1000,
        skew_time_ms: 687.5,
        master_down_interval_ms: 3687.5,
        next: { what: 'master-down', in_ms: 3187.5 }
      },
      counters: {},
      lateness: {}
    }
  )
  t.equal(
    router?.because[0],
    'we handed the addresses over at 12:00:19Z: 192.168.64.131 advertised priority 90'
  )
  t.equal(router?.counters['advert_rcvd'], 0)
  t.same(router?.lateness.bounds_s, [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
  t.end()
})

t.test('a master waits for its next advertisement, and hears of no other master', (t) => {
  const play = new StoryPlay(100).start().wait(20_000)
  const { virtual_routers: routers } = statusWith({
    elections: { routers: [routerFacts(play)], groups: [] }
  })
  t.match(routers[0], {
    state: 'master',
    master: null,
    reason: 'master-down-expired',
    timers: { next: { what: 'advertisement', in_ms: 609.375 } }
  })
  t.end()
})

t.test('a virtual router without its interface has a fault, though it was stopped', (t) => {
  const play = new StoryPlay(100).start().wait(10_000)
  play.effects = [effect({ what: 'interface ens160', verb: 'is gone', isFault: true })]
  play.feed({ kind: 'fault', cause: 'link' }).feed({ kind: 'shutdown' })
  const status = statusWith({
    elections: { routers: [routerFacts(play, {}, { isGone: true })], groups: [] }
  })
  t.match(status.virtual_routers[0], {
    state: 'fault',
    reason: 'fault',
    because: [
      'we left the election at 12:00:10Z and gave the addresses up with priority 0: its interface is down or gone',
      'interface ens160 is gone'
    ]
  })
  t.same(status.problems, [
    'nobody is known to hold the addresses of virtual router VI_1',
    'virtual router VI_1 is out of the election: interface ens160 is gone'
  ])
  t.end()
})

t.test('the proxy: its workers, its listeners, and the servers with why they are out', (t) => {
  const out = { ...HEALTHY, fails: 2, checkedAt: 19_000, accessedAt: 19_000 }
  const servers = ['192.0.2.1', '192.0.2.2', '192.0.2.3', 'web4.example.org', '2001:db8::5']
  const { proxy, problems } = statusWith({
    proxy: proxyFacts(
      servers.map((host, i) => server(host, i === 4 ? { down: true, backup: true } : {})),
      [
        {},
        { failures: { ...out, cause: 'connect' }, since: 19_000 },
        {
          failures: { ...HEALTHY, isDown: true },
          since: 18_000,
          detail: 'answered 503'
        },
        { unresolved: 'getaddrinfo ENOTFOUND web4.example.org' }
      ]
    )
  })
  t.same(proxy?.state, 'running')
  t.same(proxy?.workers, [
    { pid: 11, state: 'listening', started_at: '2026-03-01T12:00:01.000Z', connections: 0 },
    { pid: 12, state: 'listening', started_at: '2026-03-01T12:00:02.000Z', connections: 0 }
  ])
  t.same(
    proxy?.listeners.map(({ listen, servers }) => [listen, servers]),
    [
      ['0.0.0.0:80', ['example.org', '_']],
      ['[::]:8080', []]
    ]
  )
  const [upstream] = proxy?.upstreams ?? []
  t.same(
    upstream?.peers.map(({ name, state, since, detail, fails }) => [
      name,
      state,
      since,
      detail,
      fails
    ]),
    [
      ['192.0.2.1:80', 'up', null, null, 0],
      ['192.0.2.2:80', 'out', '2026-03-01T12:00:19.000Z', '2 failures: it took no connection', 2],
      ['192.0.2.3:80', 'out', '2026-03-01T12:00:18.000Z', 'its check fails: answered 503', 0],
      [
        'web4.example.org:80',
        'out',
        null,
        'its name cannot be resolved: getaddrinfo ENOTFOUND web4.example.org',
        0
      ],
      ['[2001:db8::5]:80', 'down', null, 'down in the configuration', 0]
    ]
  )
  t.same(problems, [
    'server 192.0.2.2:80 of upstream web is out: 2 failures: it took no connection',
    'server 192.0.2.3:80 of upstream web is out: its check fails: answered 503',
    'server web4.example.org:80 of upstream web is out: its name cannot be resolved: getaddrinfo ENOTFOUND web4.example.org'
  ])
  t.end()
})

t.test('with recovery by a request a server is out for its fail_timeout', (t) => {
  const failures = { ...HEALTHY, fails: 2, checkedAt: 19_000, accessedAt: 19_000 }
  const stateAfter = (failTimeoutMs: number): string | undefined => {
    const asked = server('192.0.2.1', { recovery: 'request', failTimeoutMs })
    return statusWith({ proxy: proxyFacts([asked], [{ failures }]) }).proxy?.upstreams[0]?.peers[0]
      ?.state
  }
  t.same([stateAfter(10_000), stateAfter(500)], ['out', 'up'])
  t.end()
})

t.test('what administrators wished comes before what the director found', (t) => {
  const wishes = new RouterWishes()
  wishes.set('VI_1', { priority: 150, isSteppedDown: true })
  const play = new StoryPlay(100).start().wait(10_000)
  const {
    proxy,
    virtual_routers: routers,
    problems
  } = statusWith({
    wishes,
    elections: { routers: [routerFacts(play)], groups: [] },
    proxy: proxyFacts(
      [server('192.0.2.1'), server('192.0.2.2')],
      [
        { wish: 'drain', weight: 7 },
        { wish: 'up', weight: 7 }
      ]
    )
  })
  t.match(proxy?.upstreams[0]?.peers, [
    { state: 'drain', detail: 'by an administrator', configured_weight: 1, weight: 7 },
    { state: 'up', detail: null, weight: 7 }
  ])
  t.match(routers[0], { configured_priority: 100, priority_override: 150, stepped_down: true })
  t.same(problems, [
    'virtual router VI_1 stands back until it is resumed, as an administrator wished',
    'server 192.0.2.1:80 of upstream web gets no new clients (drain)'
  ])
  t.end()
})

t.test('problems: the worst comes first', (t) => {
  const play = handedOver()
  const status = statusWith({
    configuration: {
      ...statusFacts().configuration,
      last_reload: {
        at: '2026-03-01T12:00:15.000Z',
        ok: false,
        lines: ['tsha.yaml:3:1: unknown key']
      }
    },
    elections: {
      routers: [
        routerFacts(play, {}, { lastLate: { late: 230.4, at: 8000 } }),
        routerFacts(new StoryPlay(90).start().wait(1000), { name: 'VI_2' })
      ],
      groups: []
    },
    checks: [
      {
        kind: 'service',
        name: 'service',
        passes: false,
        since: null,
        detail: 'connect ECONNREFUSED'
      }
    ],
    proxy: proxyFacts([server('192.0.2.1')], [{ failures: { ...HEALTHY, isDown: true } }], {
      workers: [{ pid: 11, state: 'starting', startedAt: 1000 }]
    })
  })
  t.same(status.problems, [
    'nobody is known to hold the addresses of virtual router VI_2',
    'the proxy serves nobody: no worker listens',
    'no server of upstream web is up',
    'the service check fails: connect ECONNREFUSED',
    'virtual router VI_1 is backup only because the service check fails: connect ECONNREFUSED 127.0.0.1:80 (priority 80 instead of 100)',
    'server 192.0.2.1:80 of upstream web is out: its check fails',
    'the last reload, at 2026-03-01T12:00:15.000Z, was refused: tsha.yaml:3:1: unknown key',
    'an advertisement of virtual router VI_1 left 230 ms late, 12 s ago'
  ])
  t.end()
})

t.test('problems: a master that nobody relieves, a missing worker, a script', (t) => {
  const script = effect({ what: 'script A', detail: 'exited with status 1', added: -5 })
  const play = new StoryPlay(100).start().wait(10_000).follow([script]).wait(5000)
  const status = statusWith({
    elections: { routers: [routerFacts(play)], groups: [] },
    proxy: proxyFacts([server('192.0.2.1')], [], {
      workers: [{ pid: 11, state: 'listening', startedAt: 1000 }]
    })
  })
  t.same(status.problems, [
    'virtual router VI_1 is master although script A fails: exited with status 1',
    'script A fails: exited with status 1',
    'only 1 of 2 workers serve'
  ])
  t.end()
})

t.test('a status is the same after a way through JSON', (t) => {
  const status = statusWith({
    elections: { routers: [routerFacts(handedOver())], groups: [] },
    proxy: proxyFacts([server('192.0.2.1')])
  })
  t.strictSame(JSON.parse(JSON.stringify(status)), status)
  t.end()
})

t.test('ten virtual routers and a hundred servers cost the loop less than a millisecond', (t) => {
  const routers = Array.from({ length: 10 }, (_, i) =>
    routerFacts(handedOver(), { name: `VI_${i}` })
  )
  const servers = Array.from({ length: 100 }, (_, i) => server(`192.0.2.${i}`))
  const facts = { elections: { routers, groups: [] }, proxy: proxyFacts(servers) }
  const times = Array.from({ length: 201 }, () => {
    const begun = process.hrtime.bigint()
    statusWith(facts)
    return Number(process.hrtime.bigint() - begun) / 1e6
  }).sort((a, b) => a - b)
  const median = times[100] ?? Infinity
  t.comment(`median ${median} ms`)
  t.ok(median < 1)
  t.end()
})

t.test('who would be backup anyway is not told to be so only because of a check', (t) => {
  const play = new StoryPlay(100).start().follow([REFUSED]).wait(500).hear(PARTNER, 100)
  const status = statusOf(
    statusFacts({ elections: { routers: [routerFacts(play)], groups: [] } }),
    { wall: clock('12:00:01'), monotonic: 1000 }
  )
  t.same(status.problems, [])
  t.end()
})
