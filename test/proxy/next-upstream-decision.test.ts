import t from 'tap'
import {
  countsAgainstPeer,
  mayTryNext,
  type FailureKind,
  type Situation
} from '../../src/proxy/upstream/next-upstream.js'
import type { NextUpstreamCondition } from '../../src/proxy/model.js'

const SEED_CONDITIONS: NextUpstreamCondition[] = [
  'error',
  'timeout',
  'http_500',
  'http_502',
  'http_503',
  'http_504'
]

function situation(change: Partial<Situation> = {}): Situation {
  return {
    kind: 'error',
    method: 'GET',
    requestSent: true,
    isReplayable: true,
    hasAnotherPeer: true,
    attempts: 1,
    maxAttempts: 0,
    elapsedMs: 100,
    timeoutMs: 0,
    conditions: new Set(SEED_CONDITIONS),
    ...change
  }
}

t.test('nginx proxy_next_upstream: whether a request goes on', (t) => {
  const withPost = new Set<NextUpstreamCondition>([...SEED_CONDITIONS, 'non_idempotent'])
  const table: [claim: string, change: Partial<Situation>, goesOn: boolean][] = [
    ['GET, error', {}, true],
    ['PUT is idempotent', { method: 'PUT' }, true],
    ['DELETE is idempotent', { method: 'DELETE' }, true],
    ['POST that was sent', { method: 'POST' }, false],
    ['LOCK that was sent', { method: 'LOCK' }, false],
    ['PATCH that was sent', { method: 'PATCH' }, false],
    ['POST that could not connect', { method: 'POST', requestSent: false }, true],
    ['POST with non_idempotent', { method: 'POST', conditions: withPost }, true],
    ['a kind that is not listed', { kind: 'invalid_header' }, false],
    ['a status that is listed', { kind: 'http_503' }, true],
    ['a status that is not listed', { kind: 'http_404' }, false],
    ['nobody left', { hasAnotherPeer: false }, false],
    ['tries used up', { attempts: 2, maxAttempts: 2 }, false],
    ['tries left', { attempts: 1, maxAttempts: 2 }, true],
    ['time used up', { elapsedMs: 500, timeoutMs: 500 }, false],
    ['time left', { elapsedMs: 499, timeoutMs: 500 }, true],
    ['body gone', { isReplayable: false }, false],
    ['body gone but not sent', { isReplayable: false, requestSent: false }, true]
  ]
  for (const [claim, change, goesOn] of table) {
    t.equal(mayTryNext(situation(change)), goesOn, claim)
  }
  t.end()
})

t.test('nginx max_fails: which failures count', (t) => {
  const table: [kind: FailureKind, last: boolean, movedOn: boolean][] = [
    ['error', true, true],
    ['timeout', true, true],
    ['invalid_header', true, true],
    ['http_500', false, true],
    ['http_504', false, true],
    ['http_429', false, true],
    ['http_403', false, false],
    ['http_404', false, false]
  ]
  for (const [kind, last, movedOn] of table) {
    t.equal(countsAgainstPeer(kind, false), last, `${kind} of the last peer`)
    t.equal(countsAgainstPeer(kind, true), movedOn, `${kind} and the request moved on`)
  }
  t.end()
})
