import { formatDuration } from './duration.js'
import { isSame } from './same.js'

/** Said of what is read once, when a director starts. */
export const EFFECT_AT_START = ', from the next start on'

/** The fields of something that has a name, and how `tsha.yaml` calls them. */
export type FieldNames<Of> = Readonly<Record<Exclude<keyof Of, 'name'>, string>>

/** Texts that are told; any other one may have a secret in it, or is too long for a line. */
const TOLD_TEXTS: ReadonlySet<string> = new Set([
  ...['role', 'routerId', 'pidFile', 'name', 'interface', 'family', 'initialState', 'path'],
  ...['sourceAddress', 'multicastGroup', 'handOver', 'user', 'group', 'process', 'gateway'],
  ...['parameterMatch', 'mode', 'antiReplay', 'type', 'bodyTempPath', 'level', 'upstream', 'method']
])

/**
 * One line for each of the named fields that differs, `label: field before -> after`; for what is no
 * number, switch or harmless text only that it changed.
 */
export function changesOf<Of extends object>(
  label: string,
  before: Of,
  after: Of,
  names: Readonly<Partial<Record<keyof Of & string, string>>>
): readonly string[] {
  const start = label === '' ? '' : `${label}: `
  const fields = Object.keys(names) as (keyof Of & string)[]
  return fields
    .filter((field) => !isSame(before[field], after[field]))
    .map((field) => {
      const texts = [before[field], after[field]].map((value) => textOf(field, value))
      const [from, to] = texts
      const name = names[field] ?? field
      const isTold = from !== null && to !== null
      return `${start}${name} ${isTold ? `${from} -> ${to}` : 'changed'}`
    })
}

function textOf(field: string, value: unknown): string | null {
  if (value === null) return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') {
    return field.endsWith('Ms') && Number.isFinite(value) ? formatDuration(value) : String(value)
  }
  return typeof value === 'string' && TOLD_TEXTS.has(field) ? value : null
}
