import { defaultLeaseMs } from '../../../src/config/lease.js'
import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { SHIPPED, type Machine } from '../simulation/machine.js'
import type { Setting } from './choices.js'
import type { Limits } from './explore.js'
import { atRest, coldStart, hasBegun, withFaults, withRenewals, type Member } from './pairs.js'
import { FAULTS, type Fault, type World } from './world.js'

/** A group of directors, and what is fixed for it. */
export interface Group {
  readonly name: string
  readonly members: readonly Member[]
  readonly lease: Milliseconds
  readonly setting: Omit<Setting, 'machine'>
  /** Master_Down_Interval of the weakest, and the longest hand-over. */
  readonly settleLimit: Milliseconds
}

/** What is explored as one: a group, and the faults that it may have. */
export interface FaultClass {
  readonly group: Group
  readonly name: string
  readonly budget: Readonly<Partial<Record<Fault, number>>>
  /** Of all kinds together. */
  readonly total: number
  /** From switched off, in every order, in the place of at rest. */
  readonly isColdStart?: boolean
  /** How long two directors may have the address when the network is whole. */
  readonly double: Milliseconds
  /** How long nobody may serve although a director could. */
  readonly unserved: Milliseconds
}

const SECONDS: Omit<Setting, 'machine'> = {
  latency: 1,
  delays: [100, 250],
  pauses: [500, 1500, 2600, 3500, 10_000],
  restarts: [400, 2500, Infinity],
  outages: [700, 2000, 6000],
  leaseLateness: 160,
  serviceWeight: 20,
  grid: 250
}

const PAIR_MEMBERS: readonly Member[] = [{ priority: 100 }, { priority: 90 }]

/** What the configuration makes the lease where nobody says otherwise. */
function leaseOf(version: 2 | 3, advertIntervalMs: Milliseconds): Milliseconds {
  return defaultLeaseMs({ version, advertIntervalMs, downTimerAdverts: 3, partnerPriority: 100 })
}

export const PAIR: Group = {
  name: 'the pair',
  members: PAIR_MEMBERS,
  lease: leaseOf(2, 1000),
  setting: SECONDS,
  settleLimit: 4900
}

export const FAST_PAIR: Group = {
  name: 'VRRPv3, 100 ms',
  members: PAIR_MEMBERS.map((member) => ({
    ...member,
    router: { version: 3 as const, adverInterval: 100 }
  })),
  lease: leaseOf(3, 100),
  setting: {
    ...SECONDS,
    delays: [25],
    pauses: [150, 1000],
    restarts: [250],
    outages: [200],
    grid: Infinity
  },
  // The lease of a dead director takes longer than its replacement.
  settleLimit: 1160
}

export const KEEPALIVED_PAIR: Group = {
  ...PAIR,
  name: 'hand_over: keepalived',
  members: PAIR_MEMBERS.map((member) => ({
    ...member,
    router: { makesBeforeBreak: false, yieldsWithAdvert: true }
  }))
}

export const EQUAL_PAIR: Group = {
  ...PAIR,
  name: 'equal priorities',
  members: [{ priority: 100 }, { priority: 100 }]
}

export const NOPREEMPT_PAIR: Group = {
  ...PAIR,
  name: 'nopreempt',
  members: PAIR_MEMBERS.map((member) => ({ ...member, router: { preempts: false } }))
}

export const THREE: Group = {
  ...PAIR,
  name: 'three directors',
  members: [{ priority: 100 }, { priority: 90 }, { priority: 80 }],
  setting: {
    ...SECONDS,
    delays: [250],
    pauses: [1500, 3500],
    restarts: [2500],
    outages: [2000, 6000],
    leaseLateness: 0,
    grid: Infinity
  }
}

/** The pair with fewer choices, so that more faults can be combined. */
export const COARSE_PAIR: Group = {
  ...PAIR,
  setting: {
    ...SECONDS,
    delays: [250],
    pauses: [1500, 3500],
    restarts: [2500],
    outages: [2000],
    grid: Infinity
  }
}

/** The pair with cuts that are long enough for a takeover. */
export const CUT_PAIR: Group = {
  ...COARSE_PAIR,
  setting: { ...COARSE_PAIR.setting, outages: [2000, 6000] }
}

