import { dirname, resolve } from 'node:path'
import { ConfigError } from '../../errors.js'
import type { Position, Problem } from '../../errors.js'
import { glob, isGlob } from '../glob.js'
import { readText } from '../read-text.js'
import { parse } from './parser.js'
import type { Statement } from './parser.js'
import { Definitions } from './definitions.js'
import type { Token } from './lexer.js'

/** What conditional lines and substitutions depend on. */
export interface ExpandContext {
  /** keepalived's config id: without `--config-id` the machine's name up to its first dot. */
  readonly configId: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

const MAX_INCLUDE_DEPTH = 16
const MAX_FILES = 1000
/** Many times the largest real file: bounds definitions that are used again and again. */
const MAX_STATEMENTS = 200_000

/** `include` and its variants, which differ in what keepalived says about files that are missing. */
const INCLUDE = /^include[rmwba]?$/

/** Statements as keepalived sees them: files included, conditions decided, definitions put in. */
export interface Expanded {
  readonly statements: readonly Statement[]
  readonly problems: readonly Problem[]
  readonly notes: readonly string[]
}

/** Expands the text of a `keepalived.conf`. A file that cannot be read is a problem at its `include`. */
export async function expand(
  file: string,
  text: string,
  context: ExpandContext
): Promise<Expanded> {
  const expander = new Expander(context)
  const statements = await expander.text(file, text, 0)
  return { statements, problems: expander.problems, notes: expander.notes }
}

class Expander {
  readonly problems: Problem[] = []
  readonly #leftOut = new Set<string>()
  readonly #configId: string
  readonly #definitions: Definitions
  #files = 0
  #statements = 0

  constructor({ configId, environment }: ExpandContext) {
    this.#configId = configId
    this.#definitions = new Definitions({ configId, environment })
  }

  get notes(): string[] {
    if (this.#leftOut.size === 0) return []
    return [
      `conditional lines: the config id is ${this.#configId}, the name of this machine; left out are the lines of ${[...this.#leftOut].join(', ')}`
    ]
  }

  async text(file: string, text: string, depth: number): Promise<Statement[]> {
    const { statements, problems } = parse(file, text)
    this.problems.push(...problems)
    return this.#all(statements, depth)
  }

  async #all(statements: readonly Statement[], depth: number): Promise<Statement[]> {
    const expanded: Statement[] = []
    for (const statement of statements) {
      if (++this.#statements > MAX_STATEMENTS) {
        if (this.#statements === MAX_STATEMENTS + 1) {
          const message = `more than ${MAX_STATEMENTS} lines; use fewer`
          this.#problem('TSHA_E_SYNTAX', message, statement.position)
        }
        return expanded
      }
      expanded.push(...(await this.#one(statement, depth)))
    }
    return expanded
  }

  async #one(statement: Statement, depth: number): Promise<Statement[]> {
    const { position } = statement
    const first: Token = { kind: 'word', text: statement.keyword, isQuoted: false, position }
    const isDefinition = this.#definitions.isDefinition(statement.keyword)
    const words = isDefinition
      ? [first, ...statement.args]
      : [first, ...statement.args].flatMap((word) => this.#definitions.apply(word))
    const [keyword, ...args] = words
    if (!keyword) return []
    if (/^@./.test(keyword.text)) {
      if (!this.#holds(keyword.text) || !args[0]) return []
      return this.#one({ ...statement, ...headOf(args) }, depth)
    }
    if (/^~(SEQ|LST)/.test(keyword.text)) {
      const message = `sequence "${keyword.text}" is not supported; write its lines out`
      this.#problem('TSHA_E_NOT_SUPPORTED', message, position)
      return []
    }
    if (this.#definitions.isDefinition(keyword.text)) {
      const problem = this.#definitions.define(words)
      if (problem !== null) this.#problem('TSHA_E_NOT_SUPPORTED', problem, position)
      return []
    }
    if (INCLUDE.test(keyword.text) && statement.block === null) {
      return this.#include(args[0], position, depth)
    }
    const block = statement.block === null ? null : await this.#all(statement.block, depth)
    return [{ keyword: keyword.text, args, block, position }]
  }

  /** `@id` keeps a line where the config id is `id`, `@^id` where it is another one. */
  #holds(condition: string): boolean {
    const isNegative = condition.startsWith('@^')
    const id = condition.slice(isNegative ? 2 : 1)
    const holds = (id === this.#configId) !== isNegative
    if (!holds) this.#leftOut.add(condition)
    return holds
  }

  async #include(word: Token | undefined, position: Position, depth: number): Promise<Statement[]> {
    if (!word) {
      this.#problem('TSHA_E_REQUIRED', 'include has no value', position)
      return []
    }
    if (depth >= MAX_INCLUDE_DEPTH) {
      const message = `files include each other deeper than ${MAX_INCLUDE_DEPTH}; use fewer levels`
      this.#problem('TSHA_E_SYNTAX', message, position)
      return []
    }
    const pattern = resolve(dirname(position.file), word.text)
    const files = isGlob(pattern) ? await glob(pattern) : [pattern]
    const statements: Statement[] = []
    for (const file of files) {
      if (++this.#files > MAX_FILES) {
        this.#problem(
          'TSHA_E_SYNTAX',
          `more than ${MAX_FILES} files are included; use fewer`,
          position
        )
        break
      }
      try {
        statements.push(...(await this.text(file, await readText(file), depth + 1)))
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        for (const { code, message } of error.problems) {
          this.#problem(code, `included ${message}`, word.position)
        }
      }
    }
    return statements
  }

  #problem(code: Problem['code'], message: string, position: Position): void {
    this.problems.push({ code, message, position })
  }
}

function headOf(words: readonly Token[]): Pick<Statement, 'keyword' | 'args' | 'position'> {
  const [keyword, ...args] = words
  if (!keyword) throw new RangeError('a line without a word')
  return { keyword: keyword.text, args, position: keyword.position }
}
