import {
  ConfigError,
  EXIT_CONFIG,
  EXIT_SYSTEM,
  EXIT_UNREACHABLE,
  formatProblem,
  REACH_CODES,
  TshaError
} from '../errors.js'
import { formatRefusal, Refusal } from './refusal.js'

/** Tells on standard error what went wrong. @returns the exit code */
export function failWith(error: unknown): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) tell(formatProblem(problem))
    return EXIT_CONFIG
  }
  if (error instanceof Refusal) {
    tell(formatRefusal(error))
    return error.exitCode
  }
  if (error instanceof TshaError) {
    tell(`tsha: ${error.message} [${error.code}]`)
    const isAway = REACH_CODES.some((code) => code === error.code)
    return isAway ? EXIT_UNREACHABLE : EXIT_SYSTEM
  }
  tell(`tsha: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return EXIT_SYSTEM
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}
