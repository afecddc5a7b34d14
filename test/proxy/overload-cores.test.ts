import t from 'tap'
import { isBoundedRetry } from '../../src/proxy/upstream/next-upstream.js'
import { RequestQueue } from '../../src/proxy/upstream/request-queue.js'
import { RetryBudget } from '../../src/proxy/upstream/retry-budget.js'

t.test('retry budget: a share of the requests in flight, and a few in any case', (t) => {
  const budget = new RetryBudget({ percent: 20, min: 3 })
  for (let i = 0; i < 3; i++) {
    t.ok(budget.affords(1, false), 'three in any case')
    budget.begin()
  }
  t.notOk(budget.affords(19, false), '20 % of 19 are 3')
  t.ok(budget.affords(20, false), '20 % of 20 are 4')
  t.ok(budget.affords(19, true), 'a retry that fails may be followed by another one in its place')
  budget.end()
  t.ok(budget.affords(1, false))
  t.equal(budget.retries, 2)
  t.end()
})

t.test('retry budget: refusals are told at once, then once in 10 s with their number', (t) => {
  const budget = new RetryBudget({ percent: 20, min: 3 })
  t.equal(budget.refuse(0), 1)
  for (let at = 1; at < 10_000; at += 100) t.equal(budget.refuse(at), 0)
  t.equal(budget.refuse(10_000), 101)
  t.equal(budget.refuse(10_001), 0)
  t.end()
})

t.test('only retries that follow real load are bounded', (t) => {
  const table: [claim: string, Parameters<typeof isBoundedRetry>, isBounded: boolean][] = [
    ['connection refused', ['error', false, 2], false],
    ['the same where it is never disabled', ['error', false, 0], false],
    ['no connection in time', ['timeout', false, 2], false],
    ['the server broke the connection: it is disabled soon', ['error', true, 2], false],
    ['the same where it is never disabled', ['error', true, 0], true],
    ['no answer in time', ['timeout', true, 2], false],
    ['no answer in time, and the server is never disabled', ['timeout', true, 0], true],
    ['503', ['http_503', true, 2], true],
    ['a bad head', ['invalid_header', true, 2], true]
  ]
  for (const [claim, facts, isBounded] of table) {
    t.equal(isBoundedRetry(...facts), isBounded, claim)
  }
  t.end()
})

t.test('queue: first come, first served, bounded, each for the same time', (t) => {
  const queue = new RequestQueue<string>(2, 1000)
  t.equal(queue.first, null)
  t.ok(queue.join('a', 0))
  t.ok(queue.join('b', 500))
  t.notOk(queue.join('c', 600), 'full')
  t.equal(queue.first, 'a')
  t.strictSame(queue.takeLate(999), [])
  t.strictSame(queue.takeLate(1000), [['a', 0]])
  t.equal(queue.first, 'b')
  t.ok(queue.join('c', 1100))
  queue.leave('b')
  queue.leave('b')
  t.equal(queue.first, 'c')
  t.strictSame(queue.takeLate(5000), [['c', 1100]])
  t.equal(queue.size, 0)
  t.end()
})
