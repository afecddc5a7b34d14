import type { Balance } from '../model.js'
import { compileTemplate, type ProcessFacts, type Transaction } from '../variables.js'
import { Ring } from './consistent-hash.js'
import { addressBytes, pickByAddress, placeOfAddress } from './ip-hash.js'
import { pickByKey, placeOfHash } from './key-hash.js'
import type { KeyPlace } from './key-place.js'
import { pickLeastConn } from './least-conn.js'
import type { Peer } from './peer.js'
import { pickRandomTwo } from './random-two.js'
import { pick } from './round-robin.js'

/** A request that a peer is chosen for. */
export interface Claim {
  readonly transaction: Transaction
  /** Peers that it has tried. */
  readonly tried: readonly Peer[]
  /** Where its key has come to; null before the first pick, and where no key is followed. */
  place: KeyPlace | null
}

/** Chooses a peer among those that are usable and moves what has to move; null if none is. */
export type Balancer = (claim: Claim, isUsable: (peer: Peer) => boolean) => Peer | null

/** What the methods need of the world. */
export interface BalancerPorts {
  /** From 0 to 1, without 1. */
  readonly random: () => number
  readonly facts: ProcessFacts
}

/**
 * Compiles the method of a group.
 * @throws {RangeError} for an unknown variable in the key of a hash
 */
export function compileBalancer(
  balance: Balance,
  peers: readonly Peer[],
  ports: BalancerPorts
): Balancer {
  const inTurn: Balancer = (_claim, isUsable) => peers[pick(peers, isUsable)] ?? null
  // As in nginx: one peer leaves no choice, whatever the method.
  if (peers.length < 2) return inTurn
  switch (balance.method) {
    case 'round_robin':
      return inTurn
    case 'least_conn':
      return (_claim, isUsable) => peers[pickLeastConn(peers, isUsable)] ?? null
    case 'random_two': {
      const { random } = ports
      return (claim, isUsable) =>
        peers[pickRandomTwo(peers, isUsable, random)] ?? inTurn(claim, isUsable)
    }
    case 'ip_hash':
      return (claim, isUsable) => {
        const bytes = addressBytes(claim.transaction.client.remoteAddress)
        const place = (claim.place ??= placeOfAddress())
        return peers[pickByAddress(peers, isUsable, bytes, place)] ?? inTurn(claim, isUsable)
      }
    case 'hash': {
      const keyOf = compileTemplate(balance.key, ports.facts)
      if (balance.consistent) {
        const ring = new Ring(peers)
        return (claim, isUsable) => {
          const key = keyOf(claim.transaction)
          if (key === '') return inTurn(claim, isUsable)
          const place = (claim.place ??= ring.placeOf(key))
          return ring.pick(isUsable, place) ?? inTurn(claim, isUsable)
        }
      }
      return (claim, isUsable) => {
        const key = keyOf(claim.transaction)
        const place = (claim.place ??= placeOfHash())
        return peers[pickByKey(peers, isUsable, key, place)] ?? inTurn(claim, isUsable)
      }
    }
  }
}
