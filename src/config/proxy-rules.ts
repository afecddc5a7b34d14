import type { Findings } from './findings.js'
import { suggestion } from './nearest.js'
import { elementsOf, entriesOf, memberOf } from './source.js'
import type { Path } from './source.js'
import { formatEndpoint } from '../proxy/endpoint.js'
import { parseListen } from './units.js'
import type { Endpoint } from './units.js'
import { checkBalance } from './balance-rules.js'
import { checkVariables } from './template-rules.js'

/** A field name (RFC 9110 section 5.1). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Headers of one connection or of message framing: the proxy writes them itself (RFC 9110 section 7.6.1). */
const OWN_HEADERS: readonly string[] = [
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade'
]

const ANY_ADDRESSES: readonly string[] = ['0.0.0.0', '::']

/**
 * The rules of listeners and upstreams that join several values: references, duplicates, variables.
 * Like `checkRouters` they read the configuration before it is validated.
 */
export function checkProxy(value: unknown, findings: Findings): void {
  const listeners = elementsOf(memberOf(value, 'listeners'))
  const upstreams = entriesOf(memberOf(value, 'upstreams')).map(([name, upstream]) => {
    checkUpstreamCheck(memberOf(upstream, 'check'), ['upstreams', name, 'check'], findings)
    checkBalance(upstream, ['upstreams', name], findings)
    return name
  })
  for (const [index, listener] of listeners.entries()) {
    checkRoutes(listener, ['listeners', index], upstreams, findings)
    checkAccessLogs(
      memberOf(listener, 'access_logs'),
      ['listeners', index, 'access_logs'],
      findings
    )
  }
  checkListenAddresses(listeners, findings)
  checkSharedSettings(listeners, findings)
  checkServerNames(listeners, findings)
  checkVariables(memberOf(memberOf(value, 'logs'), 'format'), ['logs', 'format'], findings)
}

/** What only a request can have. */
const HTTP_CHECK_KEYS: readonly string[] = ['path', 'host', 'expect_status', 'expect_body']

function checkUpstreamCheck(check: unknown, path: Path, findings: Findings): void {
  if (memberOf(check, 'type') !== 'tcp') return
  for (const key of HTTP_CHECK_KEYS) {
    if (memberOf(check, key) === undefined) continue
    const message = `${key} has no meaning for a tcp check; use type: http, or leave it out`
    findings.keyProblem('TSHA_E_VALUE', message, [...path, key])
  }
}

function checkRoutes(
  listener: unknown,
  path: Path,
  upstreams: readonly string[],
  findings: Findings
): void {
  const seen = new Map<string, Path>()
  for (const [index, route] of elementsOf(memberOf(listener, 'routes')).entries()) {
    const routePath = [...path, 'routes', index]
    checkRoutePath(route, routePath, seen, findings)
    const upstream = memberOf(route, 'upstream')
    if (typeof upstream === 'string' && !upstreams.includes(upstream)) {
      const message = `upstream "${upstream}" does not exist${suggestion(upstream, upstreams)}`
      findings.problem('TSHA_E_REFERENCE', message, [...routePath, 'upstream'])
    }
    checkTunnel(route, routePath, findings)
    checkHeaders(memberOf(route, 'set_headers'), [...routePath, 'set_headers'], findings)
    checkAccessLogs(memberOf(route, 'access_logs'), [...routePath, 'access_logs'], findings)
  }
}

function checkTunnel(route: unknown, path: Path, findings: Findings): void {
  const isSet = memberOf(memberOf(route, 'timeouts'), 'tunnel') !== undefined
  if (!isSet || memberOf(route, 'upgrade') === true) return
  const message = 'tunnel has no meaning without upgrade; use upgrade: true, or leave it out'
  findings.keyProblem('TSHA_E_VALUE', message, [...path, 'timeouts', 'tunnel'])
}

function checkRoutePath(
  route: unknown,
  path: Path,
  seen: Map<string, Path>,
  findings: Findings
): void {
  const prefix = memberOf(route, 'path')
  const exact = memberOf(route, 'exact')
  if ((prefix === undefined) === (exact === undefined)) {
    const found = prefix === undefined ? 'no path' : 'path and exact'
    findings.keyProblem('TSHA_E_REQUIRED', `route has ${found}; use either path or exact`, path)
    return
  }
  const matched = exact ?? prefix
  if (typeof matched !== 'string') return
  const key = `${exact === undefined ? 'path' : 'exact'} ${matched}`
  const first = seen.get(key)
  if (first) {
    const message = `route ${key} is already given on ${findings.lineOf(first)}; use it once`
    findings.problem('TSHA_E_DUPLICATE', message, [...path, exact === undefined ? 'path' : 'exact'])
  } else seen.set(key, [...path, exact === undefined ? 'path' : 'exact'])
}

