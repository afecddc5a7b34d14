import {
  familyOf,
  isLinkLocal,
  isLinkLocalMulticast,
  isMulticast,
  parseAddress
} from './addresses.js'
import type { Family } from './addresses.js'
import type { Findings } from './findings.js'
import type { Role } from './model.js'
import { prioritiesFor } from './raw-router.js'
import type { RawAddress, RawRouter } from './raw-router.js'
import { OWNER_PRIORITY } from './resolve-routers.js'
import { elementsOf, isRecord, memberOf } from './source.js'
import type { Path } from './source.js'

const FAMILY_NAMES: Readonly<Record<Family, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }

/** The rules of virtual addresses, sources, groups and peers. */
export function checkAddresses(
  routers: readonly RawRouter[],
  role: Role | null,
  findings: Findings
): void {
  checkDuplicates(routers, findings)
  for (const router of routers) {
    for (const address of [...router.addresses, ...router.excluded]) {
      checkPrefix(router, address, findings)
      checkOptions(address, findings)
    }
    checkFamilies(router, findings)
    checkFirst(router, findings)
    checkSource(router, role, findings)
    checkGroup(router, findings)
    checkPeers(router, findings)
  }
}

function checkDuplicates(routers: readonly RawRouter[], findings: Findings): void {
  const seen = new Map<string, Path>()
  for (const { address, path } of routers.flatMap((router) => [
    ...router.addresses,
    ...router.excluded
  ])) {
    const first = seen.get(address)
    if (first) {
      findings.problem(
        'TSHA_E_DUPLICATE',
        `address ${address} is already given on ${findings.lineOf(first)}; use it once`,
        path
      )
    } else seen.set(address, path)
  }
}

function checkPrefix(router: RawRouter, written: RawAddress, findings: Findings): void {
  const { address, prefixLength, hasPrefix } = written
  if (hasPrefix) return
  findings.note(
    `virtual router ${router.name}: ${address} is written without a prefix length, so it is added as ` +
      `/${prefixLength}, as keepalived does`
  )
}

/** What `ip addr` refuses, or keepalived leaves out with a message. */
function checkOptions({ address, family, options, path }: RawAddress, findings: Findings): void {
  if (!isRecord(options)) return
  const around = path.slice(0, -1)
  if (family === 'ipv6') {
    for (const key of ['broadcast', 'label', 'scope']) {
      if (options[key] === undefined) continue
      const message = `${key} is for IPv4 alone; remove it from ${address}`
      findings.problem('TSHA_E_VALUE', message, [...around, key])
    }
  }
  checkFamily(options['peer'], 'peer', family, [...around, 'peer'], findings)
  const broadcast = options['broadcast']
  if (typeof broadcast === 'string' && /^[0-9.]+$/.test(broadcast) && !familyOf(broadcast)) {
    const message = `broadcast "${broadcast}" is not valid; use an IPv4 address, + or -`
    findings.problem('TSHA_E_VALUE', message, [...around, 'broadcast'])
  }
}

/** Advertisements carry addresses of one family (RFC 9568 section 5.2.9). */
function checkFamilies(router: RawRouter, findings: Findings): void {
  const { family, version, addresses, path, value } = router
  if (family === undefined) return
  for (const other of addresses.filter((address) => address.family !== family)) {
    findings.problem(
      'TSHA_E_VALUE',
      `${FAMILY_NAMES[other.family]} address ${other.address} is among ${FAMILY_NAMES[family]} ones; ` +
        'a virtual router has addresses of one family, so give it one of its own, or exclude it from the advertisements',
      other.path
    )
  }
  if (family === 'ipv6' && version === 2) {
    const message = 'version 2 has no IPv6; use version 3'
    findings.problem('TSHA_E_VALUE', message, [...path, 'version'])
  }
  for (const key of ['source_address', 'multicast_group']) {
    checkFamily(memberOf(value, key), key, family, [...path, key], findings)
  }
}

