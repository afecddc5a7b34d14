import { notifyChanges, trackChanges } from './diff-followed.js'
import { changesOf } from './diff-fields.js'
import type {
  Announcements,
  Authentication,
  Unicast,
  VirtualAddress,
  VirtualRouterConfig
} from './model.js'
import { isSame } from './same.js'

/** Two configurations' virtual routers, one with the other. */
interface MatchedRouters {
  readonly removed: readonly VirtualRouterConfig[]
  readonly added: readonly VirtualRouterConfig[]
  /** The same virtual router before and after, changed or not. */
  readonly kept: readonly {
    readonly before: VirtualRouterConfig
    readonly after: VirtualRouterConfig
  }[]
}

/**
 * What makes a virtual router the same one for its partners: vrid, family and interface (keepalived). Its
 * name may change.
 */
export function routerKey({ vrid, family, interface: name }: VirtualRouterConfig): string {
  return `${vrid} ${family} ${name}`
}

/** Finds the virtual routers that are there before and after, in the order of the later ones. */
function matchRouters(
  before: readonly VirtualRouterConfig[],
  after: readonly VirtualRouterConfig[]
): MatchedRouters {
  const old = new Map(before.map((router) => [routerKey(router), router]))
  const remaining = new Set(after.map(routerKey))
  return {
    removed: before.filter((router) => !remaining.has(routerKey(router))),
    added: after.filter((router) => !old.has(routerKey(router))),
    kept: after.flatMap((router) => {
      const match = old.get(routerKey(router))
      return match ? [{ before: match, after: router }] : []
    })
  }
}

/** One line for each change of a virtual router. */
export function routerChanges(
  before: readonly VirtualRouterConfig[],
  after: readonly VirtualRouterConfig[]
): readonly string[] {
  const { removed, added, kept } = matchRouters(before, after)
  return [
    ...removed.map(({ name }) => `virtual router ${name}: removed`),
    ...kept.flatMap((pair) => changesOfRouter(pair.before, pair.after)),
    ...added.map(({ name }) => `virtual router ${name}: added`)
  ]
}

/** Every field of a virtual router, and who describes its change. A new field has to be named here. */
const FIELDS: Readonly<
  Record<
    keyof VirtualRouterConfig,
    string | ((label: string, before: VirtualRouterConfig, after: VirtualRouterConfig) => Lines)
  >
> = {
  name: 'name',
  // These three make it another virtual router.
  interface: 'interface',
  vrid: 'vrid',
  family: 'family',
  version: 'version',
  priority: 'priority',
  initialState: 'state',
  advertIntervalMs: 'advert_interval',
  downTimerAdverts: 'down_timer_adverts',
  authentication: (label, before, after) =>
    authenticationChanges(label, before.authentication, after.authentication),
  checksumPseudoHeader: 'checksum',
  addresses: (label, before, after) => addressChanges(label, before, after, 'addresses', 'address'),
  excludedAddresses: (label, before, after) =>
    addressChanges(label, before, after, 'excludedAddresses', 'excluded address'),
  sourceAddress: 'source_address',
  multicastGroup: 'multicast_group',
  unicast: (label, before, after) => unicastChanges(label, before.unicast, after.unicast),
  preempt: 'preempt',
  preemptDelayMs: 'preempt_delay',
  answersLowerPriority: 'lower_prio_advert',
  yieldsWithAdvert: 'higher_prio_advert',
  ignoresAdverts: 'owner_ignore_adverts',
  tracksInterface: 'track_primary',
  promotesSecondaries: 'promote_secondaries',
  announcements: (label, before, after) =>
    changesOf<Announcements>(label, before.announcements, after.announcements, ANNOUNCEMENTS),
  track: (label, before, after) => trackChanges(label, before.track, after.track),
  notify: (label, before, after) => notifyChanges(label, before.notify, after.notify),
  tellsPriority: 'notify_priority_changes',
  handOver: 'hand_over',
  addressLeaseMs: 'address_lease'
}

const ANNOUNCEMENTS: Readonly<Record<keyof Announcements, string>> = {
  repeat: 'announcement repeat',
  delayMs: 'announcement delay',
  refreshMs: 'announcement refresh',
  refreshRepeat: 'announcement refresh_repeat',
  lowerPriorityRepeat: 'announcement lower_priority_repeat',
  lowerPriorityDelayMs: 'announcement lower_priority_delay',
  garpIntervalMs: 'announcement garp_interval',
  gnaIntervalMs: 'announcement gna_interval',
  gateway: 'announcement gateway'
}

type Lines = readonly string[]

function changesOfRouter(before: VirtualRouterConfig, after: VirtualRouterConfig): Lines {
  const label = `virtual router ${after.name}`
  const fields = Object.keys(FIELDS) as (keyof VirtualRouterConfig)[]
  return fields.flatMap((field) => {
    const describe = FIELDS[field]
    return typeof describe === 'string'
      ? changesOf(label, before, after, { [field]: describe })
      : describe(label, before, after)
  })
}

/** Neither a password nor a key is told. */
function authenticationChanges(
  label: string,
  before: Authentication | null,
  after: Authentication | null
): Lines {
  if (before?.type !== after?.type) {
    return [`${label}: authentication ${before?.type ?? 'none'} -> ${after?.type ?? 'none'}`]
  }
  if (before?.type === 'pass' && after?.type === 'pass') {
    return before.password === after.password ? [] : [`${label}: password changed`]
  }
  if (before?.type !== 'hmac' || after?.type !== 'hmac') return []
  return changesOf(label, before, after, {
    keys: 'keys',
    mode: 'authentication mode',
    antiReplay: 'authentication anti_replay',
    windowMs: 'authentication window'
  })
}

function addressChanges(
  label: string,
  before: VirtualRouterConfig,
  after: VirtualRouterConfig,
  field: 'addresses' | 'excludedAddresses',
  what: string
): Lines {
  const [old, now] = [before[field], after[field]]
  const find = (
    all: readonly VirtualAddress[],
    entry: VirtualAddress
  ): VirtualAddress | undefined => all.find((other) => placeOf(other) === placeOf(entry))
  const lines = [
    ...old
      .filter((entry) => !find(now, entry))
      .map((entry) => `${label}: ${what} ${placeOf(entry)} removed`),
    ...now.flatMap((entry) => {
      const known = find(old, entry)
      if (!known) return [`${label}: ${what} ${placeOf(entry)} added`]
      return isSame(known, entry) ? [] : [`${label}: ${what} ${placeOf(entry)} changed`]
    })
  ]
  if (lines.length > 0 || isSame(old, now)) return lines
  return [`${label}: order of ${what} list changed`]
}

function placeOf({ address, prefixLength, interface: name }: VirtualAddress): string {
  return `${address}/${prefixLength}${name === null ? '' : ` on ${name}`}`
}

function unicastChanges(label: string, before: Unicast | null, after: Unicast | null): Lines {
  const listOf = (unicast: Unicast | null): string =>
    unicast?.peers.map(({ address }) => address).join(', ') ?? 'none'
  const [from, to] = [listOf(before), listOf(after)]
  const lines = from === to ? [] : [`${label}: unicast peers ${from} -> ${to}`]
  if (before === null || after === null) return lines
  return [
    ...lines,
    ...changesOf(label, before, after, { ttl: 'unicast ttl', checkSource: 'unicast check_source' }),
    ...(from === to && !isSame(before.peers, after.peers)
      ? [`${label}: unicast ttl of peers changed`]
      : [])
  ]
}
