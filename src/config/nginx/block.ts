import type { ConfigCode, Position, Problem } from '../../errors.js'
import { suggestion } from '../nearest.js'
import type { Path, Places } from '../source.js'
import { DIRECTIVES, NARROWER_CONTEXTS } from './directives.js'
import type { Context, DirectiveSpec } from './directives.js'
import type { Directive } from './parser.js'

/** Collects problems, ignored directives and notes while a `nginx.conf` is read. */
export class Report {
  readonly problems: Problem[]
  readonly ignored: string[] = []
  readonly notes: string[] = []
  readonly places: Places

  constructor(problems: readonly Problem[], places: Places) {
    this.problems = [...problems]
    this.places = places
  }

  problem(code: ConfigCode, message: string, position: Position): void {
    this.problems.push({ code, message, position })
  }

  notSupported(what: string, position: Position): void {
    this.problem('TSHA_E_NOT_SUPPORTED', `${what} is not supported`, position)
  }

  ignore(name: string): void {
    if (!this.ignored.includes(name)) this.ignored.push(name)
  }

  /** Notes where the value at `path` was written: the argument at `index` of a directive. */
  place(path: Path, directive: Directive, index = 0): void {
    this.places.set(path, {
      position: directive.args[index]?.position ?? directive.position,
      keyPosition: directive.position,
      label: directive.name
    })
  }
}

/** The directives of one block by name, each checked against nginx's table. */
export class Block {
  readonly #byName = new Map<string, Directive[]>()

  /** Reads a block's directives; what has no place there is reported and left out. */
  constructor(directives: readonly Directive[], context: Context, report: Report) {
    for (const directive of directives) {
      if (!isAccepted(directive, context, report)) continue
      const spec = DIRECTIVES[directive.name]
      const same = this.#byName.get(directive.name)
      if (same && spec?.isRepeatable !== true) {
        const message = `"${directive.name}" is given twice in one block; use it once`
        report.problem('TSHA_E_DUPLICATE', message, directive.position)
      } else if (spec?.isIgnored === true) report.ignore(directive.name)
      if (same) same.push(directive)
      else this.#byName.set(directive.name, [directive])
    }
  }

  /** The directive of this name, the first if there are several. */
  one(name: string): Directive | undefined {
    return this.#byName.get(name)?.[0]
  }

  /** All directives of this name, in order. */
  all(name: string): readonly Directive[] {
    return this.#byName.get(name) ?? []
  }
}

function isAccepted(directive: Directive, context: Context, report: Report): boolean {
  const { name, args, block, position } = directive
  const spec = Object.hasOwn(DIRECTIVES, name) ? DIRECTIVES[name] : undefined
  if (!spec) {
    const where = context === 'upstream' ? ' in upstream' : ''
    const hint = suggestion(name, namesIn(context))
    const message = `directive "${name}"${where} is not supported${hint}`
    report.problem('TSHA_E_NOT_SUPPORTED', message, position)
    return false
  }
  if (!spec.contexts.includes(context)) {
    const places = spec.contexts.join(', ')
    if (NARROWER_CONTEXTS[name]?.includes(context) === true) {
      const message = `directive "${name}" in ${context} is not supported; use it in ${places}`
      report.problem('TSHA_E_NOT_SUPPORTED', message, position)
    } else {
      const message = `directive "${name}" is not allowed in ${context}; use it in ${places}`
      report.problem('TSHA_E_SYNTAX', message, position)
    }
    return false
  }
  const wantsBlock = name === 'server' ? context === 'http' : spec.isBlock === true
  if (wantsBlock !== (block !== null)) {
    const expected = wantsBlock ? 'has no block; use { and }' : 'takes no block; use ; to end it'
    report.problem('TSHA_E_SYNTAX', `directive "${name}" ${expected}`, position)
    return false
  }
  const [min, max] = argumentCount(name, spec, context)
  if (args.length < min || args.length > max) {
    const message = `directive "${name}" has ${args.length} arguments; use ${describeCount(min, max)}`
    report.problem('TSHA_E_SYNTAX', message, position)
    return false
  }
  return isConvertible(directive, spec, report)
}

function namesIn(context: Context): string[] {
  return Object.entries(DIRECTIVES)
    .filter(([, { contexts }]) => contexts.includes(context))
    .map(([name]) => name)
}

function argumentCount(
  name: string,
  spec: DirectiveSpec,
  context: Context
): readonly [min: number, max: number] {
  if (name !== 'server') return spec.args
  return context === 'http' ? [0, 0] : [1, Infinity]
}

function describeCount(min: number, max: number): string {
  if (min === max) return String(min)
  return max === Infinity ? `${min} or more` : `${min} to ${max}`
}

function isConvertible(directive: Directive, spec: DirectiveSpec, report: Report): boolean {
  const [argument, second] = directive.args
  if (!spec.convert || !argument) return true
  if (spec.convert(argument.text) === undefined) {
    const message = `${directive.name} "${argument.text}" is not valid; use ${spec.expected ?? 'another value'}`
    report.problem('TSHA_E_VALUE', message, argument.position)
    return false
  }
  if (second) report.notSupported(`"${second.text}" in ${directive.name}`, second.position)
  return true
}

/** Blocks from the innermost to the outermost, for nginx's inheritance. */
export type Levels = readonly Block[]

/** The directive of this name that holds: of the innermost block that has one. */
export function inherited(levels: Levels, name: string): Directive | undefined {
  return inheritedAll(levels, name)[0]
}

/** All directives of this name that hold: those of the innermost block that has any. */
export function inheritedAll(levels: Levels, name: string): readonly Directive[] {
  return levels.map((level) => level.all(name)).find((found) => found.length > 0) ?? []
}

/**
 * Sets `key` of `into` from the directive `name` where one of the levels has it, and notes its place;
 * otherwise the schema's default, or nginx's where they differ, holds.
 */
export function setInherited(
  into: Record<string, unknown>,
  key: string,
  path: Path,
  levels: Levels,
  name: string,
  report: Report
): void {
  const directive = inherited(levels, name)
  const text = directive?.args[0]?.text
  if (!directive || text === undefined) return
  into[key] = DIRECTIVES[name]?.convert?.(text) ?? text
  report.place([...path, key], directive)
}
