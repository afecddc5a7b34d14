import type { Problem } from '../errors.js'
import { isRecord } from './source.js'
import type { Source } from './source.js'

/** What the flags of `tsha run` say about the admin process, as they were given. */
export interface AdminFlags {
  /** An absolute path, or `off`. */
  readonly socket?: string | undefined
  readonly listen?: string | undefined
  readonly tokenFile?: string | undefined
}

/** Stands for the name of the file in the places of values that are flags. */
const COMMAND_LINE = '\0command line'

/** The configuration with what the flags say in the place of its own `admin`, key by key. */
export function withAdminFlags(source: Source, flags: AdminFlags): Source {
  const given = [
    ['socket', '--admin-socket', flags.socket],
    ['listen', '--admin-listen', flags.listen],
    ['token_file', '--admin-token-file', flags.tokenFile]
  ] as const
  const values = given.filter(([, , value]) => value !== undefined)
  if (values.length === 0) return source
  const position = { file: COMMAND_LINE, line: 1, column: 1 }
  for (const [key, label] of values) {
    source.places.set(['admin', key], { position, keyPosition: position, label })
  }
  const { admin } = source.value
  const own = isRecord(admin) ? admin : {}
  const said = Object.fromEntries(values.map(([key, , value]) => [key, value]))
  return { ...source, value: { ...source.value, admin: { ...own, ...said } } }
}

/** A problem with a flag has no place in a file. */
export function flagProblem(problem: Problem): Problem {
  if (problem.position?.file !== COMMAND_LINE) return problem
  return { code: 'TSHA_E_FLAG', message: problem.message }
}
