import { DISCARD_TEXTS } from '../elections/discard-texts.js'
import type { Heard, Hearing, Warning } from '../../vrrp/segment.js'
import type { PacketSummary } from '../../vrrp/summary.js'
import { toIso } from '../iso-time.js'

const AUTH_TYPES = ['none', 'pass', 'ah']

/**
 * A packet that was heard, as one line, and a line for each warning.
 *
 * @param wallTime ms since 1970
 */
export function textOf(heard: Heard, wallTime: number): string {
  const { summary, age, hearing, warnings } = heard
  const line = [
    toIso(wallTime),
    (age === null ? 'first' : `+${(age / 1000).toFixed(3)}s`).padStart(8),
    `${summary.source} -> ${summary.destination}`,
    `vrid ${summary.vrid}`,
    `v${summary.version}`,
    `priority ${summary.priority}`,
    `interval ${summary.adverInterval / 1000}s`,
    `auth ${authenticationOf(summary)}`,
    `ttl ${summary.ttl}`,
    summary.addresses.length === 0 ? 'no addresses' : summary.addresses.join(' '),
    verdictOf(hearing)
  ].join('  ')
  const warned = warnings.map((warning) => `WARNING ${warningOf(summary, warning)}\n`)
  return `${line}\n${warned.join('')}`
}

/** The same as one line of JSON. */
export function jsonOf(heard: Heard, wallTime: number): string {
  const { summary, age, hearing, warnings } = heard
  const { source, destination, ttl, version, vrid, priority, addresses, checksum } = summary
  const line = {
    time: toIso(wallTime),
    ageMs: age === null ? null : Math.round(age * 10) / 10,
    source,
    destination,
    ttl,
    version,
    vrid,
    priority,
    adverIntervalMs: summary.adverInterval,
    authentication: authenticationOf(summary),
    addresses,
    checksum,
    verdict: hearing,
    warnings: warnings.map((warning) => warningOf(summary, warning))
  }
  return `${JSON.stringify(line)}\n`
}

function authenticationOf(summary: PacketSummary): string {
  const { authType, hasAuthenticationHeader, hasPassword, hmacKeyId } = summary
  if (hmacKeyId !== null) return `hmac key ${hmacKeyId}`
  if (hasAuthenticationHeader) return 'ah'
  const name = authType === null ? 'none' : (AUTH_TYPES[authType] ?? `type ${authType}`)
  return name === 'pass' && !hasPassword ? 'pass (empty)' : name
}

function verdictOf(hearing: Hearing): string {
  switch (hearing.kind) {
    case 'accepted':
      return `accepted by ${hearing.router}${hearing.sameAddresses ? '' : ', other addresses'}`
    case 'discarded':
      return `discarded by ${hearing.router}: ${hearing.reason}`
    case 'foreign':
      return 'not ours'
    case 'valid':
      return 'valid'
    case 'invalid':
      return `invalid: ${hearing.reason}`
  }
}

function warningOf({ source, vrid }: PacketSummary, warning: Warning): string {
  if (warning.kind === 'intruder') {
    return (
      `${source} uses VRID ${vrid}, which is that of ${warning.router}, ` +
      `but is discarded: ${DISCARD_TEXTS[warning.reason]}`
    )
  }
  return (
    `${source} and ${warning.other} both advertise VRID ${vrid}, ` +
    `with different ${warning.differences.join(' and ')}`
  )
}
