import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { errnoOf } from '../../errors.js'
import type { Position, Problem } from '../../errors.js'
import { glob, isGlob } from '../glob.js'
import { tokenize } from './lexer.js'
import type { Token } from './lexer.js'

/** One directive of a `nginx.conf`, from the main file or an included one. */
export interface Directive {
  readonly name: string
  readonly args: readonly Token[]
  /** Null when it ends with `;`. */
  readonly block: readonly Directive[] | null
  readonly position: Position
}

const MAX_BLOCK_DEPTH = 32
const MAX_INCLUDE_DEPTH = 16
const MAX_FILES = 512

/**
 * Parses a `nginx.conf` and every file that it includes, in place. Paths of `include` are relative to
 * the directory of the main file, as in nginx.
 * @param text contents of `file`
 */
export async function parse(
  file: string,
  text: string
): Promise<{ directives: readonly Directive[]; problems: readonly Problem[] }> {
  const reader = new FileReader(dirname(file))
  const directives = await reader.read(file, text, 0)
  return { directives, problems: reader.problems }
}

class FileReader {
  readonly problems: Problem[] = []
  readonly #baseDirectory: string
  #fileCount = 0

  constructor(baseDirectory: string) {
    this.#baseDirectory = baseDirectory
  }

  async read(file: string, text: string, depth: number): Promise<Directive[]> {
    this.#fileCount++
    const { tokens, problems } = tokenize(file, text)
    this.problems.push(...problems)
    const parser = new TokenParser(tokens, (message, position) => {
      this.#problem('TSHA_E_SYNTAX', message, position)
    })
    return this.#expand(parser.directives(null), depth)
  }

  async #expand(directives: readonly Directive[], depth: number): Promise<Directive[]> {
    const expanded: Directive[] = []
    for (const directive of directives) {
      if (directive.name === 'include' && directive.block === null) {
        expanded.push(...(await this.#include(directive, depth)))
      } else if (directive.block) {
        expanded.push({ ...directive, block: await this.#expand(directive.block, depth) })
      } else expanded.push(directive)
    }
    return expanded
  }

  async #include(directive: Directive, depth: number): Promise<Directive[]> {
    const [argument, ...rest] = directive.args
    if (!argument || rest.length > 0) {
      this.#problem('TSHA_E_SYNTAX', 'include takes one path', directive.position)
      return []
    }
    if (depth >= MAX_INCLUDE_DEPTH) {
      const message = `files include each other deeper than ${MAX_INCLUDE_DEPTH}; use fewer levels`
      this.#problem('TSHA_E_SYNTAX', message, argument.position)
      return []
    }
    const { text } = argument
    const pattern = resolve(this.#baseDirectory, text)
    const isPattern = isGlob(text)
    const files = isPattern ? await glob(pattern) : [pattern]
    const directives: Directive[] = []
    for (const file of files) {
      if (this.#fileCount >= MAX_FILES) {
        const message = `more than ${MAX_FILES} files are included; use fewer`
        this.#problem('TSHA_E_SYNTAX', message, argument.position)
        break
      }
      directives.push(...(await this.#readIncluded(file, argument.position, depth)))
    }
    return directives
  }

  async #readIncluded(file: string, position: Position, depth: number): Promise<Directive[]> {
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      const code = errnoOf(error) ?? 'unknown error'
      const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
      this.#problem('TSHA_E_FILE', `included file ${file} ${reason}`, position)
      return []
    }
    return this.read(file, text, depth + 1)
  }

  #problem(code: Problem['code'], message: string, position: Position): void {
    this.problems.push({ code, message, position })
  }
}

class TokenParser {
  readonly #tokens: readonly Token[]
  readonly #problem: (message: string, position: Position) => void
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[], problem: (message: string, position: Position) => void) {
    this.#tokens = tokens
    this.#problem = problem
  }

  /** Reads directives up to the `}` of the block opened at `openedAt`, or to the end of the file. */
  directives(openedAt: Position | null): Directive[] {
    const directives: Directive[] = []
    for (;;) {
      const token = this.#tokens[this.#at]
      if (!token) {
        if (openedAt) this.#problem('block is not closed; use a } for this {', openedAt)
        return directives
      }
      this.#at++
      if (token.kind === 'close') {
        if (openedAt) return directives
        this.#problem('unexpected "}"; it closes no block', token.position)
      } else if (token.kind === 'end') this.#problem('unexpected ";"', token.position)
      else if (token.kind === 'open') {
        this.#problem('unexpected "{"; use a directive before it', token.position)
        this.#block(token.position)
      } else {
        const directive = this.#directive(token)
        if (directive) directives.push(directive)
      }
    }
  }

  #directive(name: Token): Directive | null {
    const args: Token[] = []
    for (;;) {
      const token = this.#tokens[this.#at]
      if (!token || token.kind === 'close') {
        this.#problem(`directive "${name.text}" is not terminated by ";"`, name.position)
        return null
      }
      this.#at++
      if (token.kind === 'word') args.push(token)
      else {
        const block = token.kind === 'open' ? this.#block(token.position) : null
        return { name: name.text, args, block, position: name.position }
      }
    }
  }

  #block(openedAt: Position): Directive[] {
    if (this.#depth >= MAX_BLOCK_DEPTH) {
      this.#problem(`blocks are nested deeper than ${MAX_BLOCK_DEPTH}; use fewer`, openedAt)
      this.#at = this.#tokens.length
      return []
    }
    this.#depth++
    const directives = this.directives(openedAt)
    this.#depth--
    return directives
  }
}
