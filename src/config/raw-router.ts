import { familyOf, parseVirtualAddress } from './addresses.js'
import type { Family, WrittenAddress } from './addresses.js'
import type { Role } from './model.js'
import { elementsOf, entriesOf, isRecord, memberOf } from './source.js'
import type { Path } from './source.js'
import { parseDuration } from './units.js'

/** One entry of `virtual_routers` before it is validated: what the rules need of it, where it is valid. */
export interface RawRouter {
  readonly name: string
  readonly path: Path
  readonly value: unknown
  /** That of the first address that is one. */
  readonly family: Family | undefined
  readonly version: 2 | 3
  readonly advertIntervalMs: number
  readonly downTimerAdverts: number
  readonly addresses: readonly RawAddress[]
  readonly excluded: readonly RawAddress[]
  /** Priority with each role; both are the same where the file gives one number. */
  readonly priorities: Readonly<Record<Role, number | undefined>>
}

export interface RawAddress extends WrittenAddress {
  readonly path: Path
  readonly family: Family
  /** The mapping that it is written in, if it is in one. */
  readonly options: unknown
}

const ROLES: readonly Role[] = ['master', 'backup']

/** The virtual routers of a configuration that is not validated yet. */
export function rawRoutersOf(value: unknown): RawRouter[] {
  return entriesOf(memberOf(value, 'virtual_routers')).map(([name, router]) => {
    const path = ['virtual_routers', name]
    const addresses = addressesOf(router, 'addresses', path)
    const family = addresses[0]?.family
    const version = memberOf(router, 'version')
    const interval = memberOf(router, 'advert_interval')
    const adverts = memberOf(router, 'down_timer_adverts')
    return {
      name,
      path,
      value: router,
      family,
      version: version === 2 || version === 3 ? version : family === 'ipv6' ? 3 : 2,
      advertIntervalMs:
        (typeof interval === 'string' ? parseDuration(interval) : undefined) ?? 1000,
      downTimerAdverts: typeof adverts === 'number' ? adverts : 3,
      addresses,
      excluded: addressesOf(router, 'excluded_addresses', path),
      priorities: {
        master: priorityOf(value, router, 'master'),
        backup: priorityOf(value, router, 'backup')
      }
    }
  })
}

/** The priorities that the router may have here: one for a role that is known, else both. */
export function prioritiesFor(router: RawRouter, role: Role | null): number[] {
  const roles = role === null ? ROLES : [role]
  return roles.flatMap((which) => router.priorities[which] ?? [])
}

function priorityOf(value: unknown, router: unknown, role: Role): number | undefined {
  const own = memberOf(router, 'priority')
  const inRouter = isRecord(own) ? own[role] : own
  const priority = inRouter ?? memberOf(memberOf(memberOf(value, 'roles'), role), 'priority')
  return typeof priority === 'number' ? priority : undefined
}

function addressesOf(router: unknown, key: string, path: Path): RawAddress[] {
  return elementsOf(memberOf(router, key)).flatMap((entry, index) => {
    const written = isRecord(entry) ? entry['address'] : entry
    const parsed = typeof written === 'string' ? parseVirtualAddress(written) : undefined
    const family = parsed && familyOf(parsed.address)
    if (!parsed || !family) return []
    const place = isRecord(entry) ? [...path, key, index, 'address'] : [...path, key, index]
    return { ...parsed, family, path: place, options: isRecord(entry) ? entry : undefined }
  })
}
