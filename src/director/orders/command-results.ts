import type { CommandCode, CommandResult } from '../../admin/model.js'
import { suggestion } from '../../config/nearest.js'

/** So many names are listed at most. */
const MOST_NAMES = 50

/** Carried out; the lines say what was done and what it led to. */
export function done(lines: readonly string[]): CommandResult {
  return { ok: true, lines }
}

/** Not carried out; the lines say why. */
export function refused(code: CommandCode, ...lines: readonly string[]): CommandResult {
  return { ok: false, code, lines }
}

/** There is nothing of that name: says what there is, and what was probably meant. */
export function unknownName(kind: string, name: string, known: readonly string[]): CommandResult {
  const more = known.length > MOST_NAMES ? ` and ${known.length - MOST_NAMES} more` : ''
  return refused(
    'TSHA_E_UNKNOWN_NAME',
    `there is no ${kind} ${JSON.stringify(name)}${suggestion(name, known)}`,
    `there is: ${known.slice(0, MOST_NAMES).join(', ')}${more}`
  )
}

/** `1 request is`, `2 requests are`. */
export function requestsAre(count: number): string {
  return count === 1 ? '1 request is' : `${count} requests are`
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}
