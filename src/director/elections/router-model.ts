import { createHmac } from 'node:crypto'
import type {
  Authentication as ConfiguredAuthentication,
  VirtualRouterConfig
} from '../../config/model.js'
import { isSame } from '../../config/same.js'
import { TshaError } from '../../errors.js'
import { ownAddress, type NetworkInterface } from '../../linux/interface.js'
import type { ExpectedAdvertisement } from '../../linux/vrrp-filter.js'
import type { Authentication, Destination, VirtualRouter } from '../../vrrp/model.js'
import type { Changes } from '../../vrrp/machine-reconfigure.js'
import { canonicalAddress } from '../../vrrp/wire/address.js'
import { AUTH_NONE, AUTH_PASS, encodePassword } from '../../vrrp/wire/advertisement-v2.js'

/** TTL, or hop limit, of everything that is sent to a group (RFC 3768 §5.2.3). */
const LINK_TTL = { min: 255, max: 255 }

/**
 * A virtual router as the state machine and the codecs know it.
 *
 * @param primaryAddress source of our advertisements
 */
export function describeRouter(
  config: VirtualRouterConfig,
  primaryAddress: string,
  isGrouped: boolean
): VirtualRouter {
  const { announcements } = config
  return {
    name: config.name,
    vrid: config.vrid,
    version: config.version,
    family: config.family,
    adverInterval: config.advertIntervalMs,
    downTimerAdverts: config.downTimerAdverts,
    primaryAddress,
    addresses: config.addresses.map(({ address }) => canonicalAddress(address)),
    authentication: authenticationOf(config.authentication),
    checksumPseudoHeader: config.checksumPseudoHeader,
    destination: destinationOf(config),
    preempts: config.preempt,
    preemptDelay: config.preemptDelayMs,
    isOwner: config.priority === 255,
    ignoresAdverts: config.ignoresAdverts,
    startsAsMaster: config.initialState === 'master',
    answersLowerPriority: config.answersLowerPriority,
    yieldsWithAdvert: config.yieldsWithAdvert,
    announcements: {
      delay: announcements.delayMs,
      refresh: announcements.refreshMs,
      lowerPriorityDelay: announcements.lowerPriorityDelayMs
    },
    makesBeforeBreak: config.handOver === 'make-before-break',
    isGrouped
  }
}

function authenticationOf(configured: ConfiguredAuthentication | null): Authentication {
  if (configured === null) return { type: 'none' }
  if (configured.type === 'pass') return { type: 'pass', data: encodePassword(configured.password) }
  const { keys, mode, antiReplay, windowMs } = configured
  return {
    type: 'hmac',
    keys: keys.map(({ id, secret }) => ({
      id,
      digest: (data) => createHmac('sha256', secret).update(data).digest()
    })),
    mode,
    antiReplay,
    window: windowMs
  }
}

function destinationOf({ unicast, multicastGroup }: VirtualRouterConfig): Destination {
  if (unicast === null) return { kind: 'multicast', group: multicastGroup }
  return { kind: 'unicast', ...unicast }
}

/**
 * The source of our advertisements. A virtual address that was left behind must never become it, nor one
 * that another virtual router holds, or this one until its configuration changes: Linux lists the newest
 * IPv6 address first. Only where there is no other it may be the one that another virtual router owns.
 *
 * @param virtual the addresses of all virtual routers
 * @throws {TshaError} `TSHA_E_INTERFACE` when the interface has no address to send from
 */
export function primaryAddressOf(
  config: VirtualRouterConfig,
  found: NetworkInterface,
  virtual: readonly string[]
): string {
  const ours = config.addresses.map(({ address }) => address)
  const own =
    config.sourceAddress ??
    ownAddress(found, config.family, [...ours, ...virtual]) ??
    ownAddress(found, config.family, ours)
  if (own !== null) return own
  const kind = config.family === 'ipv4' ? 'IPv4' : 'IPv6 link-local'
  throw new TshaError(
    'TSHA_E_INTERFACE',
    `interface ${found.name} has no ${kind} address of its own; advertisements need one as their source`
  )
}

/** Names of the interfaces, besides its own, on which a virtual router has addresses. */
export function otherInterfaces(config: VirtualRouterConfig): readonly string[] {
  const all = [...config.addresses, ...config.excludedAddresses]
  const names = new Set(all.map((entry) => entry.interface ?? config.interface))
  names.delete(config.interface)
  return [...names]
}

/** What the kernel can check of an advertisement before it wakes the director. */
export function expectedOf(router: VirtualRouter): ExpectedAdvertisement {
  const { authentication, destination, version } = router
  const isMulticast = destination.kind === 'multicast'
  const isV2 = version === 2
  return {
    family: router.family,
    vrid: router.vrid,
    version,
    destination: isMulticast ? destination.group : router.primaryAddress,
    sources:
      !isMulticast && destination.checkSource
        ? destination.peers.map(({ address }) => address)
        : null,
    // The bounds of a partner's TTL are its own: the receive checks know whose they are.
    ttl: isMulticast ? LINK_TTL : null,
    authType: isV2 ? (authentication.type === 'pass' ? AUTH_PASS : AUTH_NONE) : null,
    authData: authentication.type === 'pass' ? authentication.data : null,
    adverInt: isV2 ? router.adverInterval / 1000 : null
  }
}

/** What partners see of a change of the configuration, besides the priority. */
export function changesOf(before: VirtualRouterConfig, after: VirtualRouterConfig): Changes {
  const all = [before, after].map((each) =>
    [...each.addresses, ...each.excludedAddresses].map(({ address }) => address)
  )
  const [old = [], now = []] = all
  return {
    advert: !isSame(advertOf(before), advertOf(after)),
    addresses: now.some((address) => !old.includes(address))
  }
}

function advertOf(config: VirtualRouterConfig): unknown {
  const { addresses, authentication, advertIntervalMs, version, sourceAddress } = config
  return {
    addresses: addresses.map(({ address }) => address),
    destination: config.unicast ?? config.multicastGroup,
    checksum: config.checksumPseudoHeader,
    ...{ authentication, advertIntervalMs, version, sourceAddress }
  }
}
