import t from 'tap'
import {
  FlightRecorder,
  RECORDER_BOUNDS,
  type RecorderBounds
} from '../../../src/director/recording/flight-recorder.js'
import { parseRecording, type Entry } from '../../../src/director/recording/recording.js'
import { replay } from '../../../src/director/recording/replay.js'
import { HEALTHY, applyPeerEvent, type PeerEvent } from '../../../src/proxy/upstream/peer-status.js'
import { step } from '../../../src/vrrp/machine.js'
import type { Event, State, VirtualRouter } from '../../../src/vrrp/model.js'
import { PAIR_MASTER } from '../../vrrp/router.js'

const RULES = { maxFails: 1, failTimeoutMs: 3000, recovery: 'probe' } as const

/** A recorder and one virtual router on a clock that the test moves. */
class Bench {
  now = 1000
  wall = Date.UTC(2026, 10, 23, 12, 0, 0)
  readonly failures: string[] = []
  readonly recorder: FlightRecorder
  readonly router: VirtualRouter
  state: State = { name: 'initialize', priority: 100, serviceUp: true }

  constructor(bounds: Partial<RecorderBounds> = {}, router = PAIR_MASTER) {
    this.router = router
    this.recorder = new FlightRecorder(
      { version: '1.2.3', role: 'master', routerId: 'lb1', pid: 77 },
      { now: () => this.now, wallTime: () => this.wall },
      (message) => this.failures.push(message),
      { ...RECORDER_BOUNDS, ...bounds }
    )
    this.recorder.began(router, this.state)
  }

  pass(ms: number): void {
    this.now += ms
    this.wall += ms
  }

  take(event: Event): void {
    const outcome = step(this.router, this.state, event, this.now)
    this.recorder.stepped(this.router, this.state, event, outcome, this.now)
    this.state = outcome.state
  }

  hear(priority = 200): void {
    this.take({ kind: 'advertisement', priority, source: '192.168.64.131', adverInterval: 1000 })
  }

  entries(): readonly Entry[] {
    const { entries, problems } = parseRecording(this.recorder.dump().join('\n'))
    t.same(problems, [])
    return entries.map(({ entry }) => entry)
  }

  types(): readonly string[] {
    return this.entries().map(({ type }) => type)
  }

  agreed(): number {
    const { entries } = parseRecording(this.recorder.dump().join('\n'))
    const { difference, problems, subjects } = replay(entries)
    t.same([difference, problems], [null, []])
    return subjects.reduce((sum, { agreed }) => sum + agreed, 0)
  }
}

void t.test('a recording begins with whose it is, and every entry has both clocks', (t) => {
  const bench = new Bench()
  bench.pass(500.25)
  bench.take({ kind: 'startup' })
  const [header, ...rest] = bench.recorder.dump().map((line) => JSON.parse(line) as object)
  t.same(header, {
    type: 'header',
    time: '2026-11-23T12:00:00.000Z',
    at_ms: 1000,
    format: 1,
    tsha: '1.2.3',
    role: 'master',
    router_id: 'lb1',
    pid: 77
  })
  t.same(rest.at(-1), {
    type: 'step',
    time: '2026-11-23T12:00:00.500Z',
    at_ms: 1500.25,
    virtual_router: 'nginx',
    event: { kind: 'startup' },
    state: {
      name: 'backup',
      priority: 100,
      service_up: true,
      master_down_at_ms: 5109.625,
      master_resigned: false,
      master_advert_interval_ms: 1000,
      preempt_at_ms: null,
      wants_master: false
    },
    reason: 'startup',
    actions: ['remove-addresses']
  })
  t.end()
})

