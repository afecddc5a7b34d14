import { ERROR_LOG_LEVELS } from '../../proxy/model.js'
import { suggestion } from '../nearest.js'
import { isVariable } from '../../proxy/variables.js'
import { variablesIn, COMBINED_FORMAT } from '../variables.js'
import { inheritedAll } from './block.js'
import type { Block, Levels, Report } from './block.js'
import type { Directive } from './parser.js'

/** Where nginx of the distributions logs when it is not told. */
const DEFAULT_ACCESS_LOG = '/var/log/nginx/access.log'
const DEFAULT_ERROR_LOG = '/var/log/nginx/error.log'

/** An access log in the shape of `tsha.yaml`. */
export interface AccessLogValue {
  readonly path: string
  readonly format: string
}

/** Reads the `log_format`s of a `http` block by name, with nginx's own `combined`. */
export function readLogFormats(http: Block, report: Report): ReadonlyMap<string, string> {
  const formats = new Map([['combined', COMBINED_FORMAT]])
  for (const directive of http.all('log_format')) {
    const [name, ...parts] = directive.args
    if (!name) continue
    const escape = parts[0]?.text.startsWith('escape=') === true ? parts.shift() : undefined
    if (escape && escape.text !== 'escape=default') {
      report.notSupported(`"${escape.text}" in log_format`, escape.position)
    }
    if (formats.has(name.text)) {
      const message = `log_format "${name.text}" already exists; use another name`
      report.problem('TSHA_E_DUPLICATE', message, name.position)
    }
    for (const part of parts) {
      // A format that no log uses is checked here too, as nginx does.
      for (const variable of variablesIn(part.text).filter(
        (name) => !isVariable(name.toLowerCase())
      )) {
        report.notSupported(`variable $${variable} in log_format`, part.position)
      }
    }
    formats.set(name.text, parts.map(({ text }) => text).join(''))
  }
  return formats
}

/** The access logs that hold at a level: none after `access_log off`. */
export function readAccessLogs(
  levels: Levels,
  formats: ReadonlyMap<string, string>,
  report: Report
): AccessLogValue[] {
  const directives = inheritedAll(levels, 'access_log')
  if (directives.length === 0) return [{ path: DEFAULT_ACCESS_LOG, format: COMBINED_FORMAT }]
  if (directives.some(({ args }) => args[0]?.text === 'off' && args.length === 1)) return []
  return directives.flatMap((directive) => readAccessLog(directive, formats, report))
}

function readAccessLog(
  directive: Directive,
  formats: ReadonlyMap<string, string>,
  report: Report
): AccessLogValue[] {
  const [path, formatName, option] = directive.args
  if (!path || !isFile(path.text, path.position, 'access_log', report)) return []
  if (option) report.notSupported(`"${option.text}" in access_log`, option.position)
  if (formatName && /^[a-z]+=/.test(formatName.text)) {
    report.notSupported(`"${formatName.text}" in access_log`, formatName.position)
    return []
  }
  const name = formatName?.text ?? 'combined'
  const format = formats.get(name)
  if (format === undefined) {
    const message = `log_format "${name}" does not exist${suggestion(name, [...formats.keys()])}`
    report.problem('TSHA_E_REFERENCE', message, formatName?.position ?? directive.position)
    return []
  }
  return [{ path: path.text, format }]
}

function isFile(
  text: string,
  position: Directive['position'],
  name: string,
  report: Report
): boolean {
  if (text.startsWith('/') && !text.includes('$')) return true
  const kind = text.startsWith('/') ? 'a path with variables' : `"${text}"`
  const message = `${kind} in ${name} is not supported; use an absolute path`
  report.problem('TSHA_E_NOT_SUPPORTED', message, position)
  return false
}

/** Reads the `error_log` of the main level into the shape of `tsha.yaml`. */
export function readErrorLog(main: Block, report: Report): { error: string; level: string } {
  const [directive, second] = main.all('error_log')
  if (second) report.notSupported('a second error_log', second.position)
  const [path, level] = directive?.args ?? []
  const levelText = level?.text ?? 'error'
  if (level && !(ERROR_LOG_LEVELS as readonly string[]).includes(levelText)) {
    const message = `error_log level "${levelText}" is not supported; use ${ERROR_LOG_LEVELS.join(', ')}`
    report.problem('TSHA_E_NOT_SUPPORTED', message, level.position)
  }
  const levelValue = (ERROR_LOG_LEVELS as readonly string[]).includes(levelText)
    ? levelText
    : 'error'
  // tsha's own log is its standard error: without a file errors go only there.
  if (path?.text === 'stderr') return { error: 'off', level: levelValue }
  if (!path || !isFile(path.text, path.position, 'error_log', report)) {
    return { error: DEFAULT_ERROR_LOG, level: levelValue }
  }
  return { error: path.text, level: levelValue }
}
