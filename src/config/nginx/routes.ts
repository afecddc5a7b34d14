import { NEXT_UPSTREAM_CONDITIONS } from '../../proxy/model.js'
import type { Path } from '../source.js'
import { Block, inherited, inheritedAll, setInherited } from './block.js'
import type { Levels, Report } from './block.js'
import { readAccessLogs } from './logs.js'
import type { Directive } from './parser.js'
import { readProxyPass } from './proxy-pass.js'
import { takeUpgrade } from './upgrade.js'
import type { HttpContext } from './http-context.js'

/**
 * Reads one `location` block.
 * @returns a route in the shape of `tsha.yaml`, or null after a problem was reported
 */
export function readRoute(
  directive: Directive,
  server: Block,
  path: Path,
  context: HttpContext
): Record<string, unknown> | null {
  const { http, report } = context
  const location = new Block(directive.block ?? [], 'location', report)
  for (const nested of location.all('location')) {
    report.notSupported('a location inside of a location', nested.position)
  }
  const match = readMatch(directive, report)
  const proxyPass = location.one('proxy_pass')
  if (!proxyPass) {
    const message = 'a location without proxy_pass is not supported; tsha serves no files'
    report.problem('TSHA_E_NOT_SUPPORTED', message, directive.position)
    return null
  }
  const upstream = readProxyPass(proxyPass, context)
  if (!match || upstream === undefined) return null

  const levels = [location, server, http]
  const headers = readHeaders(levels, [...path, 'set_headers'], report)
  const upgrade = takeUpgrade(headers, levels, context.upgradeVariables, report)
  const route: Record<string, unknown> = {
    [match.isExact ? 'exact' : 'path']: match.path,
    upstream,
    set_headers: headers,
    upgrade: upgrade !== undefined,
    access_logs: readAccessLogs(levels, context.formats, report)
  }
  report.place(path, directive)
  report.place([...path, match.isExact ? 'exact' : 'path'], directive, directive.args.length - 1)
  report.place([...path, 'upstream'], proxyPass)
  if (upgrade) report.place([...path, 'upgrade'], upgrade)
  const timeouts: Record<string, unknown> = {}
  const timeoutsPath = [...path, 'timeouts']
  setInherited(timeouts, 'connect', timeoutsPath, levels, 'proxy_connect_timeout', report)
  setInherited(timeouts, 'send', timeoutsPath, levels, 'proxy_send_timeout', report)
  setInherited(timeouts, 'read', timeoutsPath, levels, 'proxy_read_timeout', report)
  route['timeouts'] = timeouts
  setInherited(route, 'next_upstream_tries', path, levels, 'proxy_next_upstream_tries', report)
  setInherited(route, 'next_upstream_timeout', path, levels, 'proxy_next_upstream_timeout', report)
  setInherited(route, 'max_body_size', path, levels, 'client_max_body_size', report)
  setInherited(route, 'body_buffer_size', path, levels, 'client_body_buffer_size', report)
  setInherited(route, 'request_buffering', path, levels, 'proxy_request_buffering', report)
  readNextUpstream(route, levels, path, report)
  noteRedirect(match, server, report)
  return route
}

interface Match {
  readonly isExact: boolean
  readonly path: string
}

function readMatch(directive: Directive, report: Report): Match | null {
  const [first, second] = directive.args
  if (!first) return null
  const [, glued = '', rest = ''] = /^(=|\^~|~\*|~|@)?(.*)$/s.exec(first.text) ?? []
  const modifier = second ? first.text : glued
  const path = second ? second.text : rest
  if (modifier === '~' || modifier === '~*') {
    report.notSupported(`regular expression location "${path}"`, first.position)
    return null
  }
  if (modifier === '@') {
    report.notSupported(`named location "${first.text}"`, first.position)
    return null
  }
  if (second && modifier !== '=' && modifier !== '^~') {
    const message = `location modifier "${modifier}" is not valid; use = or ^~`
    report.problem('TSHA_E_SYNTAX', message, first.position)
    return null
  }
  // Without regular expressions `^~` is the same as a plain prefix.
  return { isExact: modifier === '=', path }
}

/** nginx answers `/path` with a redirect where only the proxied `location /path/` exists. */
function noteRedirect(match: Match, server: Block, report: Report): void {
  if (match.isExact || match.path === '/' || !match.path.endsWith('/')) return
  const bare = match.path.slice(0, -1)
  const hasExact = server.all('location').some(({ args }) => {
    const text = args.map(({ text }) => text).join('')
    return text === `=${bare}`
  })
  const note = `location ${match.path}: nginx answers ${bare} with a redirect to ${match.path}; tsha does not`
  if (!hasExact && !report.notes.includes(note)) report.notes.push(note)
}

function readHeaders(levels: Levels, path: Path, report: Report): Record<string, string> {
  const headers: Record<string, string> = {}
  const directives = inheritedAll(levels, 'proxy_set_header')
  for (const directive of directives) {
    const [name, value] = directive.args
    if (!name || !value) continue
    if (Object.hasOwn(headers, name.text) || name.text === '__proto__') {
      const message = `header ${name.text} is set twice; set it once`
      report.problem('TSHA_E_DUPLICATE', message, directive.position)
    } else headers[name.text] = value.text
    report.place([...path, name.text], directive, 1)
  }
  return headers
}

function readNextUpstream(
  route: Record<string, unknown>,
  levels: Levels,
  path: Path,
  report: Report
): void {
  const directive = inherited(levels, 'proxy_next_upstream')
  if (!directive) return
  const known: readonly string[] = NEXT_UPSTREAM_CONDITIONS
  for (const { text, position } of directive.args) {
    if (text === 'off' || known.includes(text)) continue
    report.notSupported(`"${text}" in proxy_next_upstream`, position)
  }
  const words = directive.args.map(({ text }) => text)
  route['next_upstream'] = words.includes('off') ? [] : words.filter((word) => known.includes(word))
  report.place([...path, 'next_upstream'], directive)
}
