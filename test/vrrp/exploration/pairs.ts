import type { VirtualRouter } from '../../../src/vrrp/model.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { newHost } from '../simulation/host.js'
import { PAIR_MASTER } from '../router.js'
import { choicesOf, type Setting } from './choices.js'
import { FAULTS, hostsOf, type Fault, type World } from './world.js'
import { isSettled } from '../simulation/oracle.js'

/** One director of a group: what differs from the master of the pair. */
export interface Member {
  readonly priority: number
  readonly router?: Partial<VirtualRouter>
}

const ADDRESSES = ['192.168.64.130', '192.168.64.134', '192.168.64.138']

/** Directors that are switched on after one another. */
export function coldStart(
  members: readonly Member[],
  lease: Milliseconds,
  startsAt: readonly Milliseconds[]
): World {
  return {
    now: 0,
    nodes: members.map(({ priority, router }, i) => ({
      host: newHost(
        {
          ...PAIR_MASTER,
          primaryAddress: ADDRESSES[i] ?? '192.168.64.142',
          startsAsMaster: i === 0,
          ...router
        },
        priority,
        lease
      ),
      wakeAt: startsAt[i] ?? 0,
      answeredAt: null
    })),
    messages: [],
    client: null,
    budget: {},
    faultsLeft: 0,
    cut: [],
    healAt: null,
    spans: { double: null, unserved: null, unsettled: null, owed: null },
    disturbedAt: 0,
    violation: null
  }
}

/** How long a group runs alone until faults begin: past the second announcement. */
const WARM_UP: Milliseconds = 30_000

/**
 * The group at rest, without any fault until then. A group that does not come to rest is given back
 * as it was: its exploration shows why.
 */
export function atRest(setting: Setting, world: World): World {
  let now = world
  while (now.now < WARM_UP) {
    const [choice] = choicesOf(setting, now)
    if (!choice) break
    now = choice.world
  }
  return isSettled(hostsOf(now), now.client) || now.violation ? now : world
}

/** Whether `atRest` has reached rest. */
export function hasBegun(world: World): boolean {
  return world.now > 0
}

/** The same world in which so many faults may happen, of each kind and of all. */
export function withFaults(
  world: World,
  budget: Readonly<Partial<Record<Fault, number>>>,
  total = FAULTS.reduce((sum, fault) => sum + (budget[fault] ?? 0), 0)
): World {
  return { ...world, budget, faultsLeft: total }
}

/** The same world with the renewals of the leases this much earlier: they keep no step with the rest. */
export function withRenewals(world: World, earlier: Milliseconds): World {
  const nodes = world.nodes.map((node) => {
    const { renewAt, heldUntil } = node.host
    if (renewAt === null || heldUntil === null || renewAt - earlier < world.now) return node
    return {
      ...node,
      host: { ...node.host, renewAt: renewAt - earlier, heldUntil: heldUntil - earlier }
    }
  })
  return { ...world, nodes }
}