function checkHeaders(headers: unknown, path: Path, findings: Findings): void {
  const seen = new Set<string>()
  for (const [name, template] of entriesOf(headers)) {
    const headerPath = [...path, name]
    const lowerName = name.toLowerCase()
    if (!HEADER_NAME.test(name)) {
      const message = `header name ${JSON.stringify(name)} is not valid; use letters, digits and hyphens`
      findings.keyProblem('TSHA_E_VALUE', message, headerPath)
    }
    if (seen.has(lowerName)) {
      findings.keyProblem(
        'TSHA_E_DUPLICATE',
        `header ${name} is set twice; set it once`,
        headerPath
      )
    }
    seen.add(lowerName)
    const isKeepAliveSwitch = lowerName === 'connection' && template === ''
    if (OWN_HEADERS.includes(lowerName) && !isKeepAliveSwitch) {
      const isUpgrade = lowerName === 'upgrade' && findings.isStrict
      const hint = isUpgrade ? 'use upgrade: true' : 'the proxy writes it itself'
      const message = `setting the header ${name} is not supported; ${hint}`
      findings.keyProblem('TSHA_E_NOT_SUPPORTED', message, headerPath)
    }
    checkVariables(template, headerPath, findings)
  }
}

function checkAccessLogs(logs: unknown, path: Path, findings: Findings): void {
  // The nginx front end checks a format where it is defined.
  if (!findings.isStrict) return
  for (const [index, log] of elementsOf(logs).entries()) {
    checkVariables(memberOf(log, 'format'), [...path, index, 'format'], findings)
  }
}

interface Listen {
  readonly endpoint: Endpoint
  readonly isDefault: boolean
  readonly names: readonly string[]
  readonly path: Path
}

function listensOf(listeners: readonly unknown[]): Listen[] {
  return listeners.flatMap((listener, index) => {
    const address = memberOf(listener, 'address')
    const endpoint = typeof address === 'string' ? parseListen(address) : undefined
    if (!endpoint) return []
    const names = elementsOf(memberOf(listener, 'server_names')).filter(isText)
    const isDefault = memberOf(listener, 'default') === true
    return [{ endpoint, isDefault, names, path: ['listeners', index] }]
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function checkListenAddresses(listeners: readonly unknown[], findings: Findings): void {
  const listens = listensOf(listeners)
  const defaults = new Map<string, Path>()
  const mixed = new Set<string>()
  for (const { endpoint, isDefault, path } of listens) {
    const address = formatEndpoint(endpoint)
    const wildcard = listens.find(
      ({ endpoint: { host, port } }) =>
        port === endpoint.port &&
        ANY_ADDRESSES.includes(host) &&
        host !== endpoint.host &&
        host.includes(':') === endpoint.host.includes(':')
    )
    if (wildcard && !mixed.has(address)) {
      mixed.add(address)
      const any = formatEndpoint(wildcard.endpoint)
      const message = `listening on ${address} beside ${any} is not supported; use one of the two`
      findings.problem('TSHA_E_NOT_SUPPORTED', message, [...path, 'address'])
    }
    if (!isDefault) continue
    const first = defaults.get(address)
    if (first) {
      const message = `${address} already has a default server on ${findings.lineOf(first)}; use one`
      findings.problem('TSHA_E_DUPLICATE', message, [...path, 'default'])
    } else defaults.set(address, [...path, 'default'])
  }
}

/** What holds for a connection before the host of its first request is known. */
const SHARED_SETTINGS = [
  ['accept_bare_lf', false],
  ['max_connections_per_client', 0]
] as const

/** Listeners of one address that differ there would have one of them hold in silence. */
function checkSharedSettings(listeners: readonly unknown[], findings: Findings): void {
  const first = new Map<string, number>()
  for (const { endpoint, path } of listensOf(listeners)) {
    const address = formatEndpoint(endpoint)
    const own = Number(path[1])
    const other = first.get(address)
    if (other === undefined) {
      first.set(address, own)
      continue
    }
    for (const [key, fallback] of SHARED_SETTINGS) {
      const value = memberOf(listeners[own], key) ?? fallback
      if (value === (memberOf(listeners[other], key) ?? fallback)) continue
      const line = findings.lineOf(['listeners', other])
      if (findings.isStrict) {
        const message = `${key} differs from the listener for ${address} on ${line}; use the same for both`
        findings.keyProblem('TSHA_E_VALUE', message, [...path, key])
      } else {
        const message = `another limit_conn than that of the server for ${address} on ${line} is not supported`
        findings.keyProblem('TSHA_E_NOT_SUPPORTED', message, [...path, key])
      }
    }
  }
}

/** nginx warns and ignores the second server of a name; in `tsha.yaml` it is a mistake. */
function checkServerNames(listeners: readonly unknown[], findings: Findings): void {
  const seen = new Map<string, number>()
  for (const { endpoint, names, path } of listensOf(listeners)) {
    const address = formatEndpoint(endpoint)
    const own = Number(path[1])
    // A listener without names still is a server of its own, and only the first can be reached.
    for (const name of names.length === 0 ? [''] : names) {
      const key = `${address} ${name.toLowerCase()}`
      const first = seen.get(key)
      if (first === undefined) {
        seen.set(key, own)
        continue
      }
      const what = name === '' ? 'a server without a name' : `the server name "${name}"`
      findings.problemIfStrict(
        'TSHA_E_DUPLICATE',
        `${address} already has ${what} (${findings.lineOf(['listeners', first])}); the first one answers`,
        [...path, 'server_names']
      )
    }
  }
}
