import { tmpdir } from 'node:os'
import t, { type Test } from 'tap'
import type { EngineOptions } from '../../src/proxy/engine.js'
import { Traffic } from '../../src/proxy/traffic.js'
import {
  ACCEPTED,
  BOUNDS_MS,
  BYTES_RECEIVED,
  BYTES_SENT,
  FAILURES,
  FIRST_FAILURE,
  ROW_CELLS,
  STATUSES,
  TIME,
  classOf,
  type TrafficReport
} from '../../src/proxy/traffic-cells.js'
import { TrafficReporter } from '../../src/proxy/traffic-reporter.js'
import { openTransaction } from '../../src/proxy/transaction.js'
import { proxyConfig, startProxy, type ProxySetup } from './support/proxy.js'
import { exchange, get } from './support/raw-client.js'
import { answer, refusingPort, scriptedUpstream, type Script } from './support/upstream.js'

const CLIENT = {
  remoteAddress: '127.0.0.1',
  remotePort: 1,
  serverAddress: '127.0.0.1',
  serverPort: 80,
  connection: 1
}

/** Adds reports up as the director does: by row and cell. */
class Sums {
  readonly reports: TrafficReport[] = []

  readonly tell: NonNullable<EngineOptions['tellTraffic']> = (report, onTaken) => {
    this.reports.push(report)
    onTaken()
  }

  of(row: number, cell: number): number {
    let sum = 0
    for (const { counts } of this.reports) {
      for (let i = 0; i < counts.length; i += 2) {
        if (counts[i] === row * ROW_CELLS + cell) sum += counts[i + 1] ?? 0
      }
    }
    return sum
  }

  /** Requests or attempts of a row by status or failure. */
  results(row: number): Record<string, number> {
    const results: Record<string, number> = {}
    for (let cell = 0; cell < ACCEPTED; cell++) {
      const count = this.of(row, cell)
      const name = cell < STATUSES ? String(cell) : (FAILURES[cell - FIRST_FAILURE] ?? '')
      if (count > 0) results[name] = count
    }
    return results
  }
}

t.test('a duration is in the first class whose bound it does not exceed', (t) => {
  t.equal(BOUNDS_MS.length, 61)
  t.equal(classOf(0), 0)
  t.equal(classOf(0.1), 0)
  t.equal(classOf(0.1001), 1)
  t.equal(BOUNDS_MS[classOf(1)], 1)
  t.equal(BOUNDS_MS[classOf(1.01)], 1.25)
  t.equal(BOUNDS_MS[classOf(250)], 250)
  t.equal(classOf(100_000), 60)
  t.equal(classOf(100_001), 61)
  t.end()
})

t.test('a tunnel is a request without a duration', (t) => {
  const traffic = new Traffic(1, 0)
  const transaction = openTransaction(CLIENT, null, '', 1, 1000)
  transaction.status = 101
  transaction.endedAt = 9_000_000
  traffic.settle(0, transaction)
  t.same(traffic.report()?.counts, [101, 1])
  t.end()
})

t.test('a report has what is new since the last one, and there is none without news', (t) => {
  const traffic = new Traffic(2, 1)
  t.equal(traffic.report(), null)
  traffic.accepted(1)
  traffic.opened(1)
  traffic.accepted(1)
  t.same(traffic.report(), {
    counts: [ROW_CELLS + ACCEPTED, 2],
    active: [0, 1],
    inFlight: [0]
  })
  t.equal(traffic.report(), null)
  traffic.closed(1)
  t.same(traffic.report(), { counts: [], active: [0, 0], inFlight: [0] })
  traffic.inFlight[0] = 3
  t.same(traffic.report()?.inFlight, [3])
  t.equal(traffic.report(), null)
  t.end()
})