void t.test('what was thrown away is the oldest, and the rest replays', (t) => {
  const bench = new Bench({ bytes: 64 * 1024, segmentBytes: 8 * 1024 })
  bench.take({ kind: 'startup' })
  for (let i = 0; i < 2000; i++) {
    bench.pass(900)
    bench.hear()
    t.ok(bench.recorder.size.bytes <= 64 * 1024)
  }
  t.same(bench.types().slice(0, 3), ['header', 'segment', 'virtual-router'])
  const agreed = bench.agreed()
  t.ok(agreed > 100 && agreed < 200, `${agreed} steps`)
  t.end()
})

void t.test('the number of entries is bounded too', (t) => {
  const bench = new Bench({ entries: 300, segmentBytes: 8 * 1024 })
  bench.take({ kind: 'startup' })
  for (let i = 0; i < 1000; i++) {
    bench.pass(900)
    bench.hear()
  }
  t.ok(bench.recorder.size.entries <= 300)
  t.ok(bench.agreed() > 200)
  t.end()
})

void t.test('a flood leaves a gap, and what follows when it is over replays', (t) => {
  const bench = new Bench()
  bench.take({ kind: 'startup' })
  for (let i = 0; i < 100_000; i++) {
    bench.pass(0.02)
    bench.hear()
  }
  const inGap = bench.types()
  t.equal(inGap.at(-1), 'gap')
  t.ok(inGap.length < 2200, `${inGap.length} entries of 100 000`)
  for (let i = 0; i < 10; i++) {
    bench.pass(1000)
    bench.hear()
  }
  const after = bench.types().slice(inGap.length)
  t.same(after.slice(0, 3), ['gap-end', 'virtual-router', 'step'])
  const missed = bench.entries().flatMap((entry) => (entry.type === 'gap-end' ? entry.missed : []))
  t.equal(missed.length, 1)
  const recorded = bench.types().filter((type) => type === 'step').length
  t.equal(recorded + (missed[0] ?? 0), 100_011, 'every step is recorded or counted')
  t.equal(bench.agreed(), recorded)
  t.end()
})

void t.test('a flood of one subject leaves no gap in the others', (t) => {
  const bench = new Bench()
  bench.take({ kind: 'startup' })
  for (let i = 0; i < 50_000; i++) {
    bench.pass(0.02)
    bench.recorder.note('address', 'nginx', { address: '192.0.2.1' })
    if (i % 1000 === 0) bench.hear()
  }
  const gaps = bench.entries().flatMap((entry) => (entry.type === 'gap' ? entry.subject : []))
  t.same(gaps, ['note address'])
  t.equal(bench.agreed(), 51)
  t.end()
})

void t.test('an entry costs microseconds', (t) => {
  const bench = new Bench({
    subject: { perSecond: 1e9, burst: 1e9 },
    all: { perSecond: 1e9, burst: 1e9 }
  })
  bench.take({ kind: 'startup' })
  const costs: number[] = []
  for (let round = 0; round < 20; round++) {
    const before = process.hrtime.bigint()
    for (let i = 0; i < 1000; i++) {
      bench.pass(0.9)
      bench.hear()
    }
    costs.push(Number(process.hrtime.bigint() - before) / 1e6)
  }
  const median = costs.sort((one, other) => one - other)[10] ?? Infinity
  t.comment(`${median.toFixed(1)} us for a step and its entry`)
  t.ok(median < 100, 'on any machine')
  t.end()
})

void t.test('nothing secret is recorded', (t) => {
  const secret = 'geheim42'
  const key = Buffer.from('0123456789abcdef0123456789abcdef')
  const hmac: VirtualRouter = {
    ...PAIR_MASTER,
    name: 'signed',
    version: 3,
    authentication: {
      type: 'hmac',
      keys: [{ id: 7, digest: () => key }],
      mode: 'enforce',
      antiReplay: 'time',
      window: 5000
    }
  }
  const data = Buffer.from(secret)
  const pass: VirtualRouter = { ...PAIR_MASTER, authentication: { type: 'pass', data } }
  for (const router of [pass, hmac]) {
    const bench = new Bench({}, router)
    bench.take({ kind: 'startup' })
    bench.hear()
    const text = bench.recorder.dump().join('\n')
    t.notMatch(text, /auth|geheim|digest|keys|hmac/i)
    t.notMatch(text, JSON.stringify([...data]).slice(1, -1))
    t.notMatch(text, data.toString('hex'))
  }
  t.end()
})

