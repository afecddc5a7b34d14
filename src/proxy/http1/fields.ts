import { isFramingField } from './body.js'
import {
  IS_FIELD_TEXT,
  IS_TOKEN,
  commonNameAt,
  hasForbidden,
  isPlainKey,
  skipWhile,
  trimmedSlice
} from './syntax.js'

/** The field lines of a head (RFC 9112 §5). */

/** Longest field line. */
export const MAX_FIELD_LINE = 8192
/** Most field lines; nginx's `max_headers`. */
const MAX_FIELDS = 1000

/** Field lines in the order in which they came: three arrays of equal length. */
export interface Fields {
  /** As sent. */
  readonly names: string[]
  /** Lower case. */
  readonly keys: string[]
  /** Without the white space around them; may be ''. */
  readonly values: string[]
}

/** Why the lines of a head cannot be read. */
export type FieldProblem = 'forbidden' | 'invalid-line' | 'obs-fold' | 'too-large'

const SPACE = 0x20
const TAB = 0x09
const CR = 0x0d
const LF = 0x0a
const COLON = 0x3a

/**
 * Reads field lines up to the empty line. Every character is looked at once: this is where a head's
 * time goes.
 * @param onlyPlain drop fields with other names
 */
export function parseFields(
  text: string,
  from: number,
  fields: Fields,
  onlyPlain: boolean
): FieldProblem | null {
  let lineStart = from
  let lines = 0
  while (text.charCodeAt(lineStart) !== CR) {
    const colon = skipWhile(IS_TOKEN, text, lineStart)
    if (colon === lineStart || text.charCodeAt(colon) !== COLON) return nameProblem(text, lineStart)
    const lineEnd = skipWhile(IS_FIELD_TEXT, text, colon + 1)
    if (text.charCodeAt(lineEnd) !== CR || text.charCodeAt(lineEnd + 1) !== LF) return 'forbidden'
    if (++lines > MAX_FIELDS || lineEnd - lineStart > MAX_FIELD_LINE) return 'too-large'
    const common = commonNameAt(text, lineStart, colon)
    const name = common === null ? text.slice(lineStart, colon) : common.name
    const key = common === null ? name.toLowerCase() : common.key
    // A tab behind the value is white space for some readers and a part of the value for others.
    const isPadded = text.charCodeAt(lineEnd - 1) <= SPACE
    if (isPadded && isFramingField(key) && text.slice(colon, lineEnd).includes('\t')) {
      return 'invalid-line'
    }
    if (!onlyPlain || common !== null || isPlainKey(key)) {
      fields.names.push(name)
      fields.keys.push(key)
      fields.values.push(trimmedSlice(text, colon + 1, lineEnd))
    }
    lineStart = lineEnd + 2
  }
  return text.charCodeAt(lineStart + 1) === LF ? null : 'forbidden'
}

/** What is wrong with a line that does not begin with a name and a colon. */
function nameProblem(text: string, lineStart: number): FieldProblem {
  if (hasForbidden(text, lineStart)) return 'forbidden'
  const first = text.charCodeAt(lineStart)
  return first === SPACE || first === TAB ? 'obs-fold' : 'invalid-line'
}