export const REFRESHING_PAIR: Group = {
  ...CUT_PAIR,
  name: 'garp_master_refresh 10',
  members: PAIR_MEMBERS.map((member) => ({
    ...member,
    router: { announcements: { delay: 5000, refresh: 10_000, lowerPriorityDelay: 5000 } }
  })),
  settleLimit: 10_001
}

/** A service that fails does not change who is the stronger one (acassen/keepalived#2599). */
export const LIGHT_PAIR: Group = {
  ...REFRESHING_PAIR,
  name: 'a weight of 5',
  setting: { ...COARSE_PAIR.setting, outages: [6000], serviceWeight: 5 }
}

/** A lease that is too long: what the default avoids. */
export const LONG_LEASE_PAIR: Group = { ...PAIR, name: 'address_lease 3s', lease: 3000 }

type Budget = Readonly<Partial<Record<Fault, number>>>

/** Every kind of fault, so many times. */
function every(count: number, ...but: readonly Fault[]): Budget {
  return Object.fromEntries(FAULTS.map((fault) => [fault, but.includes(fault) ? 0 : count]))
}

function faultClass(
  group: Group,
  name: string,
  budget: Budget,
  limits: Pick<FaultClass, 'double' | 'unserved'>,
  total = Object.values(budget).reduce((sum, count) => sum + count, 0)
): FaultClass {
  return { group, name, budget, total, ...limits }
}

/** Two packets: the addresses are there until the new master is heard. */
const HANDED_OVER: Milliseconds = 2
/** An interval until one of two masters is heard, and the packet. */
const UNTIL_HEARD: Milliseconds = 1001
/** Master_Down_Interval of the pair's backup, and a packet. */
const SILENCE: Milliseconds = 3650
/** A lease that was renewed just before, and the kernel's lateness. */
const LEASE: Milliseconds = 2160

/** What is explored at each run of the tests. */
export const CLASSES: readonly FaultClass[] = [
  {
    ...faultClass(PAIR, 'none, switched on in any order', {}, { double: 2, unserved: SILENCE }),
    isColdStart: true
  },
  faultClass(PAIR, 'two packets lost', { loss: 2 }, { double: 0, unserved: 0 }),
  faultClass(PAIR, 'three packets lost', { loss: 3 }, { double: 2, unserved: 0 }),
  faultClass(PAIR, 'three packets late', { delay: 3 }, { double: 0, unserved: 0 }),
  faultClass(PAIR, 'three packets twice', { duplicate: 3 }, { double: 0, unserved: 0 }),
  faultClass(PAIR, 'process killed', { kill: 1 }, { double: 2, unserved: SILENCE }),
  faultClass(LONG_LEASE_PAIR, 'process killed', { kill: 1 }, { double: 511, unserved: SILENCE }),
  faultClass(PAIR, 'power lost', { 'power loss': 1 }, { double: 2, unserved: SILENCE }),
  faultClass(PAIR, 'process stands still', { pause: 1 }, { double: 2, unserved: SILENCE }),
  faultClass(
    LONG_LEASE_PAIR,
    'process stands still',
    { pause: 1 },
    { double: 511, unserved: SILENCE }
  ),
  faultClass(PAIR, 'service fails', { service: 1 }, { double: HANDED_OVER, unserved: 650 }),
  faultClass(
    PAIR,
    'services fail, twice',
    { service: 2 },
    { double: HANDED_OVER, unserved: SILENCE }
  ),
  faultClass(PAIR, 'stopped', { stop: 1 }, { double: HANDED_OVER, unserved: 0 }),
  faultClass(PAIR, 'link lost', { link: 1 }, { double: 2, unserved: SILENCE }),
  faultClass(PAIR, 'network cut', { cut: 1 }, { double: UNTIL_HEARD, unserved: 0 }),
  faultClass(
    PAIR,
    'network cut in one direction',
    { 'one-way cut': 1 },
    { double: UNTIL_HEARD, unserved: 0 }
  ),
  faultClass(
    REFRESHING_PAIR,
    'network cut twice',
    { cut: 2 },
    { double: UNTIL_HEARD, unserved: 0 }
  ),
  faultClass(
    PAIR,
    'stopped, and a packet lost',
    { stop: 1, loss: 1 },
    { double: UNTIL_HEARD, unserved: SILENCE }
  ),
  faultClass(
    PAIR,
    'service fails, and a packet lost',
    { service: 1, loss: 1 },
    { double: UNTIL_HEARD, unserved: SILENCE }
  ),
  faultClass(
    LIGHT_PAIR,
    'a service fails, and the network is cut',
    { service: 1, cut: 1 },
    { double: UNTIL_HEARD, unserved: SILENCE }
  ),
  faultClass(
    COARSE_PAIR,
    'any two but cuts',
    every(2, 'cut', 'one-way cut'),
    { double: LEASE, unserved: 9000 },
    2
  ),
  faultClass(FAST_PAIR, 'any one', every(1), { double: LEASE, unserved: 1000 }, 1),
  faultClass(KEEPALIVED_PAIR, 'any one', every(1), { double: UNTIL_HEARD, unserved: SILENCE }, 1),
  faultClass(EQUAL_PAIR, 'any one', every(1), { double: UNTIL_HEARD, unserved: SILENCE }, 1),
  faultClass(NOPREEMPT_PAIR, 'any one', every(1), { double: UNTIL_HEARD, unserved: SILENCE }, 1),
  faultClass(THREE, 'any one', every(1), { double: UNTIL_HEARD, unserved: SILENCE }, 1)
]

