import type { Findings } from './findings.js'
import { defaultLeaseMs, isShortLease, partnerWaitsMs } from './lease.js'
import type { Role } from './model.js'
import { prioritiesFor } from './raw-router.js'
import type { RawRouter } from './raw-router.js'
import { OWNER_PRIORITY } from './resolve-routers.js'
import { memberOf } from './source.js'
import { formatDuration, parseDuration } from './units.js'

/** From here on keepalived calls a start delay very large. */
const LONG_START_MS = 60_000

/** The rules of intervals, preemption, leases and delays. */
export function checkTiming(
  value: unknown,
  routers: readonly RawRouter[],
  role: Role | null,
  findings: Findings
): void {
  for (const router of routers) {
    checkInterval(router, findings)
    checkPreemption(router, role, findings)
    checkLease(router, role, findings)
    if (router.downTimerAdverts === 1) {
      findings.note(
        `virtual router ${router.name}: with down_timer_adverts 1 a single advertisement that is lost moves the addresses`
      )
    }
  }
  for (const key of ['startup_delay', 'delay_after_boot']) {
    const delayMs = durationOf(memberOf(value, key))
    if (delayMs === undefined || delayMs < LONG_START_MS) continue
    const label = findings.labelOf([key], key)
    findings.note(
      `${label} ${formatDuration(delayMs)}: for so long this director is never master, also when it is alone`
    )
  }
}

/** The field is whole seconds in VRRPv2 (RFC 3768 section 5.3.7), 12 bits of centiseconds in VRRPv3. */
function checkInterval({ path, value, version }: RawRouter, findings: Findings): void {
  const written = memberOf(value, 'advert_interval')
  const intervalMs = durationOf(written)
  if (intervalMs === undefined) return
  const place = [...path, 'advert_interval']
  const shown = `${findings.labelOf(place, 'advert_interval')} ${JSON.stringify(written)}`
  const problem = (message: string): void => {
    findings.problem('TSHA_E_VALUE', `${shown} ${message}`, place)
  }
  if (version === 2 && intervalMs % 1000 !== 0) {
    problem('is not whole seconds, which VRRPv2 counts; use 1s to 255s, or version 3')
  } else if (version === 2 && (intervalMs < 1000 || intervalMs > 255_000)) {
    problem('is out of range; use 1s to 255s')
  } else if (version === 3 && (intervalMs < 10 || intervalMs > 40_950)) {
    problem('is out of range for VRRPv3; use 10ms to 40.95s')
  } else if (version === 3 && intervalMs % 10 !== 0) {
    problem('is not whole centiseconds, which VRRPv3 counts; use 10ms to 40.95s in steps of 10ms')
  }
}

function checkPreemption(router: RawRouter, role: Role | null, findings: Findings): void {
  const { name, path, value } = router
  const isOwner = prioritiesFor(router, role).includes(OWNER_PRIORITY)
  const place = [...path, 'preempt_delay']
  const delayMs = durationOf(memberOf(value, 'preempt_delay')) ?? 0
  if (memberOf(value, 'preempt') === false) {
    if (isOwner) {
      findings.problemIfStrict(
        'TSHA_E_VALUE',
        `virtual router ${name}: nopreempt does not go with priority ${OWNER_PRIORITY}, whose director owns the addresses; remove one of them`,
        [...path, 'preempt']
      )
    }
    if (delayMs > 0) {
      findings.problemIfStrict(
        'TSHA_E_VALUE',
        `virtual router ${name}: preempt_delay has no effect with nopreempt; remove one of them`,
        place
      )
    }
  } else if (delayMs > 0 && isOwner) {
    findings.problemIfStrict(
      'TSHA_E_VALUE',
      `virtual router ${name}: preempt_delay does not go with priority ${OWNER_PRIORITY}, whose director owns the addresses; remove one of them`,
      place
    )
  }
}

function checkLease(router: RawRouter, role: Role | null, findings: Findings): void {
  const written = memberOf(router.value, 'address_lease')
  if (written === 'off') return
  const partnerRole = role === null ? null : role === 'master' ? 'backup' : 'master'
  const partner = partnerRole === null ? undefined : router.priorities[partnerRole]
  const partnerPriority = partner ?? prioritiesFor(router, role)[0]
  if (partnerPriority === undefined) return
  const input = { ...router, partnerPriority }
  const leaseMs = durationOf(written) ?? defaultLeaseMs(input)
  if (isShortLease(leaseMs, input)) return
  const what = written === undefined ? 'the shortest address lease there is' : 'address_lease'
  findings.note(
    `virtual router ${router.name}: ${what}, ${formatDuration(leaseMs)}, ends after the partner has taken over ` +
      `(${formatDuration(Math.floor(partnerWaitsMs(input)))}): when this director dies or hangs, both have the addresses until then`
  )
}

function durationOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined
}
