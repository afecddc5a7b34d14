import { EXIT_CONFIG, EXIT_SYSTEM, EXIT_UNREACHABLE } from '../errors.js'
import { printable } from './words.js'

/** Codes of refusals that do not end with `EXIT_SYSTEM`. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  // What was typed or written has to change.
  TSHA_E_UNKNOWN_NAME: EXIT_CONFIG,
  TSHA_E_CONFIG_REFUSED: EXIT_CONFIG,
  TSHA_E_COMMAND: EXIT_CONFIG,
  TSHA_E_REQUEST: EXIT_CONFIG,
  // The admin process is there, the director is not.
  TSHA_E_SILENT: EXIT_UNREACHABLE
}

/** A director that was reached and said no. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: string
  /** What is wrong, each one a line; besides the message. */
  readonly problems: readonly string[]

  constructor(code: string, message: string, problems: readonly string[] = []) {
    super(message)
    this.code = code
    this.problems = problems
  }

  get exitCode(): number {
    return EXIT_CODES[this.code] ?? EXIT_SYSTEM
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
  const lines = Array.isArray(problems) ? problems.flatMap(readProblem) : []
  // Of several problems the detail is the sum; each has a line of its own here.
  const name = typeof title === 'string' ? title.charAt(0).toLowerCase() + title.slice(1) : title
  const candidates = lines.length > 1 ? [name, detail] : [detail, name]
  const message = candidates.find((part) => typeof part === 'string' && part !== '')
  if (typeof message !== 'string' || typeof code !== 'string') return null
  return new Refusal(
    printable(code),
    printable(message),
    lines.filter((line) => line !== message).map(printable)
  )
}

/** What is wrong, with the part of the request that it is about. */
function readProblem(problem: unknown): readonly string[] {
  if (typeof problem !== 'object' || problem === null) return []
  const { detail, pointer, parameter } = problem as Record<string, unknown>
  if (typeof detail !== 'string') return []
  const where = [parameter, pointer].find((part) => typeof part === 'string')
  return [typeof where === 'string' ? `${where}: ${detail}` : detail]
}
