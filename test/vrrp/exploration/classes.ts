import type { Milliseconds } from '../../../src/vrrp/timing.js'
import { SHIPPED, type Machine } from '../simulation/machine.js'
import type { Setting } from './choices.js'
import type { Limits } from './explore.js'
import { atRest, coldStart, withFaults, withRenewals, type Member } from './pairs.js'
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

export const PAIR: Group = {
  name: 'the pair',
  members: PAIR_MEMBERS,
  lease: 3000,
  setting: SECONDS,
  settleLimit: 4900
}


export const FAST_PAIR: Group = {
  name: 'VRRPv3, 100 ms',
  members: PAIR_MEMBERS.map((member) => ({
    ...member,
    router: { version: 3 as const, adverInterval: 100 }
  })),
  lease: 2000,
  setting: {
    ...SECONDS,
    delays: [25],
    pauses: [150, 350, 1000],
    restarts: [40, 250],
    outages: [70, 200, 600],
    grid: Infinity
  },
  // The lease of a dead director takes longer than its replacement.
  settleLimit: 2160
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

/** Every kind of fault, so many times. */
export function anyFaults(count: number): Readonly<Partial<Record<Fault, number>>> {
  return Object.fromEntries(FAULTS.map((fault) => [fault, count]))
}

function only(
  group: Group,
  name: string,
  budget: Readonly<Partial<Record<Fault, number>>>,
  double: Milliseconds
): FaultClass {
  const total = Object.values(budget).reduce((sum, count) => sum + count, 0)
  return { group, name, budget, total, double }
}

export const CLASSES: readonly FaultClass[] = [
  { ...only(PAIR, 'none, switched on in any order', {}, 2), isColdStart: true },
  only(PAIR, 'two packets lost', { loss: 2 }, 0),
  only(PAIR, 'three packets lost', { loss: 3 }, 2),
  only(PAIR, 'three packets 100 or 250 ms late', { delay: 3 }, 0),
  only(PAIR, 'three packets twice', { duplicate: 3 }, 0),
  only(PAIR, 'process killed', { kill: 1 }, 3160),
  only(PAIR, 'power lost', { 'power loss': 1 }, 2),
  only(PAIR, 'process stands still', { pause: 1 }, 3160),
  only(PAIR, 'service fails', { service: 1 }, 2),
  only(PAIR, 'services fail, three times', { service: 3 }, 2),
  only(PAIR, 'stopped', { stop: 1 }, 2),
  only(PAIR, 'link lost', { link: 1 }, 2),
  only(PAIR, 'network cut', { cut: 1 }, 1010),
  only(PAIR, 'network cut in one direction', { 'one-way cut': 1 }, 1010),
  only(PAIR, 'stopped, and a packet lost', { stop: 1, loss: 1 }, 1260),
  only(PAIR, 'service fails, and a packet lost', { service: 1, loss: 1 }, 1260),
  ...[FAST_PAIR, KEEPALIVED_PAIR, EQUAL_PAIR, NOPREEMPT_PAIR].map((group) => ({
    ...only(group, 'any one', anyFaults(1), 3160),
    total: 1
  })),
  { ...only(THREE, 'any one', anyFaults(1), 3160), total: 1 },
  { ...only(PAIR, 'any two but cuts', { ...anyFaults(2), cut: 0, 'one-way cut': 0 }, 3160), total: 2 }
]

/** Moments at which the second director of a cold start is switched on, after the first or before. */
const OFFSETS: readonly Milliseconds[] = [0, 1, 500, 1000, 2500, 3609, 3610, 3648, 3649, 5000]

/** The worlds that a class begins with. */
export function firstWorlds(faults: FaultClass, setting: Setting): readonly World[] {
  const { members, lease } = faults.group
  if (faults.isColdStart === true) {
    const starts = OFFSETS.flatMap((offset) => [
      [0, offset],
      [offset, 0]
    ])
    return starts.map((each) => coldStart(members, lease, each))
  }
  const worlds = [
    members.map(() => 0),
    members.map((_, i) => 5500 * i),
    members.map((_, i) => 6250 * (members.length - i))
  ].map((starts) => atRest(setting, coldStart(members, lease, starts)))
  return worlds
    .flatMap((world) => [world, withRenewals(world, lease / 6)])
    .map((world) => withFaults(world, faults.budget, faults.total))
}

export function settingOf({ group }: FaultClass, machine: Machine = SHIPPED): Setting {
  return { ...group.setting, machine }
}

export function limitsOf({ group, double }: FaultClass): Limits {
  return { double, unserved: 20_000, unsettled: group.settleLimit, owed: 12_000 }
}