void t.test('decisions about peers and checks replay', (t) => {
  const bench = new Bench()
  const { recorder } = bench
  recorder.peerBegan('0 web 192.0.2.1:80', RULES, HEALTHY)
  let status = HEALTHY
  const events: readonly PeerEvent[] = [
    { kind: 'failed', at: 5000, cause: 'connect' },
    { kind: 'recovered' },
    { kind: 'abandoned', at: 7000, since: 6000, awaited: 'answer' },
    { kind: 'heard', at: 7100, awaited: 'answer' },
    { kind: 'checked', isUp: false }
  ]
  for (const event of events) {
    const server = { ...RULES }
    const after = applyPeerEvent(status, server, event)
    recorder.peerChanged('0 web 192.0.2.1:80', RULES, { before: status, event, after, detail: 'x' })
    status = after
  }
  const rules = { rise: 2, fall: 2 }
  const [unknown, up] = [
    { isUp: null, contradictions: 0 },
    { isUp: true, contradictions: 0 }
  ]
  const doubted = { isUp: true, contradictions: 1 }
  recorder.checkBegan('uplink', rules, unknown)
  const results = [
    { before: unknown, passed: true, after: up, detail: 'exited with 0' },
    { before: up, passed: true, after: up, detail: 'changes nothing' },
    { before: up, passed: false, after: doubted, detail: 'exited with 1' },
    { before: doubted, passed: false, after: { isUp: false, contradictions: 0 }, detail: 'again' }
  ]
  for (const result of results) recorder.checked('uplink', rules, result)
  t.equal(bench.agreed(), 8)
  t.notMatch(recorder.dump().join('\n'), 'changes nothing')
  t.end()
})

void t.test('a wall clock that jumps is told, and later times are those of the new one', (t) => {
  const bench = new Bench()
  bench.take({ kind: 'startup' })
  bench.wall += 3_600_000
  bench.pass(1500)
  bench.hear()
  const last = bench.entries().slice(-2)
  t.match(last, [
    { type: 'note', topic: 'clock', facts: { jumped_ms: 3_600_000 } },
    { type: 'step', time: '2026-11-23T13:00:01.500Z' }
  ])
  t.end()
})

void t.test('who keeps the lines too gets all that there are, and then each new one', (t) => {
  const bench = new Bench({ segmentBytes: 4096 })
  bench.take({ kind: 'startup' })
  for (let i = 0; i < 30; i++) {
    bench.pass(900)
    bench.hear()
  }
  const kept: string[] = []
  const resets: boolean[] = []
  bench.recorder.onLines((lines, reset) => {
    kept.push(...lines)
    resets.push(reset)
  })
  t.same(resets, [true])
  for (let i = 0; i < 3; i++) {
    bench.pass(900)
    bench.hear()
  }
  t.equal(resets.lastIndexOf(true), 0)
  t.ok(resets.length >= 4, `told ${resets.length} times`)
  t.same(kept, bench.recorder.dump())
  t.end()
})

void t.test('a recorder that fails says so once, and nothing else ends', (t) => {
  const bench = new Bench()
  const broken = { name: 'nowhere' } as unknown as State
  const outcome = { state: broken, actions: [], reason: null }
  bench.recorder.stepped(PAIR_MASTER, broken, { kind: 'timer' }, outcome, 2000)
  bench.recorder.stepped(PAIR_MASTER, broken, { kind: 'timer' }, outcome, 2000)
  t.same(bench.failures, ['the flight recorder has stopped: no name nowhere'])
  t.end()
})
