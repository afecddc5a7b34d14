import { dirname } from 'node:path'
import type { Position } from '../../errors.js'
import type { Token } from './lexer.js'

const DEFINITION = /^\$([A-Za-z_]\w*)=(.*)$/s
/** `$NAME` up to the end of a word, `${NAME}` anywhere, and `${_ENV NAME}`. */
const USE = /\$\{([A-Za-z_]\w*)(?: +([^}]*))?\}|\$([A-Za-z_]\w*)(?=\s|$)/g
const MAX_DEPTH = 16
/** Characters that all substitutions of a file may make: definitions of definitions grow fast. */
const MAX_CHARACTERS = 10_000_000

/**
 * The `$NAME=value` lines of a `keepalived.conf` and where they are used. A value is put in where it is
 * used and may use others; a name without a definition stays as it is, as keepalived has it.
 */
export class Definitions {
  readonly #values = new Map<string, readonly Token[]>()
  readonly #configId: string
  readonly #environment: Readonly<Record<string, string | undefined>>

  #characters = 0

  constructor(context: {
    configId: string
    environment: Readonly<Record<string, string | undefined>>
  }) {
    this.#configId = context.configId
    this.#environment = context.environment
  }

  isDefinition(keyword: string): boolean {
    return DEFINITION.test(keyword)
  }

  /** Takes a line that is a definition. @returns why it is not supported, or null */
  define([keyword, ...args]: readonly Token[]): string | null {
    const [, name = '', value = ''] = DEFINITION.exec(keyword?.text ?? '') ?? []
    if (!keyword) return null
    if (/^\s*\\$/.test(value)) {
      return `definition "$${name}" of several lines is not supported; write its lines where it is used`
    }
    this.#values.set(name, [...(value === '' ? [] : [{ ...keyword, text: value }]), ...args])
    return null
  }

  /** The words that a word stands for; one that is a name alone may be several. */
  apply(word: Token, depth = 0): Token[] {
    if (!word.text.includes('$') || depth > MAX_DEPTH) return [word]
    this.#characters += word.text.length
    if (this.#characters > MAX_CHARACTERS) return [word]
    const alone = /^\$(?:(\w+)|\{(\w+)\})$/.exec(word.text)
    const words = this.#values.get(alone?.[1] ?? alone?.[2] ?? '')
    if (alone && words && !word.isQuoted) {
      return words.flatMap((each) => this.apply({ ...each, position: word.position }, depth + 1))
    }
    const text = word.text.replace(
      USE,
      (
        whole,
        braced: string | undefined,
        argument: string | undefined,
        plain: string | undefined
      ) => this.#valueOf(braced ?? plain ?? '', argument, word.position) ?? whole
    )
    if (text === word.text) return [word]
    return this.apply({ ...word, text }, depth + 1)
  }

  #valueOf(name: string, argument: string | undefined, position: Position): string | undefined {
    if (name === '_ENV') return this.#environment[argument ?? ''] ?? ''
    if (name === '_PWD') return dirname(position.file)
    if (name === '_INSTANCE') return this.#configId
    if (name === '_HASH') return '#'
    if (name === '_BANG') return '!'
    return this.#values
      .get(name)
      ?.map(({ text }) => text)
      .join(' ')
  }
}
