import { suggestion } from '../nearest.js'
import { readServerAddress } from '../server-address.js'
import type { ConfigCode } from '../../errors.js'
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
  const upstream = upstreams.find(target)
  if (upstream !== undefined) return upstream
  const problem = problemOfAddress(target, upstreams.names)
  if (problem !== null) {
    report.problem(...problem, position)
    return undefined
  }
  if (/^[a-z0-9-]+$/i.test(target)) {
    const note = `proxy_pass http://${target}: there is no upstream "${target}", so it is taken for a host name`
    if (!report.notes.includes(note)) report.notes.push(note)
  }
  return upstreams.addAddress(directive, target)
}

/** Why the target of a `proxy_pass` that is no upstream cannot be an address or a host name either. */
function problemOfAddress(
  target: string,
  upstreams: readonly string[]
): [code: ConfigCode, message: string] | null {
  const [host = '', port] = target.split(':')
  if (port !== undefined && upstreams.some((name) => name.toLowerCase() === host.toLowerCase())) {
    return ['TSHA_E_VALUE', `upstream "${host}" may not have a port here; use http://${host}`]
  }
  const read = readServerAddress(target)
  if (!read.ok) return ['TSHA_E_VALUE', `proxy_pass "${target}" ${read.problem}`]
  // A bare word next to the name of an upstream is a slip of the pen that would only show at run time.
  const hint = /^[a-z0-9-]+$/i.test(target) ? suggestion(target, upstreams) : ''
  if (hint === '') return null
  const asHost = ` a host name of that kind is written with its port, http://${target}:80`
  return ['TSHA_E_REFERENCE', `proxy_pass names "${target}", which is no upstream${hint}${asHost}`]
}
