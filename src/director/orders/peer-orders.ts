import type { Command, CommandResult } from '../../admin/model.js'
import type { Upstream } from '../../proxy/model.js'
import type { PeerWish } from '../../proxy/upstream/peer-wish.js'
import { done, listed, refused, requestsAre, unknownName } from './command-results.js'
import type { KnownPeer } from '../workers/peer-watches.js'

/** How long an answer waits for the requests that run. */
const DRAIN_WAIT_MS = 1000

/** Each worker makes 160 points for each unit of weight, and serves nobody meanwhile. */
const MAX_RING_WEIGHT = 1000

type PeerCommand = Extract<Command, { action: 'peer' }>

/** What orders for peers need of the director. */
export interface PeerOrdersPorts {
  readonly upstreams: readonly Upstream[]
  readonly supervisor: {
    readonly peers: readonly KnownPeer[]
    wantPeer(index: number, change: Partial<PeerWish>): void
    inFlightOf(index: number): number | null
    drained(indices: readonly number[], timeoutMs: number): Promise<void>
  }
}

/** Orders for peers: whether they take requests, and how many. */
export class PeerOrders {
  readonly #ports: PeerOrdersPorts

  constructor(ports: PeerOrdersPorts) {
    this.#ports = ports
  }

  async peer(command: PeerCommand): Promise<CommandResult> {
    const { upstreams, supervisor } = this.#ports
    const upstream = upstreams.find(({ name }) => name === command.upstream)
    if (upstream === undefined) {
      const names = upstreams.map(({ name }) => name)
      return unknownName('upstream', command.upstream, names)
    }
    const before = this.#peersOf(upstream)
    // A server may be written twice in a group: both are the same machine.
    const chosen = before.filter(({ name }) => name === command.peer)
    if (chosen.length === 0) {
      const names = [...new Set(before.map(({ name }) => name))]
      return unknownName(`peer of upstream ${upstream.name}`, command.peer, names)
    }
    const tooMuch = ringProblem(upstream, before, command)
    if (tooMuch !== null) return refused('TSHA_E_COMMAND', tooMuch)
    const { state, weight } = command
    for (const { index } of chosen) {
      supervisor.wantPeer(index, {
        ...(state === undefined ? {} : { state }),
        ...(weight === undefined ? {} : { weight })
      })
    }
    const lines = weight === undefined ? [] : weightLines(chosen, weight)
    if (state === undefined) return done(lines)
    const effects = state === 'up' ? [] : await this.#leavingLines(upstream, before, chosen)
    return done([...stateLines(chosen, state), ...effects, ...lines])
  }

  #peersOf(upstream: Upstream): readonly KnownPeer[] {
    return this.#ports.supervisor.peers.filter((peer) => peer.upstream === upstream.name)
  }

  async #leavingLines(
    upstream: Upstream,
    before: readonly KnownPeer[],
    chosen: readonly KnownPeer[]
  ): Promise<readonly string[]> {
    const { supervisor } = this.#ports
    const indices = chosen.map(({ index }) => index)
    const lack = lackLines(upstream, before, this.#peersOf(upstream))
    await supervisor.drained(indices, DRAIN_WAIT_MS)
    const counts = indices.map((index) => supervisor.inFlightOf(index))
    const known = counts.filter((count) => count !== null)
    const count = known.reduce((sum, each) => sum + each, 0)
    if (known.length < counts.length) {
      return ['a worker has not told yet how many requests are in flight', ...lack]
    }
    if (count === 0) return ['no request is in flight', ...lack]
    return [`${requestsAre(count)} in flight; the log tells when there is none any more`, ...lack]
  }
}

function stateLines(chosen: readonly KnownPeer[], state: PeerWish['state']): readonly string[] {
  const [peer] = chosen
  if (peer === undefined) return []
  const subject = `${peer.upstream} ${peer.name}`
  const isOld = chosen.every(({ wish }) => wish.state === state)
  switch (state) {
    case 'down':
      return [
        `${subject} ${isOld ? 'was down already' : 'is down'}: it takes no new requests, and is not checked`
      ]
    case 'drain':
      return [`${subject} ${isOld ? 'was draining already' : 'drains'}: it takes no new requests`]
    case 'up': {
      const was = WAS[peer.state]
      const configured = peer.server.down
        ? '; the configuration has it down, as it is after a restart'
        : ''
      return [
        `${subject} is up (${was}): it takes requests, and what failed is forgotten${configured}`
      ]
    }
  }
}

const WAS: Readonly<Record<KnownPeer['state'], string>> = {
  up: 'was up already',
  out: 'was out',
  down: 'was down',
  drain: 'was draining'
}

function weightLines(chosen: readonly KnownPeer[], weight: number | null): readonly string[] {
  return chosen.map(({ upstream, name, server }) =>
    weight === null
      ? `${upstream} ${name} has its configured weight ${server.weight} again`
      : `${upstream} ${name} has weight ${weight} in the place of the configured ${server.weight}, ` +
        'until another order or a restart of tsha'
  )
}

/** What an upstream is short of after some of its peers were taken out. */
function lackLines(
  upstream: Upstream,
  before: readonly KnownPeer[],
  after: readonly KnownPeer[]
): readonly string[] {
  const up = after.filter(({ state }) => state === 'up')
  const { name } = upstream
  if (up.length > 0) {
    const isPrimary = ({ server }: KnownPeer): boolean => !server.backup
    const hadPrimary = before.some((peer) => peer.state === 'up' && isPrimary(peer))
    if (!hadPrimary || up.some(isPrimary)) return []
    const backups = listed(up.map((peer) => peer.name))
    return [`WARNING: only backup servers of ${name} are up now: ${backups}`]
  }
  const out = after.filter(({ state }) => state === 'out')
  if (out.length === 0) {
    const { queue } = upstream
    const wait = queue ? `after ${queue.timeoutMs / 1000} s in the queue ` : ''
    return [
      `WARNING: ${name} has no server left that takes requests: clients get 502 ${wait}until one is up`
    ]
  }
  const failed = listed(out.map((peer) => peer.name))
  const are = out.length === 1 ? 'is' : 'are'
  return [
    `WARNING: no server of ${name} is up: ${failed} ${are} out; ` +
      (upstream.lastResort ? 'requests try the least bad as a last resort' : 'clients get 502')
  ]
}

/** Null when the weight can be used. */
function ringProblem(
  { name, balance }: Upstream,
  peers: readonly KnownPeer[],
  { peer, weight }: PeerCommand
): string | null {
  if (weight === undefined || weight === null) return null
  if (balance.method !== 'hash' || !balance.consistent) return null
  const sum = (weightOf: (peer: KnownPeer) => number): number =>
    peers.reduce((total, each) => total + weightOf(each), 0)
  const total = sum((each) => (each.name === peer ? weight : each.weight))
  const configured = sum(({ server }) => server.weight)
  if (total <= Math.max(MAX_RING_WEIGHT, configured)) return null
  return (
    `weight is ${weight}; the weights of ${name}, a consistent hash, would add up to ${total}: ` +
    `use less, at most ${Math.max(MAX_RING_WEIGHT, configured)} together`
  )
}