function checkFamily(
  address: unknown,
  what: string,
  family: Family,
  path: Path,
  findings: Findings
): void {
  const own = typeof address === 'string' ? familyOf(address.replace(/\/.*/, '')) : undefined
  if (typeof address !== 'string' || own === undefined || own === family) return
  const label = findings.labelOf(path, what)
  findings.problem(
    'TSHA_E_VALUE',
    `${label} ${address} is ${FAMILY_NAMES[own]} and the virtual addresses are ${FAMILY_NAMES[family]}; use one family`,
    path
  )
}

/** RFC 9568 section 5.2.9: the first IPv6 address is the link-local one. */
function checkFirst({ name, family, addresses }: RawRouter, findings: Findings): void {
  const [first] = addresses
  if (family !== 'ipv6' || !first || isLinkLocal(first.address)) return
  findings.note(
    `virtual router ${name}: the first IPv6 address should be link-local (fe80::/10, RFC 9568 section 5.2.9); ` +
      `it is ${first.address}`
  )
}

function checkSource(router: RawRouter, role: Role | null, findings: Findings): void {
  const source = memberOf(router.value, 'source_address')
  const own = typeof source === 'string' ? parseAddress(source) : undefined
  if (own === undefined) return
  if (prioritiesFor(router, role).includes(OWNER_PRIORITY)) return
  const virtual = [...router.addresses, ...router.excluded].find(({ address }) => address === own)
  if (!virtual) return
  const path = [...router.path, 'source_address']
  const label = findings.labelOf(path, 'source_address')
  findings.problemIfStrict(
    'TSHA_E_VALUE',
    `${label} ${own} is a virtual address too; use one that this director always has, or priority ${OWNER_PRIORITY} if it owns the address`,
    path
  )
}

function checkGroup({ path, value }: RawRouter, findings: Findings): void {
  const group = memberOf(value, 'multicast_group')
  const family = typeof group === 'string' ? familyOf(group) : undefined
  if (typeof group !== 'string' || family === undefined) return
  const place = [...path, 'multicast_group']
  const label = findings.labelOf(place, 'multicast_group')
  if (!isMulticast(group)) {
    const example = family === 'ipv4' ? '224.0.0.18' : 'ff02::12'
    const message = `${label} ${group} is not a multicast address; use one such as ${example}`
    findings.problem('TSHA_E_VALUE', message, place)
  } else if (family === 'ipv6' && !isLinkLocalMulticast(group)) {
    const message = `${label} ${group} is not link-local multicast; use one such as ff02::12`
    findings.problem('TSHA_E_VALUE', message, place)
  }
  if (memberOf(value, 'unicast') !== undefined) {
    const message = `${label} ${group} has no effect beside unicast peers; remove one of them`
    findings.problemIfStrict('TSHA_E_VALUE', message, place)
  }
}

function checkPeers(router: RawRouter, findings: Findings): void {
  const source = memberOf(router.value, 'source_address')
  const seen = new Map<string, Path>()
  for (const [index, peer] of elementsOf(
    memberOf(memberOf(router.value, 'unicast'), 'peers')
  ).entries()) {
    const written = isRecord(peer) ? peer['address'] : peer
    const address = typeof written === 'string' ? parseAddress(written) : undefined
    if (address === undefined) continue
    const path = [...router.path, 'unicast', 'peers', index]
    if (router.family) checkFamily(address, 'peer', router.family, path, findings)
    const first = seen.get(address)
    if (first) {
      const message = `peer ${address} is already given on ${findings.lineOf(first)}; use it once`
      findings.problem('TSHA_E_DUPLICATE', message, path)
    } else seen.set(address, path)
    if (address === source) {
      const message = `peer ${address} is the source address of this director; use the partner's`
      findings.problem('TSHA_E_VALUE', message, path)
    }
    const [min, max] = [memberOf(peer, 'min_ttl'), memberOf(peer, 'max_ttl')]
    if (typeof min === 'number' && min > (typeof max === 'number' ? max : 255)) {
      const message = `min_ttl ${min} of peer ${address} is above its max_ttl, so nothing would be accepted; use a smaller one`
      findings.problem('TSHA_E_VALUE', message, path)
    }
  }
}
