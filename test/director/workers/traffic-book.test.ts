import t from 'tap'
import { TrafficBook } from '../../../src/director/workers/traffic-book.js'
import {
  ACCEPTED,
  BYTES_SENT,
  FIRST_CLASS,
  FIRST_FAILURE,
  ROW_CELLS,
  TIME,
  classOf,
  type TrafficReport
} from '../../../src/proxy/traffic-cells.js'

const WEB1 = { upstream: 'web', peer: '10.0.0.1:80' }
const WEB2 = { upstream: 'web', peer: '10.0.0.2:80' }
const NAMES = { listeners: ['0.0.0.0:80', '0.0.0.0:81'], peers: [WEB1, WEB2] }

/** A report of these cells: row, cell and amount. */
function report(
  cells: readonly (readonly [row: number, cell: number, amount: number])[],
  gauges: Partial<TrafficReport> = {}
): TrafficReport {
  const counts = cells.flatMap(([row, cell, amount]) => [row * ROW_CELLS + cell, amount])
  return { counts, active: [], inFlight: [], ...gauges }
}

t.test('what several workers did is added up by name', (t) => {
  const book = new TrafficBook(NAMES, 0)
  const [one, two] = [{ pid: 1 }, { pid: 2 }]
  book.begin(one, 0)
  book.begin(two, 0)
  const first = [
    [0, 200, 3],
    [0, 0, 1],
    [0, ACCEPTED, 2],
    [0, BYTES_SENT, 500],
    [3, FIRST_FAILURE, 4]
  ] as const
  book.add(one, report(first, { active: [5, 1], inFlight: [0, 2] }), 100)
  book.add(two, report([[0, 200, 7]], { active: [6, 0], inFlight: [1, 3] }), 100)
  const traffic = book.listenerTraffic('0.0.0.0:80', 100)
  t.same(traffic.requests, { '000': 1, '200': 10 })
  t.equal(traffic.connections_accepted, 2)
  t.equal(traffic.connections_active, 11)
  t.equal(traffic.bytes_sent, 500)
  t.same(book.listenerTraffic('0.0.0.0:81', 100).requests, {})
  t.same(book.peerTraffic('web', '10.0.0.2:80', 100).attempts, { connect: 4 })
  t.equal(book.peerTraffic('web', '10.0.0.2:80', 100).in_flight, 5)
  t.equal(book.connectionsOf(1), 6)
  t.equal(book.connectionsOf(3), 0)
  t.end()
})

t.test('a client that leaves is an aborted attempt and a request with its status', (t) => {
  const book = new TrafficBook(NAMES, 0)
  const worker = { pid: 1 }
  book.begin(worker, 0)
  const cells = [
    [0, 499, 1],
    [2, 0, 1]
  ] as const
  book.add(worker, report(cells), 0)
  t.same(book.listenerTraffic('0.0.0.0:80', 0).requests, { '499': 1 })
  t.same(book.peerTraffic('web', '10.0.0.1:80', 0).attempts, { aborted: 1 })
  t.end()
})

t.test('a worker that dies takes its gauges with it; its last report may come later', (t) => {
  const book = new TrafficBook(NAMES, 0)
  const worker = { pid: 1 }
  book.begin(worker, 0)
  book.add(worker, report([[0, 200, 1]], { active: [5, 0], inFlight: [2, 0] }), 0)
  book.ended(worker)
  t.equal(book.listenerTraffic('0.0.0.0:80', 0).connections_active, 0)
  t.equal(book.peerTraffic('web', '10.0.0.1:80', 0).in_flight, 0)
  book.add(worker, report([[0, 200, 1]]), 0)
  book.forget(worker)
  t.same(book.listenerTraffic('0.0.0.0:80', 0).requests, { '200': 2 })
  book.add(worker, report([[0, 200, 1]]), 0)
  t.same(book.listenerTraffic('0.0.0.0:80', 0).requests, { '200': 2 }, 'nobody reports any more')
  t.end()
})

t.test('a report is read by the configuration that its worker was started with', (t) => {
  const book = new TrafficBook(NAMES, 0)
  const [old, young] = [{ pid: 1 }, { pid: 2 }]
  book.begin(old, 0)
  book.add(old, report([[2, 200, 1]], { inFlight: [1, 0] }), 0)
  // The first listen address is gone, and the peers have changed places.
  book.use({ listeners: ['0.0.0.0:81'], peers: [WEB2, WEB1] }, 0)
  book.begin(young, 0)
  book.add(young, report([[2, 200, 10]], { inFlight: [0, 1] }), 0)
  book.add(old, report([[2, 200, 100]], { inFlight: [1, 0] }), 0)
  const traffic = book.peerTraffic('web', '10.0.0.1:80', 0)
  t.same(traffic.attempts, { '200': 111 }, 'the totals went on')
  t.equal(traffic.in_flight, 2)
  t.same(book.peerTraffic('web', '10.0.0.2:80', 0).attempts, {})
  t.end()
})

t.test('what no configuration in use has is forgotten', (t) => {
  const book = new TrafficBook(NAMES, 0)
  const worker = { pid: 1 }
  book.begin(worker, 0)
  book.add(worker, report([[2, 200, 1]]), 0)
  book.use({ listeners: ['0.0.0.0:80'], peers: [WEB2] }, 0)
  t.same(book.peerTraffic('web', '10.0.0.1:80', 0).attempts, { '200': 1 }, 'the worker still runs')
  book.forget(worker)
  t.same(book.peerTraffic('web', '10.0.0.1:80', 0).attempts, {})
  t.end()
})

