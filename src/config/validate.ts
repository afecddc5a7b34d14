import type { ConfigCode, Problem } from '../errors.js'
import type { z } from 'zod'
import { suggestion } from './nearest.js'
import { KEY_SEPARATOR } from './schema-parts.js'
import { configSchema } from './schema.js'
import type { ValidConfig } from './schema.js'
import type { Path, Place, Source } from './source.js'

/** Keys whose value appears in no message. */
const SECRET_KEYS: readonly string[] = ['password', 'keys']

/** What validation gives: a configuration, or everything that is wrong with its shape. */
export type Validation =
  | { readonly ok: true; readonly config: ValidConfig }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Checks types, ranges and keys of a configuration, each value for itself, and fills in defaults. */
export function validate(source: Source): Validation {
  const result = configSchema.safeParse(source.value)
  if (result.success) return { ok: true, config: result.data }
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, source))
  return { ok: false, problems }
}

function problemsOf(issue: z.core.$ZodIssue, source: Source): Problem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split(KEY_SEPARATOR)
    return issue.keys.map((key) => unknownKey([...path, key], known, source))
  }
  const inner = issuesInside(issue)
  if (inner) return inner.flatMap((each) => problemsOf(each, source))
  const place = source.places.find(path)
  const found = valueAt(source.value, path)
  if (found === undefined) {
    const expected = issue.message.slice(issue.message.indexOf(';'))
    const owner = ownerOf(path)
    const message = `${place.label} is missing${owner === '' ? '' : ` in ${owner}`}${expected}`
    return [{ code: 'TSHA_E_REQUIRED', message, position: place.position }]
  }
  const isSecret = path.some((part) => SECRET_KEYS.includes(String(part)))
  const shown = isSecret ? '' : ` ${show(found)}`
  const message = `${place.label}${shown} ${issue.message}`
  return [{ code: codeFor(path), message, position: place.position }]
}

/**
 * Of a value that may have several shapes and has one of them, what is wrong inside of it: that says
 * more than a sentence about all shapes.
 */
function issuesInside(issue: z.core.$ZodIssue): z.core.$ZodIssue[] | undefined {
  if (issue.code !== 'invalid_union') return undefined
  const [inside, other] = issue.errors.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys')
  )
  if (!inside || other) return undefined
  return inside.map((each) => ({ ...each, path: [...issue.path, ...each.path] }))
}

function unknownKey(path: Path, known: readonly string[], source: Source): Problem {
  const place: Place = source.places.find(path)
  const key = String(path.at(-1))
  const hint = suggestion(key, known) || `; use one of ${known.join(', ')}`
  return {
    code: 'TSHA_E_UNKNOWN_KEY',
    message: `unknown key "${key}"${hint}`,
    position: place.keyPosition
  }
}

function codeFor(path: Path): ConfigCode {
  return path.at(-1) === 'vrid' ? 'TSHA_E_VRID_RANGE' : 'TSHA_E_VALUE'
}

function ownerOf(path: Path): string {
  const owner = path.slice(0, -1).map((part) => (typeof part === 'number' ? `#${part + 1}` : part))
  return owner.join(' ')
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part))
      return undefined
    current = (current as Record<string | number, unknown>)[part]
  }
  return current
}

const SHOWN_LENGTH = 60

function show(found: unknown): string {
  if (Array.isArray(found)) return 'list'
  if (typeof found === 'object' && found !== null) return 'mapping'
  const text = typeof found === 'string' ? JSON.stringify(found) : String(found)
  return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}…`
}
