import type { Position, Problem } from '../../errors.js'
import { TextPositions } from '../source.js'

/** A piece of a `nginx.conf`. */
export interface Token {
  readonly kind: 'word' | 'open' | 'close' | 'end'
  /** The word without quotes, escapes resolved; '' for `{`, `}` and `;`. */
  readonly text: string
  readonly position: Position
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  t: '\t',
  r: '\r',
  n: '\n'
}

/**
 * Cuts a `nginx.conf` as nginx's `ngx_conf_read_token` does: a quote counts only at the beginning of
 * a word; after a closing quote a word must end; `{` belongs to the word right after `$`; `#` begins
 * a comment only between words; a backslash before any other character than `" ' \ t r n` stays.
 */
export function tokenize(file: string, text: string): { tokens: Token[]; problems: Problem[] } {
  const positions = new TextPositions(file, text)
  const tokens: Token[] = []
  const problems: Problem[] = []
  const problem = (message: string, offset: number) => {
    problems.push({ code: 'TSHA_E_SYNTAX', message, position: positions.at(offset) })
  }
  let at = 0
  while (at < text.length) {
    const char = text.charAt(at)
    const position = () => positions.at(at)
    if (isBlank(char)) at++
    else if (char === '#') {
      const end = text.indexOf('\n', at)
      at = end === -1 ? text.length : end
    } else if (char === ';') tokens.push({ kind: 'end', text: '', position: positions.at(at++) })
    else if (char === '{') tokens.push({ kind: 'open', text: '', position: positions.at(at++) })
    else if (char === '}') tokens.push({ kind: 'close', text: '', position: positions.at(at++) })
    else if (char === '"' || char === "'") {
      const word = readQuoted(text, at)
      tokens.push({ kind: 'word', text: word.text, position: position() })
      if (!word.isClosed) problem(`quote is not closed; use a second ${char}`, at)
      at = word.end
      const next = text.charAt(at)
      if (word.isClosed && next !== '' && !isBlank(next) && !';{)'.includes(next)) {
        problem(`unexpected "${next}" after a closing quote; use a blank, ; or {`, at)
      }
    } else {
      const word = readPlain(text, at)
      tokens.push({ kind: 'word', text: word.text, position: position() })
      at = word.end
    }
  }
  return { tokens, problems }
}

function isBlank(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n'
}

function readQuoted(text: string, start: number): { text: string; end: number; isClosed: boolean } {
  const quote = text.charAt(start)
  let word = ''
  let at = start + 1
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === quote) return { text: word, end: at + 1, isClosed: true }
    if (char === '\\') {
      word += readEscape(text, at)
      at += 2
    } else {
      word += char
      at++
    }
  }
  return { text: word, end: at, isClosed: false }
}

function readPlain(text: string, start: number): { text: string; end: number } {
  let word = ''
  let at = start
  while (at < text.length) {
    const char = text.charAt(at)
    const isBracedVariable = char === '{' && text.charAt(at - 1) === '$' && at > start
    if (isBlank(char) || char === ';' || (char === '{' && !isBracedVariable)) break
    if (char === '\\') {
      word += readEscape(text, at)
      at += 2
    } else {
      word += char
      at++
    }
  }
  return { text: word, end: Math.min(at, text.length) }
}

function readEscape(text: string, at: number): string {
  const next = text.charAt(at + 1)
  return ESCAPES[next] ?? `\\${next}`
}
