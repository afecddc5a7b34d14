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
import { PeerTable } from '../../src/proxy/upstream/peer-table.js'

/** The seed's `max_fails=2 fail_timeout=3`. */
const SEED: UpstreamServer = {
  host: '192.168.64.143',
  port: 80,
  weight: 1,
  maxFails: 2,
  failTimeoutMs: 3000,
  down: false
}

const failed = (at: number): PeerEvent => ({ kind: 'failed', at })
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
    const status = events.reduce<PeerStatus>((s, e) => applyPeerEvent(s, SEED, e), HEALTHY)
    t.equal(status.fails, fails, `${claim}: fails`)
    t.equal(isDisabled(status, SEED, at), is, `${claim}: disabled`)
  }
  t.end()
})

t.test('nginx: max_fails=0 never disables', (t) => {
  const server = { ...SEED, maxFails: 0 }
  const status = [failed(0), failed(1), failed(2)].reduce<PeerStatus>(
    (s, e) => applyPeerEvent(s, server, e),
    HEALTHY
  )
  t.equal(status, HEALTHY)
  t.equal(isDisabled(status, server, 3), false)
  t.end()
})

t.test('nginx: a probe is due when fail_timeout has passed since the last failure', (t) => {
  const status = applyPeerEvent(HEALTHY, SEED, failed(1000))
  t.equal(isProbeDue(status, SEED, 4000), false)
  t.equal(isProbeDue(status, SEED, 4000.5), true)
  t.equal(isProbeDue(HEALTHY, SEED, 99_999), false)
  t.end()
})

t.test('one truth per director: failures seen by two workers add up', (t) => {
  const upstream = { name: 'web', servers: [SEED, { ...SEED, host: '192.168.64.138' }] }
  const single = { name: 'one', servers: [SEED] }
  const config = { upstreams: [upstream, single] } as unknown as ProxyConfig
  const table = new PeerTable(config)
  table.apply(1, failed(10))
  t.same(table.apply(1, failed(20)), { fails: 2, accessedAt: 20, checkedAt: 20 })
  t.same(table.statuses(), [HEALTHY, { fails: 2, accessedAt: 20, checkedAt: 20 }, HEALTHY])
  t.equal(table.apply(2, failed(10)), HEALTHY, 'nginx: the only server of a group never fails')
  t.throws(() => table.apply(3, failed(1)), RangeError)
  t.end()
})
