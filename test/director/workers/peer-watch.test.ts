import t from 'tap'
import { PeerWatch, type WatchedPeer } from '../../../src/director/workers/peer-watch.js'
import type { CheckResult, CheckRun } from '../../../src/health/scheduler.js'
import type { UpstreamCheck, UpstreamServer } from '../../../src/proxy/model.js'
import {
  HEALTHY,
  applyPeerEvent,
  type PeerEvent,
  type PeerStatus
} from '../../../src/proxy/upstream/peer-status.js'

const SERVER: UpstreamServer = {
  host: '192.0.2.10',
  port: 80,
  writtenAs: '192.0.2.10',
  weight: 1,
  maxConns: 0,
  maxFails: 1,
  failTimeoutMs: 60,
  down: false,
  backup: false,
  slowStartMs: 0,
  recovery: 'probe'
}

const CHECK: UpstreamCheck = {
  type: 'http',
  path: '/health',
  host: 'www.example.org',
  intervalMs: 60,
  fastIntervalMs: 10,
  timeoutMs: 700,
  rise: 1,
  fall: 2,
  expectStatus: [[200, 299]],
  expectBody: 'well'
}

const WELL: CheckResult = { passed: true, detail: 'answered' }
const SICK: CheckResult = { passed: false, detail: 'refused' }

/** A watch whose runs end as the test says; what it asked, when, and what it told. */
class Bench {
  readonly asked: { readonly at: number; readonly what: unknown }[] = []
  readonly told: PeerEvent[] = []
  readonly watch: PeerWatch
  status: PeerStatus = HEALTHY
  result: CheckResult = SICK
  #wake: () => void = () => undefined

  constructor(check: UpstreamCheck | null, server = SERVER, random = 0.5) {
    const peer: WatchedPeer = { server, upstream: 'web', check }
    const run =
      (type: string) =>
      (options: object): CheckRun =>
      () => {
        this.asked.push({ at: performance.now(), what: { type, ...options } })
        this.#wake()
        return Promise.resolve(this.result)
      }
    const ports = {
      now: () => performance.now(),
      random: () => random,
      addressOf: (host: string) => (host === 'unresolved.example.org' ? null : host),
      tcpCheck: run('tcp'),
      httpCheck: run('http')
    }
    this.watch = new PeerWatch(peer, ports, (event) => {
      this.told.push(event)
      this.learn(event)
      this.#wake()
    })
  }

  learn(event: PeerEvent): void {
    this.status = applyPeerEvent(this.status, SERVER, event)
    this.watch.update(this.status)
  }

