import type { Findings } from './findings.js'
import { suggestion } from './nearest.js'
import type { RawRouter } from './raw-router.js'
import { elementsOf, entriesOf, memberOf } from './source.js'
import type { Path } from './source.js'

const DEFAULT_HAND_OVER = 'make_before_break'

/** The rules of sync groups. */
export function checkGroups(
  value: unknown,
  routers: readonly RawRouter[],
  findings: Findings
): void {
  const owners = new Map<string, { group: string; path: Path }>()
  for (const [name, group] of entriesOf(memberOf(value, 'sync_groups'))) {
    const members = elementsOf(memberOf(group, 'members')).filter(
      (member): member is string => typeof member === 'string'
    )
    for (const [index, member] of members.entries()) {
      checkMember(name, member, ['sync_groups', name, 'members', index], {
        owners,
        routers,
        findings
      })
    }
    if (members.length === 1) {
      findings.note(`sync group ${name} has one member, so it does nothing; name two or more`)
    }
    checkHandOver(name, members, routers, findings)
    if (memberOf(group, 'tracking_weight') !== true) {
      noteWeights(name, members, routers, findings)
    }
  }
}

function checkMember(
  name: string,
  member: string,
  path: Path,
  context: {
    owners: Map<string, { group: string; path: Path }>
    routers: readonly RawRouter[]
    findings: Findings
  }
): void {
  const { owners, routers, findings } = context
  if (!routers.some((router) => router.name === member)) {
    const hint = suggestion(
      member,
      routers.map((router) => router.name)
    )
    const message = `virtual router "${member}" of sync group ${name} does not exist${hint}`
    findings.problem('TSHA_E_REFERENCE', message, path)
    return
  }
  const owner = owners.get(member)
  if (!owner) owners.set(member, { group: name, path })
  else if (owner.group === name) {
    const message = `virtual router ${member} is twice in sync group ${name}; use it once`
    findings.problem('TSHA_E_DUPLICATE', message, path)
  } else {
    const message = `virtual router ${member} is already in sync group ${owner.group} (${findings.lineOf(owner.path)}); a virtual router can be in one`
    findings.problem('TSHA_E_DUPLICATE', message, path)
  }
}

/** All members give their addresses away in the same moment, or some of them would be without a partner. */
function checkHandOver(
  name: string,
  members: readonly string[],
  routers: readonly RawRouter[],
  findings: Findings
): void {
  const found = routers.filter((router) => members.includes(router.name))
  const [first] = found
  const other = found.find((router) => handOverOf(router) !== handOverOf(first))
  if (!first || !other) return
  findings.problem(
    'TSHA_E_VALUE',
    `sync group ${name}: hand_over is ${handOverOf(first)} for ${first.name} and ${handOverOf(other)} for ${other.name}; ` +
      'its members change together, so use the same for all',
    ['sync_groups', name, 'members']
  )
}

function handOverOf(router: RawRouter | undefined): string {
  const value = memberOf(router?.value, 'hand_over')
  return typeof value === 'string' ? value : DEFAULT_HAND_OVER
}

/** keepalived: the weights of members would pull them apart. */
function noteWeights(
  name: string,
  members: readonly string[],
  routers: readonly RawRouter[],
  findings: Findings
): void {
  const weighted = routers.filter(
    (router) =>
      members.includes(router.name) &&
      elementsOf(memberOf(router.value, 'track')).some(
        (track) => Number(memberOf(track, 'weight')) !== 0
      )
  )
  if (weighted.length === 0) return
  const names = weighted.map((router) => router.name).join(', ')
  findings.note(
    `sync group ${name}: the weights of checks of its members (${names}) do not count, as in keepalived; ` +
      'a failure of such a check changes nothing; use weight 0, or let the group track the check'
  )
}
