import t from 'tap'
import type { ProxyConfig, UpstreamServer } from '../../src/proxy/model.js'
import {
  HEALTHY,
  applyPeerEvent,
  isDisabled,
  isProbeDue,
  type PeerEvent,
  type PeerStatus
} from '../../src/proxy/upstream/peer-status.js'
import { recoveryProbe } from '../../src/proxy/upstream/recovery.js'
import { PeerTable } from '../../src/proxy/upstream/peer-table.js'

/** The example pair's `max_fails=2 fail_timeout=3`. */
const SERVER: UpstreamServer = {
  host: '192.168.64.143',
  port: 80,
  writtenAs: '192.168.64.143',
  weight: 1,
  maxConns: 0,
  maxFails: 2,
  failTimeoutMs: 3000,
  down: false,
  backup: false,
  slowStartMs: 0,
  recovery: 'request'
}

const failed = (at: number): PeerEvent => ({ kind: 'failed', at, cause: 'answer' })
const probed = (at: number): PeerEvent => ({ kind: 'probed', at })
const succeeded = (startedAt: number, at: number): PeerEvent => ({
  kind: 'succeeded',
  at,
  startedAt
})

t.test('nginx max_fails, fail_timeout: sequences of events', (t) => {
  const table: [
    claim: string,
    events: PeerEvent[],
    fails: number,
    disabledAt: number,
    is: boolean
  ][] = [
    ['one failure of two', [failed(0)], 1, 1, false],
    ['two failures disable', [failed(0), failed(2000)], 2, 2001, true],
    ['up to and with fail_timeout', [failed(0), failed(2000)], 2, 5000, true],
    ['no longer (nginx: up to 1 s more)', [failed(0), failed(2000)], 2, 5001, false],
    ['no sliding window: each within 3 s', [failed(0), failed(2900), failed(5800)], 3, 6000, true],
    ['a success right after a failure forgets nothing', [failed(0), succeeded(5, 9)], 1, 10, false],
    ['the probe shuts others out', [failed(0), failed(1), probed(3500)], 2, 3501, true],
    [
      'the probe answered',
      [failed(0), failed(1), probed(3500), succeeded(3500, 3600)],
      0,
      3601,
      false
    ],
    ['the probe failed', [failed(0), failed(1), probed(3500), failed(3600)], 3, 6600, true],
    [
      'an answer to a request from before the probe',
      [failed(0), failed(1), probed(3500), succeeded(3400, 3600)],
      2,
      3601,
      true
    ],
    [
      'a probe before its time changes nothing',
      [failed(0), failed(1), probed(3001)],
      2,
      3002,
      false
    ]
  ]
  for (const [claim, events, fails, at, is] of table) {
    const status = events.reduce<PeerStatus>((s, e) => applyPeerEvent(s, SERVER, e), HEALTHY)
    t.equal(status.fails, fails, `${claim}: fails`)
    t.equal(isDisabled(status, SERVER, at), is, `${claim}: disabled`)
  }
  t.end()
})

t.test('nginx: max_fails=0 never disables', (t) => {
  const server = { ...SERVER, maxFails: 0 }
  const status = [failed(0), failed(1), failed(2)].reduce<PeerStatus>(
    (s, e) => applyPeerEvent(s, server, e),
    HEALTHY
  )
  t.equal(status, HEALTHY)
  t.equal(isDisabled(status, server, 3), false)
  t.end()
})

t.test('nginx: a probe is due when fail_timeout has passed since the last failure', (t) => {
  const status = applyPeerEvent(HEALTHY, SERVER, failed(1000))
  t.equal(isProbeDue(status, SERVER, 4000), false)
  t.equal(isProbeDue(status, SERVER, 4000.5), true)
  t.equal(isProbeDue(HEALTHY, SERVER, 99_999), false)
  t.end()
})

/** The example pair's server as it is by default. */
const ASKED: UpstreamServer = { ...SERVER, recovery: 'probe' }

