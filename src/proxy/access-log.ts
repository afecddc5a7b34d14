import {
  compileTemplate,
  type ProcessFacts,
  type Transaction,
  type VariableReader
} from './variables.js'

// What nginx's default escaping leaves alone is printable ASCII without the quote and backslash.

const UNSAFE = /["\\\x00-\x1f\x7f-\xff]/g

/** nginx's `escape=default`: `"`, `\`, below 0x20 and above 0x7e as `\xHH`. */
export function escapeValue(value: string): string {
  if (value === '') return '-'
  UNSAFE.lastIndex = 0
  if (!UNSAFE.test(value)) return value
  return value.replace(UNSAFE, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}

/**
 * Compiles nginx's `log_format` text to a function that gives one line with its end. A variable
 * without a value is `-`.
 * @throws {RangeError} naming the first variable that does not exist
 */
export function compileLogFormat(format: string, facts: ProcessFacts): VariableReader {
  const render = compileTemplate(format, facts, escapeValue)
  return (transaction: Transaction) => `${render(transaction)}\n`
}
