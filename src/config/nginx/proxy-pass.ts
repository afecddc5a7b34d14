import { suggestion } from '../nearest.js'
import type { HttpContext } from './http-context.js'
import type { Directive } from './parser.js'

/** The upstream that a `proxy_pass` names, or undefined after a problem was reported. */
export function readProxyPass(directive: Directive, context: HttpContext): string | undefined {
  const { report, upstreams } = context
  const [argument] = directive.args
  if (!argument) return undefined
  const { text, position } = argument
  if (text.includes('$')) {
    report.notSupported('a variable in proxy_pass', position)
    return undefined
  }
  if (/^https:/i.test(text)) {
    report.notSupported('https in proxy_pass', position)
    return undefined
  }
  const match = /^http:\/\/([^/?#]+)(.*)$/is.exec(text)
  const [, target = '', uri = ''] = match ?? []
  if (!match || target.startsWith('unix:')) {
    if (target.startsWith('unix:')) report.notSupported('a unix socket in proxy_pass', position)
    else {
      const message = `proxy_pass "${text}" is not valid; use http://upstream or http://192.0.2.1:8080`
      report.problem('TSHA_E_VALUE', message, position)
    }
    return undefined
  }
  if (uri !== '') {
    const message = `a URI part in proxy_pass ("${uri}") is not supported; use http://${target}`
    report.problem('TSHA_E_NOT_SUPPORTED', message, position)
    return undefined
  }
  const upstream = upstreams.find(target) ?? upstreams.addAddress(directive, target)
  if (upstream !== undefined) return upstream
  const [host = '', port] = target.split(':')
  if (port !== undefined && upstreams.find(host) !== undefined) {
    const message = `upstream "${host}" may not have a port here; use http://${host}`
    report.problem('TSHA_E_VALUE', message, position)
  } else {
    const message =
      `proxy_pass names "${target}", which is no upstream and no address` +
      (suggestion(target, upstreams.names) || '; host names are not supported')
    report.problem('TSHA_E_REFERENCE', message, position)
  }
  return undefined
}
