import type { ProxyStatus, Status } from '../admin/model.js'
import { addressList } from './status-view.js'

/** Exit codes of monitoring plugins (Nagios, Icinga, Zabbix, …). */
export const VERDICTS = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const
export type Verdict = keyof typeof VERDICTS

/**
 * Judges a director for a monitoring system. Critical is what clients feel, or would if the partner
 * failed too: a virtual router out of the election, addresses of which nobody is known to hold them, a
 * proxy that does not serve, an upstream without a peer that is up. Every other problem, and everything
 * an administrator has taken out by hand, is a warning.
 *
 * @returns one line: the verdict, what is wrong or who holds what, and figures behind `|`
 */
export function judge(status: Status): { readonly verdict: Verdict; readonly line: string } {
  const critical = criticalOf(status)
  const warnings = [...status.problems, ...byHand(status)]
  const verdict = critical.length > 0 ? 'CRITICAL' : warnings.length > 0 ? 'WARNING' : 'OK'
  const findings = [...new Set([...critical, ...warnings])]
  const text = (findings.length > 0 ? findings : rolesOf(status)).join('; ')
  return { verdict, line: `${checkLine(verdict, text)} | ${figuresOf(status)}` }
}

/** The first line of a plugin; `|` would begin the figures. */
export function checkLine(verdict: Verdict, text: string): string {
  return `TSHA ${verdict} - ${text.replaceAll('|', '/').replaceAll('\n', ' ')}`
}

function criticalOf({ virtual_routers, proxy }: Status): readonly string[] {
  return [
    ...virtual_routers
      .filter(({ state }) => state === 'fault' || state === 'initialize')
      .map(({ name, state }) => `${name} is ${state.toUpperCase()}`),
    ...virtual_routers
      .filter(({ state, master }) => state === 'backup' && master === null)
      .map(({ name }) => `${name} is BACKUP and hears no master`),
    ...(proxy === null ? [] : unserved(proxy)),
    ...(proxy?.upstreams ?? [])
      .filter(({ peers }) => peers.length > 0 && peers.every(({ state }) => state !== 'up'))
      .map(({ name }) => `upstream ${name} has no peer that is up`)
  ]
}

/** A proxy may be wanted and yet have nobody who serves. */
function unserved({ state, workers }: ProxyStatus): readonly string[] {
  if (state !== 'running') return [`the proxy is ${state}`]
  const isServed = workers.some((worker) => worker.state === 'listening')
  return isServed ? [] : ['the proxy serves nobody: no worker listens']
}

function byHand({ virtual_routers, proxy }: Status): readonly string[] {
  return [
    ...virtual_routers
      .filter(({ stepped_down }) => stepped_down)
      .map(({ name }) => `${name} was stepped down`),
    ...(proxy?.upstreams ?? []).flatMap(({ name, peers }) =>
      peers
        .filter(({ state }) => state === 'down' || state === 'drain')
        .map((peer) => `${name}/${peer.name} is ${peer.state} by hand`)
    )
  ]
}

function rolesOf({ virtual_routers }: Status): readonly string[] {
  if (virtual_routers.length === 0) return ['the proxy is running']
  return virtual_routers.map(
    (router) => `${router.name} is ${router.state.toUpperCase()} of ${addressList(router)}`
  )
}

/** Figures as plugins give them: `name=value`. */
function figuresOf({ virtual_routers, proxy, uptime_s }: Status): string {
  const peers = (proxy?.upstreams ?? []).flatMap((upstream) => upstream.peers)
  const rate = (proxy?.listeners ?? []).reduce(
    (total, { traffic }) => total + traffic.recent.per_second,
    0
  )
  return [
    `masters=${virtual_routers.filter(({ state }) => state === 'master').length}`,
    `peers_up=${peers.filter(({ state }) => state === 'up').length}`,
    `peers=${peers.length}`,
    `requests_per_second=${rate.toFixed(1)}`,
    `uptime=${Math.floor(uptime_s)}s`
  ].join(' ')
}
