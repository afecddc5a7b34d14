import type { Position, Problem } from '../../errors.js'
import { TextPositions } from '../source.js'

/** A piece of a `keepalived.conf`. Line ends matter there: they end a statement. */
export interface Token {
  readonly kind: 'word' | 'open' | 'close' | 'newline'
  /** The word without its quotes; '' for the other kinds. */
  readonly text: string
  /** True when a part of the word was quoted. */
  readonly isQuoted: boolean
  readonly position: Position
}

/**
 * Cuts a `keepalived.conf` into words, braces and line ends. Comments begin with `#` or `!` anywhere
 * outside of quotes, as keepalived's reader has it; inside of quotes a backslash keeps a quote
 * or a backslash. Braces stand for themselves also without blanks around them, but `${NAME}` is a
 * piece of a word.
 */
export function tokenize(file: string, text: string): { tokens: Token[]; problems: Problem[] } {
  const positions = new TextPositions(file, text)
  const tokens: Token[] = []
  const problems: Problem[] = []
  let at = 0
  const push = (kind: Token['kind'], start: number, word = '', isQuoted = false) => {
    tokens.push({ kind, text: word, isQuoted, position: positions.at(start) })
  }
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '\n') push('newline', at++)
    else if (/\s/.test(char)) at++
    else if (char === '#' || char === '!') at = endOfLine(text, at)
    else if (isLongDefinition(text, at)) {
      push('word', at, LONG_DEFINITION.exec(text.slice(at, endOfLine(text, at)))?.[0])
      at = endOfDefinition(text, at)
    } else if (char === '{') push('open', at++)
    else if (char === '}') push('close', at++)
    else {
      const word = readWord(text, at)
      push('word', at, word.text, word.isQuoted)
      if (!word.isTerminated) {
        const message = 'quote is not closed on its line; use a second " to close it'
        problems.push({ code: 'TSHA_E_SYNTAX', message, position: positions.at(word.quoteAt) })
      }
      at = word.end
    }
  }
  return { tokens, problems }
}

/** `$NAME=` and nothing but a backslash: its lines follow, each but the last ended by a backslash. */
const LONG_DEFINITION = /^\$\w+=\s*\\/

function isLongDefinition(text: string, at: number): boolean {
  return text.charAt(at) === '$' && LONG_DEFINITION.test(text.slice(at, endOfLine(text, at)))
}

function endOfDefinition(text: string, from: number): number {
  let end = endOfLine(text, from)
  while (end < text.length && /\\\s*$/.test(text.slice(text.lastIndexOf('\n', end - 1) + 1, end))) {
    end = endOfLine(text, end + 1)
  }
  return end
}

interface Word {
  readonly text: string
  readonly isQuoted: boolean
  readonly isTerminated: boolean
  readonly quoteAt: number
  readonly end: number
}

function readWord(text: string, start: number): Word {
  let at = start
  let word = ''
  let quoteAt = -1
  let isQuoted = false
  let quote = ''
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '\n') break
    const variable = char === '$' ? /^\$\{[^}\n]*\}/.exec(text.slice(at, at + 256))?.[0] : undefined
    if (variable !== undefined) {
      // With its braces, which end no word here.
      word += variable
      at += variable.length
      continue
    }
    if (quoteAt !== -1) {
      if (char === quote) quoteAt = -1
      else if (char === '\\' && /["\\]/.test(text.charAt(at + 1))) word += text.charAt(++at)
      else word += char
    } else if (char === '"' || (char === "'" && word === '' && !isQuoted)) {
      quote = char
      quoteAt = at
      isQuoted = true
    } else if (/[\s{}#!]/.test(char)) break
    else word += char
    at++
  }
  return { text: word, isQuoted, isTerminated: quoteAt === -1, quoteAt, end: at }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}