  /** Between two runs, in milliseconds. */
  gap(index: number): number {
    return (this.asked[index + 1]?.at ?? NaN) - (this.asked[index]?.at ?? NaN)
  }

  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

const failed = (cause: 'connect' | 'answer'): PeerEvent => ({
  kind: 'failed',
  at: performance.now(),
  cause
})

t.test('a healthy peer without a check is never asked', async (t) => {
  const bench = new Bench(null)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.watch.start()
  bench.watch.update(HEALTHY)
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.same(bench.asked, [])
})

t.test('regular checks and probes of directors begin apart and drift apart', async (t) => {
  for (const [kind, make, intervalMs] of [
    ['check', (random: number) => new Bench(CHECK, SERVER, random), 60],
    ['probe', (random: number) => new Bench(null, SERVER, random), 500]
  ] as const) {
    const [late, early] = [make(0), make(0.99)]
    t.teardown(() => {
      late.watch.stop()
      early.watch.stop()
    })
    for (const bench of [late, early]) {
      bench.result = kind === 'check' ? WELL : SICK
      if (kind === 'probe') bench.learn(failed('connect'))
      else bench.watch.start()
    }
    await late.until(() => late.asked.length === 3)
    const gaps = early.asked.slice(1).map((_, i) => early.gap(i))
    t.ok(late.gap(1) >= intervalMs, `${kind}: never later than its interval`)
    t.ok(Math.min(...gaps) < intervalMs, `${kind}: up to a tenth earlier: ${gaps.join(' ')}`)
    t.ok(Math.min(...gaps) >= intervalMs * 0.9, `${kind}: and no more`)
    const [first, second] = [early.asked[0]?.at ?? 0, late.asked[0]?.at ?? 0]
    if (kind === 'check') t.ok(first < second, 'the first run is at a random time')
  }
})

t.test('a peer that refused is asked for a connection every 500 ms until it is well', async (t) => {
  const bench = new Bench(null)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.learn(failed('connect'))
  await bench.until(() => bench.asked.length === 2)
  const tcp = { type: 'tcp', host: '192.0.2.10', port: 80, timeoutMs: 1000 }
  t.same(bench.asked[0]?.what, tcp)
  t.ok(bench.gap(0) >= 470 && bench.gap(0) < 700, `475 ms: ${bench.gap(0)}`)
  t.same(bench.told, [])
  bench.result = WELL
  await bench.until(() => bench.told.length === 1)
  t.same(bench.told, [{ kind: 'recovered' }])
  t.equal(bench.status, HEALTHY)
})

t.test('a peer that answered badly is asked for / after its fail_timeout', async (t) => {
  const bench = new Bench(null)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.result = WELL
  const at = performance.now()
  bench.learn(failed('answer'))
  await bench.until(() => bench.told.length === 1)
  t.ok((bench.asked[0]?.at ?? 0) - at >= 59, 'fail_timeout is 60 ms')
  t.same(bench.asked[0]?.what, {
    type: 'http',
    host: '192.0.2.10',
    port: 80,
    timeoutMs: 1000,
    path: '/',
    hostField: 'web',
    expectStatus: [[100, 499]],
    expectBody: null
  })
})

const abandoned = (awaited: 'connection' | 'answer'): PeerEvent => {
  const at = performance.now()
  return { kind: 'abandoned', at, since: at - 500, awaited }
}

t.test('one client that gave up is worth one question', async (t) => {
  const bench = new Bench(null)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.learn(abandoned('answer'))
  await bench.until(() => bench.asked.length === 1)
  t.match(bench.asked[0]?.what, { type: 'http', path: '/' })
  await new Promise((resolve) => setTimeout(resolve, 250))
  t.same([bench.asked.length, bench.told.length], [1, 0], 'no answer, no news')
})

t.test('an answer to the question forgives', async (t) => {
  const bench = new Bench(null)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.result = WELL
  bench.learn(abandoned('connection'))
  await bench.until(() => bench.told.length === 1)
  t.match(bench.asked[0]?.what, { type: 'tcp' })
  t.match(bench.told[0], { kind: 'heard', awaited: 'connection' })
  bench.learn(abandoned('answer'))
  await bench.until(() => bench.told.length === 2)
  t.match(bench.told[1], { kind: 'heard', awaited: 'answer' })
  t.ok(bench.gap(0) >= 195, `no more than 5 questions in a second: ${bench.gap(0)}`)
  t.equal(bench.status.unanswered.count, 0)
})

t.test('a tcp check is no answer for a peer that does not answer', async (t) => {
  const bench = new Bench({ ...CHECK, type: 'tcp' })
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.result = WELL
  bench.learn(failed('answer'))
  await bench.until(() => bench.told.length === 1)
  t.match(bench.asked.at(-1)?.what, { type: 'http', path: '/' })
})

t.test('a tcp check goes on while a sign is not forgiven', async (t) => {
  const bench = new Bench({ ...CHECK, type: 'tcp', intervalMs: 20 })
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.learn(abandoned('answer'))
  await bench.until(() => bench.asked.length === 4)
  const types = bench.asked.map(({ what }) => (what as { type: string }).type)
  t.same(types, ['http', 'tcp', 'tcp', 'tcp'])
})

t.test('a check asks regularly, faster while it fails, and takes out after fall', async (t) => {
  const bench = new Bench(CHECK)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.result = WELL
  bench.watch.start()
  await bench.until(() => bench.asked.length === 2)
  t.same(bench.asked[0]?.what, {
    type: 'http',
    host: '192.0.2.10',
    port: 80,
    timeoutMs: 700,
    path: '/health',
    hostField: 'www.example.org',
    expectStatus: [[200, 299]],
    expectBody: 'well'
  })
  t.ok(bench.gap(0) >= 55, `the interval: ${bench.gap(0)}`)
  bench.result = SICK
  await bench.until(() => bench.told.length === 1)
  t.same(bench.told, [{ kind: 'checked', isUp: false }])
  t.equal(bench.asked.length, 4, 'two failures')
  t.ok(bench.gap(2) < 50, `the fast interval: ${bench.gap(2)}`)
  bench.result = WELL
  await bench.until(() => bench.told.length === 2)
  t.same(bench.told[1], { kind: 'checked', isUp: true })
  t.ok(bench.gap(3) < 50, `the fast interval: ${bench.gap(3)}`)
})

t.test('the first result of a check counts at once', async (t) => {
  const bench = new Bench(CHECK)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.watch.start()
  await bench.until(() => bench.told.length === 1)
  t.equal(bench.asked.length, 1)
})

t.test('with a check, its own request is the probe after failures', async (t) => {
  const bench = new Bench(CHECK)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.result = WELL
  bench.watch.start()
  await bench.until(() => bench.asked.length === 1)
  bench.learn(failed('answer'))
  await bench.until(() => bench.told.length === 1)
  t.same(bench.told, [{ kind: 'recovered' }])
  t.match(bench.asked.at(-1)?.what, { path: '/health' })
})

t.test('a watch that is stopped asks no more and tells nothing', async (t) => {
  const bench = new Bench(CHECK)
  bench.watch.start()
  await bench.until(() => bench.asked.length === 1)
  bench.watch.stop()
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.same([bench.asked.length, bench.told.length], [1, 0])
})

t.test('a check that could not be made changes nothing', async (t) => {
  const bench = new Bench(CHECK)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.result = { passed: false, detail: 'connect EMFILE', isOurs: true }
  bench.watch.start()
  await bench.until(() => bench.asked.length === 4)
  t.same(bench.told, [])
  bench.result = SICK
  await bench.until(() => bench.told.length === 1)
  t.same(bench.told, [{ kind: 'checked', isUp: false }])
})

t.test('a server whose name was never resolved is not asked', async (t) => {
  const bench = new Bench(CHECK, { ...SERVER, host: 'unresolved.example.org' })
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.watch.start()
  await new Promise((resolve) => setTimeout(resolve, 150))
  t.same(bench.asked, [])
  t.same(bench.told, [])
})

t.test(
  'a peer that must not be asked is not, and a run that goes on is not believed',
  async (t) => {
    const bench = new Bench(CHECK)
    t.teardown(() => {
      bench.watch.stop()
    })
    bench.result = WELL
    bench.watch.start()
    await bench.until(() => bench.asked.length === 1)
    bench.watch.allow(false)
    await new Promise((resolve) => setTimeout(resolve, 150))
    t.same([bench.asked.length, bench.told], [1, []])
    bench.watch.allow(true)
    await bench.until(() => bench.asked.length === 2)
  }
)

t.test('a peer that is trusted is out after as many failures as one that was well', async (t) => {
  const bench = new Bench(CHECK)
  t.teardown(() => {
    bench.watch.stop()
  })
  bench.watch.start()
  await bench.until(() => bench.told.length === 1)
  bench.watch.trust()
  bench.learn({ kind: 'trusted' })
  const before = bench.asked.length
  await bench.until(() => bench.told.length === 2)
  t.same(bench.told, [
    { kind: 'checked', isUp: false },
    { kind: 'checked', isUp: false }
  ])
  t.ok(bench.asked.length >= before + 2, 'fall is 2')
})