/** What `npm run explore` has besides: as deep as memory goes. */
export const DEEP_CLASSES: readonly FaultClass[] = [
  faultClass(
    PAIR,
    'any two but cuts',
    every(2, 'cut', 'one-way cut'),
    { double: LEASE, unserved: 9000 },
    2
  ),
  faultClass(
    COARSE_PAIR,
    'any three but cuts',
    every(3, 'cut', 'one-way cut'),
    { double: 2 * LEASE, unserved: 15_000 },
    3
  ),
  faultClass(
    REFRESHING_PAIR,
    'any two',
    every(2),
    { double: UNTIL_HEARD + LEASE, unserved: 9000 },
    2
  ),
  faultClass(
    THREE,
    'any two but cuts',
    every(2, 'cut', 'one-way cut'),
    { double: LEASE, unserved: 9000 },
    2
  )
]

/** Moments at which the second director of a cold start is switched on, after the first or before. */
const OFFSETS: readonly Milliseconds[] = [0, 1, 500, 1000, 2500, 3609, 3610, 3648, 3649, 5000]

/** The worlds that a class begins with. */
export function firstWorlds(faults: FaultClass, setting: Setting): readonly World[] {
  const { members } = faults.group
  const lease = leaseIn(faults)
  if (faults.isColdStart === true) {
    const starts = OFFSETS.flatMap((offset) => [
      [0, offset],
      [offset, 0]
    ])
    return starts.map((each) => coldStart(members, lease, each))
  }
  const together = members.map(() => 0)
  // So that a weaker one is master, and is preempted if it may be.
  const weakestFirst = members.map((_, i) => 6250 * (members.length - i))
  // Where faults are combined one phase of adverts and renewals has to do.
  const isSingle = faults.total === 1
  const worlds = (isSingle ? [together, weakestFirst] : [together]).map((starts) =>
    atRest(setting, coldStart(members, lease, starts))
  )
  const drifts = isSingle && lease !== Infinity ? [0, lease / 12] : [0]
  return worlds
    .flatMap((world) => drifts.map((drift) => withRenewals(world, drift)))
    .map((world) => (hasBegun(world) ? withFaults(world, faults.budget, faults.total) : world))
}

/** A lease matters when its director dies or stands still; else it is renewed in time, for ever. */
function leaseIn({ group, budget }: FaultClass): Milliseconds {
  return (budget.kill ?? 0) > 0 || (budget.pause ?? 0) > 0 ? group.lease : Infinity
}

export function settingOf({ group }: FaultClass, machine: Machine = SHIPPED): Setting {
  return { ...group.setting, machine }
}

/** The survivor of two masters announces with its next advertisement, or with its second burst. */
const ANNOUNCED_BY: Milliseconds = 5001

export function limitsOf({ group, double, unserved }: FaultClass): Limits {
  return { double, unserved, unsettled: group.settleLimit, owed: ANNOUNCED_BY }
}
