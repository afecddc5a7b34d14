import { checkWeights } from './weight-rules.js'
import { needsShell } from './command.js'
import type { Findings } from './findings.js'
import type { Role } from './model.js'
import { suggestion } from './nearest.js'
import type { RawRouter } from './raw-router.js'
import { SERVICE_CHECK } from './router-schema.js'
import { elementsOf, entriesOf, memberOf } from './source.js'
import type { Path } from './source.js'
import { parseDuration } from './units.js'

const TIMING_KEYS = ['interval', 'timeout', 'fall', 'rise'] as const
const WEIGHT_MAX = 253

/** A track list and whose it is. */
interface TrackList {
  readonly owner: string
  readonly path: Path
  readonly tracks: readonly unknown[]
}

/** The rules of checks and of what follows them. */
export function checkTracks(
  value: unknown,
  routers: readonly RawRouter[],
  role: Role | null,
  findings: Findings
): void {
  const lists = [
    ...routers.map(({ name, path, value: router }) => ({
      owner: `virtual router ${name}`,
      path: [...path, 'track'],
      tracks: elementsOf(memberOf(router, 'track'))
    })),
    ...entriesOf(memberOf(value, 'sync_groups')).map(([name, group]) => ({
      owner: `sync group ${name}`,
      path: ['sync_groups', name, 'track'],
      tracks: elementsOf(memberOf(group, 'track'))
    }))
  ]
  for (const list of lists) checkList(value, list, findings)
  checkServiceTimings(lists, findings)
  checkChecks(value, lists, findings)
  for (const router of routers) checkWeights(value, router, role, findings)
}

function checkList(value: unknown, { owner, path, tracks }: TrackList, findings: Findings): void {
  const seen = new Set<string>()
  for (const [index, track] of tracks.entries()) {
    const place = [...path, index]
    const check = memberOf(track, 'check')
    const device = memberOf(track, 'interface')
    if ((check === undefined) === (device === undefined)) {
      const found = check === undefined ? 'neither check nor interface' : 'both check and interface'
      findings.problem('TSHA_E_VALUE', `track has ${found}; use one of them`, place)
      continue
    }
    const name = check ?? device
    if (typeof name !== 'string') continue
    const kind = device === undefined ? 'check' : 'interface'
    const key = `${kind} ${name}`
    if (seen.has(key)) {
      const message = `${key} is tracked twice; track it once`
      findings.problem('TSHA_E_DUPLICATE', message, [...place, kind])
    }
    seen.add(key)
    checkTrackWeight(value, owner, { track, name, key }, place, findings)
    if (kind === 'check') checkReference(value, name, place, findings)
    if (name === SERVICE_CHECK && kind === 'check') continue
    const belongs = kind === 'check' ? `of a check belongs to checks: ${name}` : 'is for checks'
    for (const timing of TIMING_KEYS.filter((each) => memberOf(track, each) !== undefined)) {
      const message = `${timing} ${belongs}; remove it here`
      findings.keyProblem('TSHA_E_VALUE', message, [...place, timing])
    }
  }
}

function checkReference(value: unknown, name: string, place: Path, findings: Findings): void {
  if (name === SERVICE_CHECK) {
    if (elementsOf(memberOf(value, 'listeners')).length > 0) return
    const message =
      'service is tracked but there is no listener to ask; use listeners, or a script check'
    findings.problem('TSHA_E_REFERENCE', message, [...place, 'check'])
    return
  }
  const checks = entriesOf(memberOf(value, 'checks')).map(([check]) => check)
  if (checks.includes(name)) return
  const hint = suggestion(name, [SERVICE_CHECK, ...checks])
  findings.problem('TSHA_E_REFERENCE', `check "${name}" does not exist${hint}`, [...place, 'check'])
}

function checkTrackWeight(
  value: unknown,
  owner: string,
  { track, name, key }: { track: unknown; name: string; key: string },
  place: Path,
  findings: Findings
): void {
  const weight = memberOf(track, 'weight')
  if (typeof weight !== 'number') return
  const type = memberOf(memberOf(memberOf(value, 'checks'), name), 'type')
  const isFile = type === 'file' && memberOf(track, 'check') === name
  if (!isFile && Math.abs(weight) === WEIGHT_MAX + 1) {
    const message = `weight ${weight} is out of range; use -${WEIGHT_MAX} to ${WEIGHT_MAX}`
    findings.problem('TSHA_E_VALUE', message, [...place, 'weight'])
  }
  if (weight === 0 && memberOf(track, 'reverse') === true) {
    const when = isFile ? `the number in ${name} is 0` : `${key} passes`
    findings.note(
      `${owner}: weight 0 with reverse is a fault, and no part in the election, while ${when}`
    )
  }
}

/** There is one proxy and one check of it, so all who track it agree on its timing. */
function checkServiceTimings(lists: readonly TrackList[], findings: Findings): void {
  const first = new Map<string, { path: Path; value: unknown }>()
  for (const { path: list, tracks } of lists) {
    for (const [index, track] of tracks.entries()) {
      if (memberOf(track, 'check') !== SERVICE_CHECK) continue
      for (const key of TIMING_KEYS) {
        const given = memberOf(track, key)
        if (given === undefined) continue
        const path = [...list, index, key]
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

function checkChecks(value: unknown, lists: readonly TrackList[], findings: Findings): void {
  const tracked = new Set(
    lists.flatMap(({ tracks }) => tracks.map((each) => memberOf(each, 'check')))
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
    if (!tracked.has(name)) {
      findings.note(`check ${name} is tracked by no virtual router and is not run`)
    }
    const command = memberOf(check, 'command')
    if (typeof command === 'string' && needsShell(command)) {
      findings.problem(
        'TSHA_E_NOT_SUPPORTED',
        `shell syntax in a command is not supported: ${JSON.stringify(command)}; put it into a script file`,
        [...path, 'command']
      )
    }
    const [quorum, max] = [memberOf(check, 'quorum'), memberOf(check, 'quorum_max')]
    if (typeof quorum === 'number' && typeof max === 'number' && max < quorum) {
      const message = `quorum_max ${max} is below the quorum of ${quorum}, so the check could never pass; use ${quorum} or more`
      findings.problem('TSHA_E_VALUE', message, [...path, 'quorum_max'])
    }
  }
}
