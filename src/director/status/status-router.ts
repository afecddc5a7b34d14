import type { PriorityEffect, SyncGroupStatus, VirtualRouterStatus } from '../../admin/model.js'
import type { SyncGroup, VirtualAddress, VirtualRouterConfig } from '../../config/model.js'
import { LATENESS_BOUNDS, type LateAdvertisement, type Statistics } from '../../vrrp/counters.js'
import { nextTimer } from '../../vrrp/machine.js'
import type { State } from '../../vrrp/model.js'
import { masterDownInterval, skewTime } from '../../vrrp/timing.js'
import type { Effect } from '../elections/conditions.js'
import type { Instant, Moment, Story } from './router-story.js'
import type { RouterRules } from './sentences.js'
import { becauseOf, type Sibling } from './why.js'
import type { RouterWishes } from '../orders/router-wishes.js'
import { toIso } from '../iso-time.js'

/** What a virtual router knows about itself. */
export interface RouterFacts {
  readonly config: VirtualRouterConfig
  readonly rules: RouterRules
  readonly state: State
  /** Its interface is gone; it begins anew when that is back. */
  readonly isGone: boolean
  readonly effects: readonly Effect[]
  readonly statistics: Statistics
  readonly lastLate: LateAdvertisement | null
  readonly story: Story
  /** The other members of its sync groups. */
  readonly siblings: readonly Sibling[]
}

/** What the elections know about all of them. */
export interface ElectionFacts {
  readonly routers: readonly RouterFacts[]
  /** A state is null until the group has come to one. */
  readonly groups: readonly { readonly config: SyncGroup; readonly state: string | null }[]
}

/** @param startedAt since when a virtual router is what it is that never took a step */
export function virtualRouterStatus(
  facts: RouterFacts,
  wishes: Pick<RouterWishes, 'of'>,
  startedAt: Instant,
  now: Instant
): VirtualRouterStatus {
  const { config, state, story, effects, isGone } = facts
  const { name } = config
  const { priority: priorityOverride, isSteppedDown } = wishes.of(name)
  const change = changeOf(story, isGone)
  return {
    name,
    interface: config.interface,
    vrid: config.vrid,
    vrrp_version: config.version,
    family: config.family,
    state: isGone ? 'fault' : state.name,
    since: toIso((change?.at ?? startedAt).wall),
    reason: change?.reason ?? null,
    because: becauseOf({
      ...facts,
      story: { ...story, change },
      basePriority: priorityOverride ?? config.priority,
      now
    }),
    is_handing_over: state.name === 'master' && state.handOver !== null,
    stepped_down: isSteppedDown,
    addresses: [...config.addresses, ...config.excludedAddresses].map(formatAddress),
    configured_priority: config.priority,
    priority_override: priorityOverride,
    effective_priority: state.priority,
    effects: effects.map(toPriorityEffect),
    master: masterOf(state, story, now),
    timers: timersOf(facts, now),
    ...countsOf(facts.statistics)
  }
}

export function syncGroupStatus({
  config,
  state
}: ElectionFacts['groups'][number]): SyncGroupStatus {
  return { name: config.name, state: state ?? 'INIT', members: config.members }
}

/** A virtual router without its interface was stopped, but what ended it was the fault. */
function changeOf({ change, previous }: Story, isGone: boolean): Moment | null {
  return isGone && change?.to.name === 'initialize' && previous?.to.name === 'fault'
    ? previous
    : change
}

function masterOf(state: State, { master }: Story, now: Instant): VirtualRouterStatus['master'] {
  if (state.name === 'master' || master === null) return null
  const { address, priority, at } = master
  return { address, priority, last_heard_s: round((now.monotonic - at.monotonic) / 1000) }
}

function timersOf({ rules, state }: RouterFacts, now: Instant): VirtualRouterStatus['timers'] {
  // A backup waits for the master, in the interval of that (RFC 9568 §6.1).
  const interval = state.name === 'backup' ? state.masterAdverInterval : rules.adverInterval
  const next = nextTimer(state)
  return {
    advert_interval_ms: interval,
    skew_time_ms: skewTime(rules, state.priority, interval),
    master_down_interval_ms: masterDownInterval(rules, state.priority, interval),
    next: next && { what: next.what, in_ms: round(Math.max(0, next.at - now.monotonic)) }
  }
}

function countsOf({
  lateness,
  ...counters
}: Statistics): Pick<VirtualRouterStatus, 'counters' | 'lateness'> {
  return {
    counters,
    lateness: {
      bounds_s: LATENESS_BOUNDS.map((bound) => bound / 1000),
      counts: lateness.classes,
      sum_s: lateness.sum / 1000,
      max_s: lateness.max / 1000
    }
  }
}

function toPriorityEffect({ what, verb, detail, added, isFault }: Effect): PriorityEffect {
  return {
    what,
    detail: detail === null || detail === verb ? verb : `${verb}: ${detail}`,
    added,
    is_fault: isFault
  }
}

function formatAddress({ address, prefixLength }: VirtualAddress): string {
  return `${address}/${prefixLength}`
}

/** To a thousandth: what is less is noise. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