const abandoned = (since: number, at: number): PeerEvent => ({
  kind: 'abandoned',
  at,
  since,
  awaited: 'answer'
})
const heard = (at: number): PeerEvent => ({ kind: 'heard', at, awaited: 'answer' })
const recovered: PeerEvent = { kind: 'recovered' }

const FORGOTTEN: PeerEvent[] = [failed(0), probed(3500), succeeded(3500, 3600)]

t.test('recovery: probe, sequences of events', (t) => {
  const out = [failed(0), failed(10)]
  const table: [claim: string, events: PeerEvent[], fails: number, is: boolean][] = [
    ['one failure of two', [failed(0)], 1, false],
    ['two failures disable', out, 2, true],
    ['and fail_timeout does not bring it back', [...out, probed(20_000)], 2, true],
    ['more failures change nothing', [...out, failed(20), failed(5000)], 2, true],
    ['an answer to a request from before', [...out, succeeded(9, 20)], 2, true],
    ['an answer to a request from after it', [...out, succeeded(11, 20)], 0, false],
    ['the director found it well', [...out, recovered], 0, false],
    ['a probe of a peer that is not disabled', [failed(0), recovered], 1, false],
    ['nginx: one old failure is forgotten by an answer after fail_timeout', FORGOTTEN, 0, false],
    ['one client that gave up', [abandoned(0, 1000)], 0, false],
    ['two in a row disable', [abandoned(0, 1000), abandoned(250, 1250)], 2, true],
    ['two that left together are one sign', [abandoned(0, 1000), abandoned(249, 1249)], 0, false],
    [
      'many that left together, and one more',
      [abandoned(0, 1000), abandoned(1, 1001), abandoned(2, 1002), abandoned(300, 1300)],
      2,
      true
    ],
    [
      'an answer between them',
      [abandoned(0, 1000), heard(1050), abandoned(300, 1300), abandoned(350, 1350)],
      0,
      false
    ],
    [
      'what was heard before they began to wait is no news',
      [abandoned(100, 1000), heard(99), abandoned(300, 1300)],
      2,
      true
    ],
    ['two in a minute', [abandoned(0, 1000), abandoned(60_000, 61_000)], 2, true],
    ['two further apart', [abandoned(0, 1000), abandoned(60_001, 61_001)], 0, false],
    [
      'a connection that was taken says nothing about answers',
      [
        abandoned(0, 1000),
        { kind: 'heard', at: 1050, awaited: 'connection' },
        abandoned(300, 1300)
      ],
      2,
      true
    ],
    [
      'an answer on an old connection says nothing about new ones',
      [
        { kind: 'abandoned', since: 0, at: 1000, awaited: 'connection' },
        heard(1050),
        { kind: 'abandoned', since: 300, at: 1300, awaited: 'connection' }
      ],
      2,
      true
    ],
    ['the regular check takes it out', [{ kind: 'checked', isUp: false }], 0, true],
    ['and it alone brings it back', [...out, { kind: 'checked', isUp: false }, recovered], 0, true],
    [
      'as here',
      [
        { kind: 'checked', isUp: false },
        { kind: 'checked', isUp: true }
      ],
      0,
      false
    ]
  ]
  for (const [claim, events, fails, is] of table) {
    const status = events.reduce<PeerStatus>((s, e) => applyPeerEvent(s, ASKED, e), HEALTHY)
    t.equal(status.fails, fails, `${claim}: fails`)
    t.equal(isDisabled(status, ASKED, status.checkedAt + 20_000), is, `${claim}: disabled`)
  }
  t.end()
})