t.test('what makes no sense in a report is left out', (t) => {
  const book = new TrafficBook(NAMES, 0)
  const worker = { pid: 1 }
  book.begin(worker, 0)
  const counts = [200, -1, 201, NaN, 202, 0.5, -5, 1, 4 * ROW_CELLS, 1, 1.5, 1, 203, 1, 204]
  book.add(worker, { counts, active: [-3, NaN], inFlight: [1e300] }, 0)
  const traffic = book.listenerTraffic('0.0.0.0:80', 0)
  t.same(traffic.requests, { '203': 1 })
  t.equal(traffic.connections_active, 0)
  t.equal(book.peerTraffic('web', '10.0.0.1:80', 0).in_flight, 0)
  t.end()
})

t.test('a histogram has its classes put together to the bounds that are told', (t) => {
  const book = new TrafficBook(NAMES, 0)
  const worker = { pid: 1 }
  book.begin(worker, 0)
  const cells = [0.05, 1, 1.1, 2, 3000, 500_000].map(
    (ms) => [0, FIRST_CLASS + classOf(ms), 1] as const
  )
  book.add(worker, report([...cells, [0, TIME, 2_500_000]]), 0)
  const { duration } = book.listenerTraffic('0.0.0.0:80', 0)
  t.same(duration.bounds_s, [
    ...[0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
    ...[1, 2, 5, 10, 20, 50, 100]
  ])
  t.same(duration.counts, [1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  t.equal(duration.sum_s, 2.5)
  t.end()
})

t.test('the rate and the percentiles are those of the last 10 to 12 seconds', (t) => {
  const book = new TrafficBook(NAMES, 0)
  const worker = { pid: 1 }
  book.begin(worker, 0)
  t.same(book.listenerTraffic('0.0.0.0:80', 0).recent, {
    per_second: 0,
    p50_ms: null,
    p99_ms: null
  })
  const tell = (now: number, ms: number, count: number): void => {
    const cells = [
      [0, 200, count],
      [0, FIRST_CLASS + classOf(ms), count]
    ] as const
    book.add(worker, report(cells), now)
  }
  tell(1000, 900, 1000)
  for (let second = 20; second < 30; second++) tell(second * 1000, 3, 97)
  for (let second = 20; second < 30; second++) tell(second * 1000, 90, 3)
  const { recent } = book.listenerTraffic('0.0.0.0:80', 30_000)
  t.equal(recent.per_second, 100, 'what is long ago does not count')
  t.ok(recent.p50_ms !== null && recent.p50_ms > 2.5 && recent.p50_ms < 3.15, String(recent.p50_ms))
  t.ok(recent.p99_ms !== null && recent.p99_ms > 80 && recent.p99_ms < 100, String(recent.p99_ms))
  t.equal(book.listenerTraffic('0.0.0.0:80', 60_000).recent.per_second, 0)
  t.equal(book.listenerTraffic('0.0.0.0:80', 60_000).duration.counts[9], 0)
  t.end()
})

t.test('a report about 100 busy peers costs the director far less than a millisecond', (t) => {
  const peers = Array.from({ length: 100 }, (_, i) => ({ upstream: 'web', peer: `p${i}:80` }))
  const book = new TrafficBook({ listeners: ['0.0.0.0:80'], peers }, 0)
  const workers = [{ pid: 1 }, { pid: 2 }, { pid: 3 }, { pid: 4 }]
  for (const worker of workers) book.begin(worker, 0)
  const cells = peers.flatMap((_, i) =>
    [200, 502, BYTES_SENT, TIME, ...[1, 2, 3, 4, 5, 8].map((at) => FIRST_CLASS + at)].map(
      (cell) => [1 + i, cell, 1000] as const
    )
  )
  const inFlight = peers.map(() => 7)
  const text = JSON.stringify({ type: 'traffic', ...report(cells, { active: [5], inFlight }) })
  const costs = Array.from({ length: 400 }, (_, i) => {
    const begun = process.hrtime.bigint()
    const message = JSON.parse(text) as TrafficReport
    const worker = workers[i % 4]
    if (worker !== undefined) book.add(worker, message, i * 250)
    return Number(process.hrtime.bigint() - begun) / 1e6
  }).sort((a, b) => a - b)
  const median = costs[200] ?? Infinity
  t.ok(median < 1, `${text.length} bytes, median ${median.toFixed(3)} ms`)
  const told = Array.from({ length: 50 }, () => {
    const begun = process.hrtime.bigint()
    for (const { upstream, peer } of peers) book.peerTraffic(upstream, peer, 100_000)
    return Number(process.hrtime.bigint() - begun) / 1e6
  })
  const medianTold = told.toSorted((a, b) => a - b)[25] ?? Infinity
  t.ok(medianTold < 5, `a status of all of them: ${medianTold.toFixed(2)} ms`)
  t.comment(
    `${text.length} bytes: median ${median.toFixed(3)} ms, most ${(costs.at(-1) ?? 0).toFixed(2)} ms; ` +
      `for a status: median ${medianTold.toFixed(2)} ms, first ${(told[0] ?? 0).toFixed(2)} ms`
  )
  t.end()
})
