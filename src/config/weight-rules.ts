import type { Findings } from './findings.js'
import type { Role } from './model.js'
import { prioritiesFor } from './raw-router.js'
import type { RawRouter } from './raw-router.js'
import { OWNER_PRIORITY } from './resolve-routers.js'
import { elementsOf, memberOf } from './source.js'

/** What a check adds to the priority while it passes and while it fails. */
export interface Contribution {
  readonly passed: number
  readonly failed: number
}

/** keepalived's weights: a negative one counts while the check fails, a positive one while it passes. */
export function contributionOf(weight: number, reverse: boolean): Contribution {
  const passed = Math.max(0, weight)
  const failed = Math.min(0, weight)
  return reverse ? { passed: failed, failed: passed } : { passed, failed }
}

/** The rules about what weights can do. */
export function checkWeights(
  value: unknown,
  router: RawRouter,
  role: Role | null,
  findings: Findings
): void {
  const tracks = elementsOf(memberOf(router.value, 'track'))
  const weights = tracks.map((track) => memberOf(track, 'weight'))
  if (weights.some((weight) => typeof weight !== 'number')) return
  const counting = weights.filter((weight) => weight !== 0).length
  if (counting > 0 && prioritiesFor(router, role).includes(OWNER_PRIORITY)) {
    findings.note(
      `virtual router ${router.name}: priority ${OWNER_PRIORITY}, of the address owner, is never changed by a weight; ` +
        'only weight 0 takes its director out of the election'
    )
  }
  // Weight 0 is a fault, which always moves the addresses; what is in a file is not known here.
  const isOpen = tracks.some((track) => {
    const check = memberOf(memberOf(value, 'checks'), String(memberOf(track, 'check')))
    return memberOf(track, 'weight') === 0 || memberOf(check, 'type') === 'file'
  })
  if (counting > 0 && !isOpen) checkReach(router, tracks, findings)
}

/** A VIP moves only when the failing director falls below its partner (acassen/keepalived#2599). */
function checkReach(router: RawRouter, tracks: readonly unknown[], findings: Findings): void {
  const { master, backup } = router.priorities
  if (master === undefined || backup === undefined) return
  if (typeof memberOf(router.value, 'priority') === 'number') return
  const contributions = tracks.map((track) =>
    contributionOf(Number(memberOf(track, 'weight')), memberOf(track, 'reverse') === true)
  )
  const high = Math.max(master, backup)
  const low = Math.min(master, backup)
  if (high === OWNER_PRIORITY) return
  const failed = clampPriority(high + sum(contributions.map((each) => each.failed)))
  const passed = clampPriority(low + sum(contributions.map((each) => each.passed)))
  if (failed < passed) return
  findings.problem(
    'TSHA_E_VALUE',
    `weight can never move the addresses of ${router.name}: with every check failed priority ${high} becomes ` +
      `${failed}, which is not below the partner's ${passed}; use weights that lose more than ${high - low}`,
    [...router.path, 'track', 0, 'weight']
  )
}

function clampPriority(priority: number): number {
  return Math.min(254, Math.max(1, priority))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
