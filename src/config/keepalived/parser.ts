import type { Position, Problem } from '../../errors.js'
import { tokenize } from './lexer.js'
import type { Token } from './lexer.js'

/** One line of a `keepalived.conf`, with the block that follows it. */
export interface Statement {
  /** The directive, or the entry of a list such as `virtual_ipaddress`. */
  readonly keyword: string
  readonly args: readonly Token[]
  /** Null when no `{` follows. */
  readonly block: readonly Statement[] | null
  readonly position: Position
}

/** Deepest nesting of blocks; keepalived's own needs four. */
const MAX_DEPTH = 16

/** Parses a `keepalived.conf` into statements; what they mean is not looked at. */
export function parse(
  file: string,
  text: string
): { statements: readonly Statement[]; problems: readonly Problem[] } {
  const { tokens, problems } = tokenize(file, text)
  const parser = new Parser(tokens, problems)
  return { statements: parser.statements(null), problems }
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #problems: Problem[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[], problems: Problem[]) {
    this.#tokens = tokens
    this.#problems = problems
  }

  /** Reads statements up to the `}` that closes the block opened at `openedAt`, or to the end. */
  statements(openedAt: Position | null): Statement[] {
    const statements: Statement[] = []
    for (;;) {
      const token = this.#tokens[this.#at]
      if (!token) {
        if (openedAt) this.#problem('block is not closed; use a } for this {', openedAt)
        return statements
      }
      this.#at++
      if (token.kind === 'newline') continue
      if (token.kind === 'close') {
        if (openedAt) return statements
        this.#problem('} closes no block; remove it', token.position)
      } else if (token.kind === 'open') {
        this.#problem('{ follows no directive; use a name before it', token.position)
        this.#block(token.position)
      } else statements.push(this.#statement(token))
    }
  }

  #statement(keyword: Token): Statement {
    const args: Token[] = []
    while (this.#tokens[this.#at]?.kind === 'word') {
      const arg = this.#tokens[this.#at++]
      if (arg) args.push(arg)
    }
    // keepalived takes the { of a block also on one of the next lines.
    let next = this.#at
    while (this.#tokens[next]?.kind === 'newline') next++
    const open = this.#tokens[next]
    if (open?.kind !== 'open') {
      return { keyword: keyword.text, args, block: null, position: keyword.position }
    }
    this.#at = next + 1
    const block = this.#block(open.position)
    return { keyword: keyword.text, args, block, position: keyword.position }
  }

  #block(openedAt: Position): Statement[] {
    if (this.#depth >= MAX_DEPTH) {
      this.#problem(`blocks are nested deeper than ${MAX_DEPTH}; use fewer`, openedAt)
      this.#at = this.#tokens.length
      return []
    }
    this.#depth++
    const statements = this.statements(openedAt)
    this.#depth--
    return statements
  }

  #problem(message: string, position: Position): void {
    this.#problems.push({ code: 'TSHA_E_SYNTAX', message, position })
  }
}
