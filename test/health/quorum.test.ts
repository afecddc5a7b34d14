import t from 'tap'
import { changesAt, observeCount, UNCOUNTED, type QuorumRules } from '../../src/health/quorum.js'

const RULES: QuorumRules = { quorum: 2, quorumMax: 3, terminateDelayMs: 0, forkDelayMs: 0 }

/** What is thought after each count, one second apart. */
function follow(counts: readonly number[], rules: QuorumRules): string {
  let status = UNCOUNTED
  return counts
    .map((count, second) => {
      status = observeCount(status, count, rules, second * 1000)
      return status.isUp === true ? 'U' : 'D'
    })
    .join('')
}

t.test('keepalived: at least quorum and at most quorum_max processes pass', (t) => {
  t.equal(follow([0, 1, 2, 3, 4], RULES), 'DDUUD')
  t.equal(follow([0, 1], { ...RULES, quorum: 0, quorumMax: 0 }), 'UD', 'must not run at all')
  t.end()
})

t.test('the first count passes or fails at once, whatever the delays', (t) => {
  const slow = { ...RULES, terminateDelayMs: 9000, forkDelayMs: 9000 }
  t.equal(follow([2], slow), 'U')
  t.equal(follow([0], slow), 'D')
  t.end()
})

t.test('keepalived: terminate_delay and fork_delay are how long a change has to last', (t) => {
  const rules = { ...RULES, terminateDelayMs: 2000, forkDelayMs: 1000 }
  t.equal(follow([2, 0, 0, 0, 2, 2], rules), 'UUUDDU')
  t.equal(follow([2, 0, 0, 2, 0, 0], rules), 'UUUUUU', 'a change that is undone counts anew')
  t.end()
})

t.test('it is known when a delay ends', (t) => {
  const rules = { ...RULES, terminateDelayMs: 1500 }
  const up = observeCount(UNCOUNTED, 2, rules, 0)
  t.equal(changesAt(up, rules), null)
  t.equal(changesAt(observeCount(up, 0, rules, 1000), rules), 2500)
  t.end()
})
