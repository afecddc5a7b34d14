import { isIPv4 } from 'node:net'
import type { Path } from '../source.js'
import { formatEndpoint } from '../../proxy/endpoint.js'
import { parseEndpoint } from '../units.js'
import { Block, setInherited } from './block.js'
import type { Report } from './block.js'
import type { HttpContext } from './http-context.js'
import { readLimitConn } from './limit-conn.js'
import { readAccessLogs } from './logs.js'
import type { Token } from './lexer.js'
import type { Directive } from './parser.js'
import { readRoute } from './routes.js'

interface Listen {
  readonly address: string
  readonly isDefault: boolean
  readonly directive: Directive
  /** Of the parameter `default_server`. */
  readonly defaultIndex: number
}

/** Settings of a server, by their names in nginx, which are also those of `tsha.yaml`. */
const SERVER_SETTINGS = [
  'keepalive_timeout',
  'keepalive_requests',
  'client_header_timeout',
  'client_body_timeout',
  'send_timeout'
] as const

/**
 * Reads one `server` block. It makes one listener of `tsha.yaml` for each of its `listen`s, appended
 * to `listeners`.
 */
export function readServer(directive: Directive, context: HttpContext, listeners: unknown[]): void {
  const { http, report } = context
  const server = new Block(directive.block ?? [], 'server', report)
  const listens = readListens(directive, server, context)
  const names = readNames(server, report)
  for (const listen of listens) {
    const path = ['listeners', listeners.length]
    const listener: Record<string, unknown> = {
      address: listen.address,
      default: listen.isDefault,
      server_names: names.map(({ name }) => name),
      access_logs: readAccessLogs([server, http], context.formats, report)
    }
    report.place(path, directive)
    report.place([...path, 'address'], listen.directive)
    report.place([...path, 'default'], listen.directive, listen.defaultIndex)
    const [nameDirective] = server.all('server_name')
    if (nameDirective) report.place([...path, 'server_names'], nameDirective)
    for (const [index, { token }] of names.entries()) {
      const { position } = token
      const place = { position, keyPosition: position, label: 'server_name' }
      report.places.set([...path, 'server_names', index], place)
    }
    for (const name of SERVER_SETTINGS) {
      setInherited(listener, name, path, [server, http], name, report)
    }
    readLimitConn(listener, path, [server, http], context.limitZones, report)
    listener['routes'] = readRoutes(server, path, context)
    listeners.push(listener)
  }
  if (server.all('location').length === 0) {
    const name = names[0]?.name ?? 'without a name'
    report.notes.push(`server ${name}: it has no location, so tsha answers every request with 404`)
  }
}

function readRoutes(server: Block, path: Path, context: HttpContext): unknown[] {
  const routes: unknown[] = []
  for (const location of server.all('location')) {
    const route = readRoute(location, server, [...path, 'routes', routes.length], context)
    if (route) routes.push(route)
  }
  return routes
}

function readListens(directive: Directive, server: Block, context: HttpContext): Listen[] {
  const listens = server.all('listen').flatMap((listen) => readListen(listen, context.report))
  if (server.all('listen').length === 0) {
    // nginx's NGX_HTTP_SERVER defaults: 80, or 8000 when it may not bind that.
    const address = `0.0.0.0:${context.isRoot ? 80 : 8000}`
    return [{ address, isDefault: false, directive, defaultIndex: 0 }]
  }
  const seen = new Set<string>()
  for (const { address, directive: listen } of listens) {
    if (seen.has(address)) {
      const message = `listen ${address} is given twice in one server; use it once`
      context.report.problem('TSHA_E_DUPLICATE', message, listen.position)
    }
    seen.add(address)
  }
  return listens
}

function readListen(directive: Directive, report: Report): Listen[] {
  const [first, ...parameters] = directive.args
  if (!first) return []
  let isDefault = false
  let defaultIndex = 0
  for (const [index, parameter] of parameters.entries()) {
    if (parameter.text === 'default_server' || parameter.text === 'default') {
      isDefault = true
      defaultIndex = index + 1
    } else report.notSupported(`listen parameter "${parameter.text}"`, parameter.position)
  }
  const address = readListenAddress(first, report)
  return address === null ? [] : [{ address, isDefault, directive, defaultIndex }]
}

function readListenAddress(token: Token, report: Report): string | null {
  const text = token.text.replace(/^\*(?=:|$)/, '0.0.0.0')
  const endpoint = /^\d+$/.test(text)
    ? parseEndpoint(`0.0.0.0:${text}`, 80)
    : parseEndpoint(text, 80)
  if (endpoint) return formatEndpoint(endpoint)
  if (text.startsWith('unix:')) {
    report.notSupported(`listen on the unix socket "${text}"`, token.position)
  } else if (/^\d+$/.test(text) || isIPv4(text.replace(/:.*$/, ''))) {
    const message = `listen "${token.text}" has no valid port; use 1 to 65535`
    report.problem('TSHA_E_VALUE', message, token.position)
  } else {
    const message = `listen on the host name "${token.text}" is not supported; use an address or a port`
    report.problem('TSHA_E_NOT_SUPPORTED', message, token.position)
  }
  return null
}

interface ServerName {
  readonly name: string
  readonly token: Token
}

function readNames(server: Block, report: Report): ServerName[] {
  const names: ServerName[] = []
  for (const token of server.all('server_name').flatMap(({ args }) => args)) {
    const { text, position } = token
    if (text.startsWith('~'))
      report.notSupported(`regular expression "${text}" in server_name`, position)
    else if (text.includes('$')) report.notSupported(`variable in server_name "${text}"`, position)
    else if (text === '') report.notSupported('an empty server_name', position)
    else if (text.startsWith('.')) {
      // `.example.org` is short for `example.org *.example.org`.
      names.push({ name: text.slice(1), token }, { name: `*${text}`, token })
    } else names.push({ name: text, token })
  }
  return names
}
