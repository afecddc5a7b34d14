import type { Findings } from './findings.js'
import type { Role } from './model.js'
import { suggestion } from './nearest.js'
import { PASSWORD_LENGTH } from './resolve.js'
import { needsShell } from './command.js'
import { SERVICE_CHECK } from './router-schema.js'
import { elementsOf, entriesOf, memberOf } from './source.js'
import type { Path } from './source.js'
import { parseDuration, parseVirtualAddress } from './units.js'

const TIMING_KEYS = ['interval', 'timeout', 'fall', 'rise'] as const

/**
 * The rules of virtual routers and checks that join several values: references, duplicates, weights.
 * They read the configuration before it is validated, so that one run reports every problem;
 * values of a wrong type are left to the schema.
 */
export function checkRouters(value: unknown, role: Role | null, findings: Findings): void {
  const routers = entriesOf(memberOf(value, 'virtual_routers'))
  checkPriorities(value, routers, role, findings)
  checkVrids(routers, findings)
  checkAddresses(routers, findings)
  checkPasswords(routers, findings)
  checkTracks(value, routers, findings)
  checkServiceTimings(routers, findings)
  checkScripts(value, routers, findings)
}

type Routers = readonly (readonly [string, unknown])[]

function checkPriorities(
  value: unknown,
  routers: Routers,
  role: Role | null,
  findings: Findings
): void {
  const roles = memberOf(value, 'roles')
  for (const [name, router] of routers) {
    const own = memberOf(router, 'priority')
    const of = (which: Role) => {
      const inRouter = typeof own === 'object' ? memberOf(own, which) : own
      return inRouter ?? memberOf(memberOf(roles, which), 'priority')
    }
    if (own === undefined && role !== null && of(role) === undefined) {
      findings.keyProblem(
        'TSHA_E_REQUIRED',
        `virtual router ${name} has no priority for the role ${role}; use roles: { ${role}: { priority: 100 } }`,
        ['virtual_routers', name]
      )
    }
    checkWeights(name, router, of('master'), of('backup'), findings)
  }
}

/** A VIP moves only when the failing director falls below its partner (acassen/keepalived#2599). */
function checkWeights(
  name: string,
  router: unknown,
  master: unknown,
  backup: unknown,
  findings: Findings
): void {
  const own = memberOf(router, 'priority')
  if (typeof master !== 'number' || typeof backup !== 'number' || typeof own === 'number') return
  const tracks = elementsOf(memberOf(router, 'track'))
  const weights = tracks.map((track) => memberOf(track, 'weight')).filter(isNumber)
  if (weights.length === 0 || weights.length !== tracks.length) return
  const high = Math.max(master, backup)
  const low = Math.min(master, backup)
  const failed = clampPriority(high + sum(weights.filter((weight) => weight < 0)))
  const passed = clampPriority(low + sum(weights.filter((weight) => weight > 0)))
  if (failed < passed) return
  findings.problem(
    'TSHA_E_VALUE',
    `weight can never move the addresses of ${name}: with every check failed priority ${high} becomes ` +
      `${failed}, which is not below the partner's ${passed}; use weights that lose more than ${high - low}`,
    ['virtual_routers', name, 'track', 0, 'weight']
  )
}

