import t from 'tap'
import { penalise, pick } from '../../src/proxy/upstream/round-robin.js'

function peersOf(...weights: number[]): {
  name: string
  weight: number
  effectiveWeight: number
  currentWeight: number
  share: number
}[] {
  return weights.map((weight, i) => ({
    name: 'abcdef'.charAt(i),
    weight,
    effectiveWeight: weight,
    currentWeight: 0,
    share: 1
  }))
}

function picks(peers: ReturnType<typeof peersOf>, count: number, without = ''): string {
  let names = ''
  for (let i = 0; i < count; i++) {
    const index = pick(peers, (peer) => !without.includes(peer.name))
    names += peers[index]?.name ?? '-'
  }
  return names
}

t.test('nginx: the sequence of smooth weighted round robin', (t) => {
  const table: [weights: number[], count: number, sequence: string][] = [
    [[1, 1], 4, 'abab'],
    [[5, 1, 1], 7, 'aabacaa'],
    [[1, 2, 3], 6, 'cbacbc'],
    [[1, 1, 1], 6, 'abcabc'],
    [[3], 3, 'aaa'],
    [[], 2, '--']
  ]
  for (const [weights, count, sequence] of table) {
    t.equal(picks(peersOf(...weights), count), sequence, weights.join(','))
  }
  t.end()
})

t.test('nginx: a peer that is down gains nothing and the others keep their shares', (t) => {
  const peers = peersOf(1, 1, 1)
  t.equal(picks(peers, 2), 'ab')
  t.equal(picks(peers, 4, 'c'), 'abab')
  t.equal(picks(peers, 3), 'cab', 'back, it has its turn and no more')
  t.equal(picks(peers, 1, 'abc'), '-')
  t.end()
})

t.test('nginx: effective weight falls by weight / max_fails and recovers by 1 a round', (t) => {
  const peers = peersOf(4, 4)
  const [a] = peers
  if (a === undefined) throw new Error('no peer')
  penalise(a, 2)
  t.equal(a.effectiveWeight, 2)
  penalise(a, 2)
  penalise(a, 2)
  t.equal(a.effectiveWeight, 0, 'never below 0')
  t.equal(picks(peers, 4), 'bbab')
  t.equal(a.effectiveWeight, 4)
  const [peer] = peersOf(1)
  if (peer === undefined) throw new Error('no peer')
  penalise(peer, 2)
  t.equal(peer.effectiveWeight, 1, 'the example pair: 1 / 2 is 0 in whole numbers')
  penalise(peer, 0)
  t.equal(peer.effectiveWeight, 1, 'max_fails=0 counts nothing')
  t.end()
})
