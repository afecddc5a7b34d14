/**
 * Where every error code of tsha is born. `docs/errors.md` explains each one; a test compares the two.
 */

/** Codes of problems in what the operator wrote: configuration files and flags. Exit code 2. */
export const CONFIG_CODES = [
  'TSHA_E_FILE',
  'TSHA_E_SYNTAX',
  'TSHA_E_UNKNOWN_KEY',
  'TSHA_E_NOT_SUPPORTED',
  'TSHA_E_REQUIRED',
  'TSHA_E_VALUE',
  'TSHA_E_VRID_RANGE',
  'TSHA_E_VRID_DUPLICATE',
  'TSHA_E_REFERENCE',
  'TSHA_E_DUPLICATE',
  'TSHA_E_ROLE',
  'TSHA_E_USER',
  'TSHA_E_FLAG',
  'TSHA_E_RECORDING'
] as const

/** Codes of things that the system refused. Exit code 1. */
export const SYSTEM_CODES = [
  'TSHA_E_RAW_SOCKET',
  'TSHA_E_PACKET_SOCKET',
  'TSHA_E_INTERFACE',
  'TSHA_E_ADDRESS',
  'TSHA_E_LISTEN',
  'TSHA_E_LOG_FILE',
  'TSHA_E_WORKER',
  'TSHA_E_ACCESS',
  'TSHA_E_ANSWER',
  'TSHA_E_INTERNAL'
] as const

/** Codes of a director that is not there for the command that asks it. Exit code 3. */
export const REACH_CODES = ['TSHA_E_NO_DIRECTOR', 'TSHA_E_NO_ANSWER'] as const

export type ConfigCode = (typeof CONFIG_CODES)[number]
export type SystemCode = (typeof SYSTEM_CODES)[number]
export type ReachCode = (typeof REACH_CODES)[number]

/** Exit codes of the `tsha` command, as documented in `docs/errors.md`. */
export const EXIT_SYSTEM = 1
export const EXIT_CONFIG = 2
export const EXIT_UNREACHABLE = 3

/** A place in a text file. `line` and `column` count from 1; `column` counts characters. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/**
 * One thing that is wrong in the operator's input. The message says what was found and what is
 * expected, in lower case and without a final stop.
 */
export interface Problem {
  readonly code: ConfigCode
  readonly message: string
  /** Absent for problems of the command line. */
  readonly position?: Position
}

/**
 * Formats a problem as `file:line:column: message [CODE]`, the form editors and terminals can open; one
 * of the command line as `tsha: message [CODE]`.
 */
export function formatProblem(problem: Problem): string {
  const { position, message, code } = problem
  const where = position ? `${position.file}:${position.line}:${position.column}: ` : 'tsha: '
  return `${where}${message} [${code}]`
}

/** Everything that is wrong in the operator's input, reported together. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]

  /** @param problems at least one */
  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.problems = problems
  }
}

/** Something that the system refused, or a director that is not there, with the refusal itself as `cause`. */
export class TshaError extends Error {
  override readonly name = 'TshaError'
  readonly code: SystemCode | ReachCode

  constructor(code: SystemCode | ReachCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The `code` of a Node system error (`EPERM`, `EADDRINUSE` …), or undefined for any other value. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return undefined
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
