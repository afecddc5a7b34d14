import { EXIT_CONFIG, EXIT_SYSTEM } from '../errors.js'

/** Codes of refusals after which what was typed or written has to change. */
const WRITTEN_WRONG = new Set(['TSHA_E_UNKNOWN_NAME', 'TSHA_E_CONFIG_REFUSED', 'TSHA_E_COMMAND'])

/** A director that was reached and said no. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: string
  /** What is wrong, each one a line; besides the message. */
  readonly problems: readonly string[]

  constructor(code: string, message: string, problems: readonly string[]) {
    super(message)
    this.code = code
    this.problems = problems
  }

  get exitCode(): number {
    return WRITTEN_WRONG.has(this.code) ? EXIT_CONFIG : EXIT_SYSTEM
  }
}

/** As it is told on standard error: the message, and below it every problem. */
export function formatRefusal({ message, code, problems }: Refusal): string {
  return [`tsha: ${message} [${code}]`, ...problems.map((problem) => `  ${problem}`)].join('\n')
}

/**
 * Reads the body of a refused request (RFC 9457).
 *
 * @param text as it came; anything
 * @returns null when it is no problem of tsha's
 */
export function readRefusal(text: string): Refusal | null {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof body !== 'object' || body === null) return null
  const { title, detail, code, problems } = body as Record<string, unknown>
  const message = [detail, title].find((part) => typeof part === 'string' && part !== '')
  if (typeof message !== 'string' || typeof code !== 'string') return null
  const lines = Array.isArray(problems)
    ? problems.filter((line): line is string => typeof line === 'string' && line !== message)
    : []
  return new Refusal(code, message, lines)
}
