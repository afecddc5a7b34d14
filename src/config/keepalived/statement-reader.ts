import type { ConfigCode, Position, Problem } from '../../errors.js'
import { suggestion } from '../nearest.js'
import type { Path, Places } from '../source.js'
import type { Statement } from './parser.js'

/** What is done with each directive of a block. */
export type Handlers = Readonly<Record<string, (statement: Statement) => void>>

/** Reads the values of statements and reports what keepalived or tsha would not accept. */
export class StatementReader {
  readonly #problems: Problem[]
  readonly #places: Places

  constructor(problems: Problem[], places: Places) {
    this.#problems = problems
    this.#places = places
  }

  problem(code: ConfigCode, message: string, position: Position): void {
    this.#problems.push({ code, message, position })
  }

  notSupported(statement: Statement): void {
    const { keyword, position } = statement
    const first = keyword.charAt(0)
    const what =
      first === '@'
        ? `conditional line "${keyword}"`
        : first === '$'
          ? `definition "${keyword}"`
          : `directive "${keyword}"`
    this.problem('TSHA_E_NOT_SUPPORTED', `${what} is not supported`, position)
  }

  /** Reports the argument at `index` of a directive as not supported. */
  notSupportedWord(statement: Statement, index: number): void {
    const word = statement.args[index]
    if (!word) return
    const message = `"${word.text}" in ${statement.keyword} is not supported`
    this.problem('TSHA_E_NOT_SUPPORTED', message, word.position)
  }

  /** Gives each statement of a block to its handler; unknown and repeated directives are problems. */
  block(statement: Statement, handlers: Handlers): void {
    if (!statement.block) {
      this.problem(
        'TSHA_E_SYNTAX',
        `${statement.keyword} has no block; use { and }`,
        statement.position
      )
      return
    }
    const seen = new Set<string>()
    for (const line of statement.block) {
      const handler = Object.hasOwn(handlers, line.keyword) ? handlers[line.keyword] : undefined
      if (!handler) {
        const hint = suggestion(line.keyword, Object.keys(handlers))
        const message = `directive "${line.keyword}" is not supported${hint}`
        if (/^[@$]/.test(line.keyword)) this.notSupported(line)
        else this.problem('TSHA_E_NOT_SUPPORTED', message, line.position)
      } else if (seen.has(line.keyword)) {
        this.problem(
          'TSHA_E_DUPLICATE',
          `${line.keyword} is given twice; use it once`,
          line.position
        )
      } else if (this.#hasVariable(line)) {
        this.problem(
          'TSHA_E_NOT_SUPPORTED',
          `a $ variable in ${line.keyword} is not supported`,
          line.position
        )
      } else if (line.args.length === 0 && !line.block) {
        this.problem('TSHA_E_REQUIRED', `${line.keyword} has no value`, line.position)
      } else handler(line)
      seen.add(line.keyword)
    }
  }

  #hasVariable(line: Statement): boolean {
    return line.keyword !== 'script' && line.args.some(({ text }) => text.startsWith('$'))
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
      this.problem(
        'TSHA_E_DUPLICATE',
        `${keyword} ${name} is given twice; use another name`,
        position
      )
      return undefined
    }
    return name
  }

  /** The only argument as text. */
  text(statement: Statement): string | undefined {
    if (statement.args.length > 1) this.notSupportedWord(statement, 1)
    return statement.args[0]?.text
  }

  /** The first argument as a number; the text itself when it is none, for the schema to refuse. */
  number(statement: Statement): number | string | undefined {
    const text = statement.args[0]?.text
    return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : text
  }

  /** A number of seconds, fractions allowed, as a duration with its unit. */
  seconds(statement: Statement): string | undefined {
    const text = this.text(statement)
    return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? `${text}s` : text
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
}
