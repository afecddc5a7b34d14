import type { Path } from '../source.js'
import type { Block, Report } from './block.js'
import { parseNginxTime } from './directives.js'
import type { Directive } from './parser.js'

/** The directives of an `upstream` block that choose a balancing method. */
const METHODS: readonly string[] = ['least_conn', 'ip_hash', 'random', 'hash']

/**
 * Reads the method of an `upstream` block. Of several nginx takes the last one, with a warning.
 * @param directives the block in its order
 * @returns `balance` in the shape of `tsha.yaml`, undefined for round robin
 */
export function readBalance(
  block: Block,
  directives: readonly Directive[],
  path: Path,
  report: Report
): unknown {
  const given = directives.filter(
    (directive) => METHODS.includes(directive.name) && block.all(directive.name).includes(directive)
  )
  const last = given.at(-1)
  if (!last) return undefined
  if (given.length > 1) {
    const names = given.map(({ name }) => name).join(', ')
    report.notes.push(
      `upstream ${String(path[1])}: ${names} are given; the last one holds, as in nginx`
    )
  }
  report.place(path, last)
  switch (last.name) {
    case 'random':
      return readRandom(last, report)
    case 'hash':
      return readHash(last, path, report)
    default:
      return last.name
  }
}

/** `two` alone means `two least_conn`, as in nginx. */
function readRandom(directive: Directive, report: Report): unknown {
  const [two, method] = directive.args
  if (two?.text !== 'two') {
    const what = two ? `"${two.text}" in random` : 'random without "two"'
    const message = `${what} is not supported; use random two`
    report.problem('TSHA_E_NOT_SUPPORTED', message, two?.position ?? directive.position)
  } else if (method && method.text !== 'least_conn') {
    report.notSupported(`"${method.text}" in random`, method.position)
  }
  return 'random_two'
}

function readHash(directive: Directive, path: Path, report: Report): unknown {
  const [key, consistent] = directive.args
  if (consistent && consistent.text !== 'consistent') {
    const message = `hash parameter "${consistent.text}" is not valid; use consistent, or leave it out`
    report.problem('TSHA_E_VALUE', message, consistent.position)
  }
  report.place([...path, 'hash', 'key'], directive)
  return { hash: { key: key?.text, consistent: consistent !== undefined } }
}

/** Reads `queue N [timeout=TIME]`. @returns `queue` in the shape of `tsha.yaml` */
export function readQueue(block: Block, path: Path, report: Report): unknown {
  const directive = block.one('queue')
  if (!directive) return undefined
  const [requests, parameter] = directive.args
  const queue: Record<string, unknown> = { requests: numberOf(requests?.text) }
  report.place(path, directive)
  report.place([...path, 'requests'], directive)
  if (!parameter) return queue
  const [, time] = /^timeout=(.*)$/s.exec(parameter.text) ?? []
  if (time === undefined) report.notSupported(`"${parameter.text}" in queue`, parameter.position)
  else queue['timeout'] = parseNginxTime(time) ?? time
  report.places.set([...path, 'timeout'], {
    position: parameter.position,
    keyPosition: parameter.position,
    label: 'queue timeout'
  })
  return queue
}

/** A number for the schema, or the text that it will complain of. */
export function numberOf(text: string | undefined): unknown {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text
}
