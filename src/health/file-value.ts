/** What the beginning of a tracked file says. */
export interface FileValue {
  /** Null when it is no number that can be used: the last one holds (keepalived). */
  readonly value: number | null
  /** True for a number and nothing else, and for nothing at all. */
  readonly isClean: boolean
}

const MOST = 2 ** 31 - 1
const LEAST = -(2 ** 31)

/**
 * Reads a number as C's `strtol` with base 0 does, which keepalived uses: blanks, a sign, then `0x` and
 * hexadecimal, `0` and octal, or decimal digits; what follows is not looked at, and without a digit it
 * is 0. Numbers beyond 32 bits are none.
 */
export function parseFileValue(text: string): FileValue {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text)
  const rest = text.slice(match?.[0].length ?? 0)
  const isClean = /^\s*$/.test(rest)
  if (!match) return { value: 0, isClean }
  const digits = match[2] ?? ''
  const size = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
  const value = match[1] === '-' ? 0 - size : size
  return value > MOST || value < LEAST ? { value: null, isClean: false } : { value, isClean }
}
