import type { Balance } from '../proxy/model.js'
import type { Findings } from './findings.js'
import { elementsOf, memberOf } from './source.js'
import type { Path } from './source.js'
import { checkVariables } from './template-rules.js'

/** The methods that know backup servers and a slow start; the others go where the key or chance says. */
const RANKING_METHODS: readonly string[] = [
  'round_robin',
  'least_conn'
] satisfies Balance['method'][]

/** A ring has 160 points for each unit of weight: beyond this it would take seconds to make. */
const MAX_RING_WEIGHT = 10_000

/** The rules that join the balancing method of an upstream with its servers, as nginx has them. */
export function checkBalance(upstream: unknown, path: Path, findings: Findings): void {
  const balance = memberOf(upstream, 'balance')
  const servers = elementsOf(memberOf(upstream, 'servers'))
  const hash = memberOf(balance, 'hash')
  const method = hash === undefined ? (balance ?? 'round_robin') : 'hash'
  if (typeof method !== 'string') return
  for (const [index, server] of servers.entries()) {
    const serverPath = [...path, 'servers', index]
    if (RANKING_METHODS.includes(method)) continue
    if (memberOf(server, 'backup') === true) refuse('backup', method, serverPath, findings)
    if (hasSlowStart(server)) refuse('slow_start', method, serverPath, findings)
  }
  if (servers.length > 0 && servers.every((server) => memberOf(server, 'backup') === true)) {
    const message = 'every server is a backup; leave backup out at one of them'
    findings.problem('TSHA_E_VALUE', message, [...path, 'servers'])
  }
  checkVariables(memberOf(hash, 'key'), [...path, 'balance', 'hash', 'key'], findings)
  if (memberOf(hash, 'consistent') === true) checkRing(servers, path, findings)
}

function hasSlowStart(server: unknown): boolean {
  const slowStart = memberOf(server, 'slow_start')
  return typeof slowStart === 'string' && !/^0+(?:ms|s|m|h|d)$/.test(slowStart)
}

function refuse(key: string, method: string, path: Path, findings: Findings): void {
  const message = `${key} has no meaning with ${method}; use round_robin or least_conn, or leave it out`
  findings.keyProblem('TSHA_E_VALUE', message, [...path, key])
}

function checkRing(servers: readonly unknown[], path: Path, findings: Findings): void {
  let total = 0
  for (const server of servers) {
    const weight = memberOf(server, 'weight')
    total += typeof weight === 'number' ? weight : 1
  }
  if (total <= MAX_RING_WEIGHT) return
  const message =
    `the weights of a consistent hash add up to ${total}; ` +
    `use smaller ones, at most ${MAX_RING_WEIGHT} together`
  findings.problem('TSHA_E_VALUE', message, [...path, 'servers'])
}
