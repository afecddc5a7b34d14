import type { ConfigCode, Position, Problem } from '../../errors.js'
import { suggestion } from '../nearest.js'
import type { Path, Places } from '../source.js'
import { IGNORED, REFUSED } from './not-read.js'
import type { BlockName } from './not-read.js'
import type { Statement } from './parser.js'

/** What is done with a directive of a block, which is read into a `Draft`. */
export interface Directive<Draft> {
  /** `flag`: it may stand alone; `block`: braces follow. */
  readonly takes: 'value' | 'flag' | 'block'
  /** True when keepalived takes it more than once. */
  readonly repeats?: boolean
  readonly read: (line: Statement, draft: Draft, reader: StatementReader) => void
}

/** The directives of one block. */
export type Directives<Draft> = Readonly<Record<string, Directive<Draft>>>

const YES: readonly string[] = ['on', 'true', 'yes']
const NO: readonly string[] = ['off', 'false', 'no']

/** Reads the values of statements and reports what keepalived or tsha would not accept. */
export class StatementReader {
  readonly notes: string[] = []
  readonly ignored: string[] = []
  readonly #problems: Problem[]
  readonly #places: Places

  constructor(problems: Problem[], places: Places) {
    this.#problems = problems
    this.#places = places
  }

  problem(code: ConfigCode, message: string, position: Position): void {
    this.#problems.push({ code, message, position })
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  /** Reports a directive that no table of `block` has, with the reason where there is one. */
  notRead(statement: Statement, block: BlockName, known: readonly string[]): void {
    const { keyword, position } = statement
    const reason = Object.hasOwn(REFUSED[block], keyword) ? REFUSED[block][keyword] : undefined
    if (reason === undefined && Object.hasOwn(IGNORED[block], keyword)) {
      this.ignored.push(keyword)
      return
    }
    const why = reason === undefined ? suggestion(keyword, known) : `: ${reason}`
    this.problem('TSHA_E_NOT_SUPPORTED', `directive "${keyword}" is not supported${why}`, position)
  }

  /** Reports the argument at `index` of a directive as not supported. */
  notSupportedWord(statement: Statement, index: number): void {
    const word = statement.args[index]
    if (!word) return
    const message = `"${word.text}" in ${statement.keyword} is not supported`
    this.problem('TSHA_E_NOT_SUPPORTED', message, word.position)
  }

  /** Reads each statement of a block by its directive; unknown and repeated ones are problems. */
  block<Draft>(
    statement: Statement,
    name: BlockName,
    directives: Directives<Draft>,
    draft: Draft
  ): void {
    if (!statement.block) {
      const message = `${statement.keyword} has no block; use { and }`
      this.problem('TSHA_E_SYNTAX', message, statement.position)
      return
    }
    const seen = new Set<string>()
    for (const line of statement.block) {
      const { keyword, position } = line
      const directive = Object.hasOwn(directives, keyword) ? directives[keyword] : undefined
      if (!directive) this.notRead(line, name, Object.keys(directives))
      else if (seen.has(keyword) && directive.repeats !== true) {
        this.problem('TSHA_E_DUPLICATE', `${keyword} is given twice; use it once`, position)
      } else if (directive.takes === 'block' && !line.block) {
        this.problem('TSHA_E_SYNTAX', `${keyword} has no block; use { and }`, position)
      } else if (directive.takes === 'value' && line.args.length === 0) {
        this.problem('TSHA_E_REQUIRED', `${keyword} has no value`, position)
      } else directive.read(line, draft, this)
      seen.add(keyword)
    }
  }

  has(statement: Statement, keyword: string): boolean {
    return statement.block?.some((line) => line.keyword === keyword) ?? false
  }

  /** The name after a block's directive; undefined when it is missing or taken. */
  name(statement: Statement, taken: Readonly<Record<string, unknown>>): string | undefined {
    const name = statement.args[0]?.text
    const { keyword, position } = statement
    if (name === undefined || name === '') {
      this.problem('TSHA_E_REQUIRED', `${keyword} has no name`, position)
      return undefined
    }
    if (statement.args.length > 1) this.notSupportedWord(statement, 1)
    if (Object.hasOwn(taken, name) || name === '__proto__') {
      const message = `${keyword} ${name} is given twice; use another name`
      this.problem('TSHA_E_DUPLICATE', message, position)
      return undefined
    }
    return name
  }

  /** The only argument as text. */
  text(statement: Statement): string | undefined {
    if (statement.args.length > 1) this.notSupportedWord(statement, 1)
    return statement.args[0]?.text
  }

  /** The only argument as a number; the text itself when it is none, for the schema to refuse. */
  number(statement: Statement): number | string | undefined {
    return numberOf(this.text(statement))
  }

  /** A number of seconds, fractions allowed, as a duration with its unit; down to 1 ms. */
  seconds(statement: Statement): string | undefined {
    const text = this.text(statement)
    if (text === undefined || !/^\d+(\.\d+)?$/.test(text)) return text
    const milliseconds = Number(text) * 1000
    const rounded = Math.round(milliseconds)
    if (Math.abs(milliseconds - rounded) < 1e-6) return `${text}s`
    const used = Math.max(1, rounded)
    this.note(`${statement.keyword} ${text}: tsha counts milliseconds, so it is ${used} ms`)
    return `${used}ms`
  }

  /** A switch: alone it is on. */
  isOn(statement: Statement): boolean {
    const text = this.text(statement)
    if (text === undefined || YES.includes(text)) return true
    if (NO.includes(text)) return false
    const message = `${statement.keyword} "${text}" is not a yes or no; use on or off`
    this.problem('TSHA_E_VALUE', message, statement.args[0]?.position ?? statement.position)
    return false
  }

  /** Notes that the value at `path` comes from the first argument of `statement`. */
  place(path: Path, statement: Statement): void {
    const keyPosition = statement.position
    const position = statement.block ? keyPosition : (statement.args[0]?.position ?? keyPosition)
    this.#places.set(path, { position, keyPosition, label: statement.keyword })
  }

  /** Notes that the value at `path` is the statement itself, such as an entry of a list. */
  placeEntry(path: Path, label: string, position: Position): void {
    this.#places.set(path, { position, keyPosition: position, label })
  }

  /** Notes that the value at `to` was written where the one at `from` was. */
  placeAs(to: Path, from: Path): void {
    const place = this.#places.get(from)
    if (place) this.#places.set(to, place)
  }
}

/** A number as keepalived writes it; the text itself when it is none. */
export function numberOf(text: string | undefined): number | string | undefined {
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : text
}