t.test('reports are a second apart, and a director that takes none gets no more', async (t) => {
  const traffic = new Traffic(1, 0)
  const told: (() => void)[] = []
  const reporter = new TrafficReporter(traffic, (_report, onTaken) => told.push(onTaken))
  t.equal(reporter.isDue(0), true)
  reporter.tell(0)
  t.equal(reporter.isDue(1), true, 'nothing was new')
  traffic.accepted(0)
  reporter.tell(100)
  t.equal(told.length, 1)
  t.equal(reporter.isDue(5000), false, 'the first one is under way')
  told[0]?.()
  t.equal(reporter.isDue(1099), false)
  t.equal(reporter.isDue(1100), true)
  traffic.accepted(0)
  const last = reporter.tellLast()
  t.equal(told.length, 2)
  told[1]?.()
  await last
  traffic.accepted(0)
  await reporter.tellLast()
  t.equal(told.length, 3, 'and nobody waits for ever')
})

t.test('requests are counted without any access log; the own check is not', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const sums = new Sums()
  const proxy = await startProxy(t, { servers: [web.port] }, { tellTraffic: sums.tell })
  const text = await exchange(proxy.port, get())
  await exchange(
    proxy.port,
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Tsha-Check: the-token\r\n\r\n'
  )
  await exchange(proxy.port, 'TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await proxy.engine.shutdown(1000)
  t.same(sums.results(0), { '200': 1, '405': 1 })
  t.equal(sums.of(0, ACCEPTED), 3)
  t.ok(sums.of(0, BYTES_SENT) > text.length)
  t.same(sums.results(1), { '200': 1 })
  t.equal(sums.of(1, BYTES_SENT), web.requests.join('').length)
  t.equal(sums.of(1, BYTES_RECEIVED), answer('hello').length)
  t.ok(sums.of(0, TIME) > 0)
  t.ok(sums.of(1, TIME) > 0)
  t.same(sums.reports.at(-1)?.active, [0])
})

/** What the attempts of one request at one server come to. */
async function attemptsAt(
  t: Test,
  script: Script | null,
  setup: Partial<ProxySetup> = {}
): Promise<Record<string, number>> {
  const web = script === null ? null : await scriptedUpstream(script)
  const port = web?.port ?? (await refusingPort())
  const sums = new Sums()
  const proxy = await startProxy(
    t,
    { servers: [port], ...setup },
    {
      tellTraffic: sums.tell
    }
  )
  await exchange(proxy.port, get()).catch(() => '')
  await proxy.engine.shutdown(1000)
  await web?.close()
  return sums.results(1)
}

t.test('an attempt is counted by what became of it', async (t) => {
  t.same(await attemptsAt(t, null), { connect: 1 })
  t.same(await attemptsAt(t, (_, socket) => socket.resetAndDestroy()), { reset: 1 })
  t.same(await attemptsAt(t, (_, socket) => socket.end()), { closed: 1 })
  t.same(await attemptsAt(t, (_, socket) => socket.write('SSH-2.0-x\r\n\r\n')), { invalid: 1 })
  const silent: Script = () => undefined
  t.same(await attemptsAt(t, silent, { route: { readTimeoutMs: 200 } }), { timeout: 1 })
  const busy: Script = (_, socket) => socket.write(answer('no', '503 Busy'))
  t.same(await attemptsAt(t, busy), { '503': 1 })
  const cut: Script = (_, socket) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this')
  t.same(await attemptsAt(t, cut), { '200': 1 }, 'as in $upstream_status')
})

t.test('an address beside a wildcard of its port has counts of its own', async (t) => {
  const web = await scriptedUpstream()
  t.teardown(() => web.close())
  const port = await refusingPort()
  const sums = new Sums()
  const [base] = proxyConfig({ servers: [web.port] }, tmpdir()).servers
  if (base === undefined) throw new Error('no server')
  const servers = ['0.0.0.0', '127.0.0.1'].map((host) => ({ ...base, listen: { host, port } }))
  const proxy = await startProxy(
    t,
    { servers: [web.port], config: { servers } },
    { tellTraffic: sums.tell }
  )
  await exchange(port, get())
  await proxy.engine.shutdown(1000)
  t.same(sums.results(0), {})
  t.same(sums.results(1), { '200': 1 })
  t.equal(sums.of(1, ACCEPTED), 1)
  t.same(sums.results(2), { '200': 1 }, 'the first peer comes behind them')
})
