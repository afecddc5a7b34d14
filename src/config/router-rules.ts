import { checkAddresses } from './address-rules.js'
import { checkAuthentication } from './auth-rules.js'
import type { Findings } from './findings.js'
import { checkGroups } from './group-rules.js'
import { checkLinkDelays } from './link-delays.js'
import type { Role } from './model.js'
import { rawRoutersOf } from './raw-router.js'
import type { RawRouter } from './raw-router.js'
import { OWNER_PRIORITY } from './resolve-routers.js'
import { memberOf } from './source.js'
import type { Path } from './source.js'
import { checkTiming } from './timing-rules.js'
import { checkTracks } from './track-rules.js'

/**
 * The rules of elections that join several values: references, duplicates, what cannot work together.
 * They read the configuration before it is validated, so that one run reports every problem;
 * values of a wrong type are left to the schema.
 */
export function checkRouters(value: unknown, role: Role | null, findings: Findings): void {
  const routers = rawRoutersOf(value)
  checkPriorities(routers, role, findings)
  checkVrids(routers, findings)
  checkOwners(routers, findings)
  checkAddresses(routers, role, findings)
  checkAuthentication(routers, findings)
  checkTiming(value, routers, role, findings)
  checkTracks(value, routers, role, findings)
  checkGroups(value, routers, findings)
  checkLinkDelays(value, routers, findings)
}

function checkPriorities(
  routers: readonly RawRouter[],
  role: Role | null,
  findings: Findings
): void {
  for (const { name, path, value, priorities } of routers) {
    if (memberOf(value, 'priority') !== undefined || role === null) continue
    if (priorities[role] !== undefined) continue
    findings.keyProblem(
      'TSHA_E_REQUIRED',
      `virtual router ${name} has no priority for the role ${role}; use roles: { ${role}: { priority: 100 } }`,
      path
    )
  }
}

/** What is for address owners alone needs one, with whichever role. */
function checkOwners(routers: readonly RawRouter[], findings: Findings): void {
  for (const { name, path, value, priorities } of routers) {
    const known = Object.values(priorities).filter((priority) => priority !== undefined)
    if (memberOf(value, 'owner_ignore_adverts') !== true || known.length === 0) continue
    if (known.includes(OWNER_PRIORITY)) continue
    findings.problemIfStrict(
      'TSHA_E_VALUE',
      `virtual router ${name}: owner_ignore_adverts has no effect without priority ${OWNER_PRIORITY}; remove it`,
      [...path, 'owner_ignore_adverts']
    )
  }
}

/** IPv4 and IPv6 are two elections, also with one VRID on one interface (RFC 9568 section 1). */
function checkVrids(routers: readonly RawRouter[], findings: Findings): void {
  const seen = new Map<string, { name: string; path: Path }>()
  for (const { name, path, value, family } of routers) {
    const vrid = memberOf(value, 'vrid')
    const device = memberOf(value, 'interface')
    if (typeof vrid !== 'number' || typeof device !== 'string') continue
    const key = `${vrid} ${device} ${family ?? 'ipv4'}`
    const place = [...path, 'vrid']
    const first = seen.get(key)
    if (first) {
      findings.problem(
        'TSHA_E_VRID_DUPLICATE',
        `VRID ${vrid} on interface ${device} is already used by ${first.name} (${findings.lineOf(first.path)}); use another one for ${name}`,
        place
      )
    } else seen.set(key, { name, path: place })
  }
}