t.test('recovery: probe, no peer stays out for ever because its / is slow or broken', (t) => {
  const connect = (at: number): PeerEvent => ({ kind: 'failed', at, cause: 'connect' })
  const table: [claim: string, events: PeerEvent[], afterMs: number][] = [
    ['it answered badly: a request after 30 s', [failed(0), failed(10)], 30_010],
    ['one each 30 s', [failed(0), failed(10), probed(30_011), failed(30_050)], 60_011],
    ['it was silent: after 5 minutes', [abandoned(0, 1000), abandoned(250, 1250)], 301_250],
    ['it took no connection: the probe knows', [connect(0), connect(10)], Infinity]
  ]
  for (const [claim, events, afterMs] of table) {
    const status = events.reduce<PeerStatus>((s, e) => applyPeerEvent(s, ASKED, e), HEALTHY)
    if (afterMs < Infinity) {
      t.equal(isDisabled(status, ASKED, afterMs), true, `${claim}: not before`)
      t.equal(isDisabled(status, ASKED, afterMs + 1), false, claim)
      t.equal(isProbeDue(status, ASKED, afterMs + 1), true, `${claim}: one request`)
    } else {
      t.equal(isDisabled(status, ASKED, 1e9), true, claim)
    }
  }
  t.end()
})

t.test('max_fails: as many clients in a row as failures, but never fewer than two', (t) => {
  for (const [maxFails, needed] of [
    [1, 2],
    [2, 2],
    [5, 5]
  ] as const) {
    const server = { ...ASKED, maxFails }
    let status = HEALTHY
    let count = 0
    while (!isDisabled(status, server, 0)) {
      status = applyPeerEvent(status, server, abandoned(count * 300, 1000 + count * 300))
      count++
    }
    t.equal(count, needed)
  }
  const never = { ...ASKED, maxFails: 0 }
  t.equal(applyPeerEvent(HEALTHY, never, abandoned(0, 1000)), HEALTHY)
  t.end()
})

t.test('how a disabled peer is asked, and from when on', (t) => {
  const connect: PeerEvent = { kind: 'failed', at: 1000, cause: 'connect' }
  const unconnected = (at: number): PeerEvent => ({
    kind: 'abandoned',
    at,
    since: 0,
    awaited: 'connection'
  })
  const table: [claim: string, events: PeerEvent[], probe: unknown][] = [
    ['well', [], null],
    ['one failure', [failed(0)], null],
    ['took no connection', [failed(0), connect], { type: 'tcp', notBefore: 1500 }],
    ['answered badly', [connect, failed(2000)], { type: 'http', notBefore: 5000 }],
    ['silent', [abandoned(0, 1000), abandoned(0, 1300)], { type: 'http', notBefore: 1300 }],
    ['unconnected', [unconnected(700), unconnected(1000)], { type: 'tcp', notBefore: 1500 }],
    ['only its check fails', [{ kind: 'checked', isUp: false }], null]
  ]
  for (const [claim, events, probe] of table) {
    const status = events.reduce<PeerStatus>((s, e) => applyPeerEvent(s, ASKED, e), HEALTHY)
    t.same(recoveryProbe(status, ASKED), probe, claim)
  }
  const status = [failed(0), failed(1)].reduce<PeerStatus>(
    (s, e) => applyPeerEvent(s, SERVER, e),
    HEALTHY
  )
  t.equal(recoveryProbe(status, SERVER), null, 'recovery: request asks nothing')
  t.end()
})

t.test('one truth per director: failures seen by two workers add up', (t) => {
  const upstream = { name: 'web', servers: [SERVER, { ...SERVER, host: '192.168.64.138' }] }
  const single = { name: 'one', servers: [SERVER] }
  const config = { upstreams: [upstream, single] } as unknown as ProxyConfig
  const table = new PeerTable(config)
  table.apply(1, failed(10))
  t.same(table.apply(1, failed(20)), { ...HEALTHY, fails: 2, accessedAt: 20, checkedAt: 20 })
  t.same(table.statuses(), [
    HEALTHY,
    { ...HEALTHY, fails: 2, accessedAt: 20, checkedAt: 20 },
    HEALTHY
  ])
  t.equal(table.apply(2, failed(10)), HEALTHY, 'nginx: the only server of a group never fails')
  t.throws(() => table.apply(3, failed(1)), RangeError)
  t.end()
})
