import type { Command } from '../../admin/model.js'
import { suggestion } from '../../config/nearest.js'

/** Longest name of anything that is looked up. */
const MAX_NAME = 256
/** Of what was given, no more than this is repeated. */
const MAX_SHOWN = 40

/** What a field of a command may be; `found` is undefined where it is missing. */
interface Field {
  readonly name: string
  readonly expected: string
  isGood(found: unknown): boolean
}

const name = (field: string): Field => ({
  name: field,
  expected: `a name of 1 to ${MAX_NAME} characters`,
  isGood: isName
})
const wholeOrNull = (field: string, least: number, most: number, isOptional = false): Field => ({
  name: field,
  expected: `a whole number from ${least} to ${most}, or null for the configured one`,
  isGood: (found) =>
    found === null || (isOptional && found === undefined) || isWhole(found, least, most)
})
const word = (field: string, words: readonly string[], isOptional = false): Field => ({
  name: field,
  expected: `one of ${words.join(', ')}`,
  isGood: (found) =>
    (isOptional && found === undefined) || (typeof found === 'string' && words.includes(found))
})
const ROUTER: Field = {
  name: 'router',
  expected: 'the name of a virtual router, or null for all',
  isGood: (found) => found === null || isName(found)
}

const FIELDS: Readonly<Record<Command['action'], readonly Field[]>> = {
  reload: [],
  'reopen-logs': [],
  'replace-workers': [],
  'step-down': [ROUTER],
  resume: [ROUTER],
  priority: [name('router'), wholeOrNull('priority', 1, 254)],
  peer: [
    name('upstream'),
    name('peer'),
    word('state', ['up', 'down', 'drain'], true),
    wholeOrNull('weight', 1, 65_535, true)
  ],
  proxy: [word('state', ['stop', 'start'])]
}

/** A command that can be carried out as far as its values go, or everything that is wrong with it. */
export type CheckedCommand =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Checks every value of a command that came from another process, whatever was checked there. */
export function checkCommand(value: unknown): CheckedCommand {
  if (!isRecord(value)) return { ok: false, problems: ['a command is an object with an action'] }
  const { action } = value
  const actions = Object.keys(FIELDS)
  if (!isAction(action)) {
    const nearest = typeof action === 'string' && isName(action) ? suggestion(action, actions) : ''
    const known = `the actions are ${actions.join(', ')}`
    return { ok: false, problems: [`action is ${shown(action)}${nearest}; ${known}`] }
  }
  const problems = problemsOf(value, action)
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, command: value as unknown as Command }
}

function problemsOf(value: Readonly<Record<string, unknown>>, action: Command['action']): string[] {
  const fields = FIELDS[action]
  const known = fields.map((field) => field.name)
  const problems = fields
    .filter((field) => !field.isGood(value[field.name]))
    .map((field) => `${field.name} is ${shown(value[field.name])}; use ${field.expected}`)
  for (const key of Object.keys(value)) {
    if (key !== 'action' && !known.includes(key)) {
      problems.push(`${action} has no field ${shown(key)}`)
    }
  }
  if (action === 'peer' && value['state'] === undefined && value['weight'] === undefined) {
    problems.push('neither state nor weight is given; use at least one of them')
  }
  return problems
}

function isAction(value: unknown): value is Command['action'] {
  return typeof value === 'string' && Object.hasOwn(FIELDS, value)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= MAX_NAME
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}

/** What was found, on one line and not too long. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) return `a ${typeof value}`
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}