function clampPriority(priority: number): number {
  return Math.min(254, Math.max(1, priority))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function checkVrids(routers: Routers, findings: Findings): void {
  const seen = new Map<string, { name: string; path: Path }>()
  for (const [name, router] of routers) {
    const vrid = memberOf(router, 'vrid')
    const device = memberOf(router, 'interface')
    if (typeof vrid !== 'number' || typeof device !== 'string') continue
    const key = `${vrid} ${device}`
    const path = ['virtual_routers', name, 'vrid']
    const first = seen.get(key)
    if (first) {
      findings.problem(
        'TSHA_E_VRID_DUPLICATE',
        `VRID ${vrid} on interface ${device} is already used by ${first.name} (${findings.lineOf(first.path)}); use another one for ${name}`,
        path
      )
    } else seen.set(key, { name, path })
  }
}

function checkAddresses(routers: Routers, findings: Findings): void {
  const seen = new Map<string, Path>()
  for (const [name, router] of routers) {
    for (const [index, text] of elementsOf(memberOf(router, 'addresses')).entries()) {
      const address = typeof text === 'string' ? parseVirtualAddress(text)?.address : undefined
      if (address === undefined) continue
      const path = ['virtual_routers', name, 'addresses', index]
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
}

function checkPasswords(routers: Routers, findings: Findings): void {
  for (const [name, router] of routers) {
    const password = memberOf(memberOf(router, 'authentication'), 'password')
    if (typeof password !== 'string' || password.length <= PASSWORD_LENGTH) continue
    findings.note(
      `virtual router ${name}: the password has ${password.length} characters; VRRP carries ${PASSWORD_LENGTH}, so only the first ${PASSWORD_LENGTH} are used, as keepalived does`
    )
  }
}

function checkTracks(value: unknown, routers: Routers, findings: Findings): void {
  const checks = entriesOf(memberOf(value, 'checks')).map(([name]) => name)
  const hasProxy = elementsOf(memberOf(value, 'listeners')).length > 0
  for (const [name, router] of routers) {
    const seen = new Set<string>()
    for (const [index, track] of elementsOf(memberOf(router, 'track')).entries()) {
      const path = ['virtual_routers', name, 'track', index]
      const check = memberOf(track, 'check')
      if (typeof check !== 'string') continue
      if (seen.has(check)) {
        findings.problem('TSHA_E_DUPLICATE', `check ${check} is tracked twice; track it once`, [
          ...path,
          'check'
        ])
      }
      seen.add(check)
      if (check === SERVICE_CHECK) {
        if (hasProxy) continue
        const message =
          'service is tracked but there is no listener to ask; use listeners, or a script check'
        findings.problem('TSHA_E_REFERENCE', message, [...path, 'check'])
        continue
      }
      if (!checks.includes(check)) {
        const hint = suggestion(check, [SERVICE_CHECK, ...checks])
        findings.problem('TSHA_E_REFERENCE', `check "${check}" does not exist${hint}`, [
          ...path,
          'check'
        ])
      }
      for (const key of TIMING_KEYS.filter((key) => memberOf(track, key) !== undefined)) {
        const message = `${key} of a script check belongs to checks: ${check}; remove it here`
        findings.keyProblem('TSHA_E_VALUE', message, [...path, key])
      }
    }
  }
}

/** There is one proxy and one check of it, so all virtual routers agree on its timing. */
function checkServiceTimings(routers: Routers, findings: Findings): void {
  const first = new Map<string, { path: Path; value: unknown }>()
  for (const [name, router] of routers) {
    for (const [index, track] of elementsOf(memberOf(router, 'track')).entries()) {
      if (memberOf(track, 'check') !== SERVICE_CHECK) continue
      for (const key of TIMING_KEYS) {
        const given = memberOf(track, key)
        if (given === undefined) continue
        const path = ['virtual_routers', name, 'track', index, key]
        const value = typeof given === 'string' ? (parseDuration(given) ?? given) : given
        const earlier = first.get(key)
        if (!earlier) first.set(key, { path, value })
        else if (earlier.value !== value) {
          const message = `${key} of the service check differs from ${findings.lineOf(earlier.path)}; use one value`
          findings.problem('TSHA_E_VALUE', message, path)
        }
      }
    }
  }
}

function checkScripts(value: unknown, routers: Routers, findings: Findings): void {
  const tracked = new Set(
    routers.flatMap(([, router]) =>
      elementsOf(memberOf(router, 'track')).map((track) => memberOf(track, 'check'))
    )
  )
  for (const [name, check] of entriesOf(memberOf(value, 'checks'))) {
    const path = ['checks', name]
    if (name === SERVICE_CHECK) {
      findings.keyProblem(
        'TSHA_E_VALUE',
        `check name "${SERVICE_CHECK}" stands for the check of tsha's own proxy; use another name`,
        path
      )
    }
    if (!tracked.has(name))
      findings.note(`check ${name} is tracked by no virtual router and is not run`)
    const command = memberOf(check, 'command')
    if (typeof command === 'string' && needsShell(command)) {
      findings.problem(
        'TSHA_E_NOT_SUPPORTED',
        `shell syntax in a command is not supported: ${JSON.stringify(command)}; put it into a script file`,
        [...path, 'command']
      )
    }
  }
}
