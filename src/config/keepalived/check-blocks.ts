import { groupOf, newDraft, number, seconds } from './draft.js'
import type { Draft } from './draft.js'
import type { Statement } from './parser.js'
import { numberOf } from './statement-reader.js'
import type { Directive, Directives, StatementReader } from './statement-reader.js'

/** The weight that a check brings to where it is tracked. */
export interface OwnWeight {
  readonly weight: number | string
  readonly reverse: boolean
}

/** Weights of the checks of a file, by kind and name: `track_script chk`. */
export type OwnWeights = Map<string, OwnWeight>

/** A check that is being read; its weight goes to where it is tracked. */
interface CheckDraft extends Draft {
  weight: OwnWeight
}

const weight: Directive<CheckDraft> = {
  takes: 'value',
  read: (line, draft, reader) => {
    const [value, option] = line.args.map(({ text }) => text)
    if (option !== undefined && option !== 'reverse') reader.notSupportedWord(line, 1)
    if (line.args.length > 2) reader.notSupportedWord(line, 2)
    draft.weight = { weight: numberOf(value) ?? 0, reverse: option === 'reverse' }
  }
}

export const SCRIPT_DIRECTIVES: Directives<CheckDraft> = {
  script: {
    takes: 'value',
    read: (line, draft) => {
      // One quoted word is a whole command line; several words are the program and its arguments.
      const words = line.args.map(({ text }) => text)
      draft.set('command', words.length === 1 ? words[0] : words, line)
    }
  },
  interval: seconds('interval'),
  timeout: seconds('timeout'),
  rise: number('rise'),
  fall: number('fall'),
  weight,
  user: {
    takes: 'value',
    read: (line, draft, reader) => {
      const [user, group] = line.args.map(({ text }) => text)
      draft.set('user', user, line)
      if (group !== undefined) draft.set('group', groupOf(group, line, reader), line)
      if (line.args.length > 2) reader.notSupportedWord(line, 2)
    }
  },
  init_fail: {
    takes: 'flag',
    read: (line, draft) => {
      draft.set('init_fail', true, line)
    }
  }
}

export const PROCESS_DIRECTIVES: Directives<CheckDraft> = {
  process: {
    takes: 'value',
    read: (line, draft) => {
      const [process, ...parameters] = line.args.map(({ text }) => text)
      draft.set('process', process, line)
      if (parameters.length > 0) draft.set('parameters', parameters.join(' '), line)
    }
  },
  param_match: {
    takes: 'flag',
    read: (line, draft, reader) => {
      draft.set('param_match', reader.text(line), line)
    }
  },
  weight,
  quorum: number('quorum'),
  quorum_max: number('quorum_max'),
  delay: {
    takes: 'value',
    read: (line, draft, reader) => {
      const delay = reader.seconds(line)
      draft.set('terminate_delay', delay, line)
      draft.set('fork_delay', delay, line)
    }
  },
  terminate_delay: seconds('terminate_delay'),
  fork_delay: seconds('fork_delay'),
  full_command: {
    takes: 'flag',
    read: (line, draft) => {
      draft.set('full_command', true, line)
    }
  }
}

export const FILE_DIRECTIVES: Directives<CheckDraft> = {
  file: {
    takes: 'value',
    read: (line, draft, reader) => {
      draft.set('path', reader.text(line), line)
    }
  },
  weight,
  init_file: {
    takes: 'flag',
    read: (line, draft, reader) => {
      const words = line.args.map(({ text }) => text)
      const overwrites = words.includes('overwrite')
      const [value, ...rest] = words.filter((word) => word !== 'overwrite')
      if (rest.length > 0) reader.notSupportedWord(line, words.indexOf(rest[0] ?? ''))
      draft.set('init_file.value', numberOf(value) ?? 0, line)
      if (overwrites) draft.assign('init_file.overwrite', true)
    }
  }
}

/** The blocks of checks: their directives, the list that tracks them, their type and default weight. */
const CHECK_BLOCKS = {
  vrrp_script: {
    block: 'vrrp_script',
    directives: SCRIPT_DIRECTIVES,
    trackedBy: 'track_script',
    type: undefined,
    required: ['command', 'script'],
    weight: 0
  },
  vrrp_track_process: {
    block: 'vrrp_track_process',
    directives: PROCESS_DIRECTIVES,
    trackedBy: 'track_process',
    type: 'process',
    required: ['process', 'process'],
    weight: 0
  },
  vrrp_track_file: {
    block: 'vrrp_track_file',
    directives: FILE_DIRECTIVES,
    trackedBy: 'track_file',
    type: 'file',
    required: ['path', 'file'],
    weight: 1
  }
} as const

/** Names of the blocks that define checks; `track_file` is the new name of `vrrp_track_file`. */
export const CHECK_BLOCK_NAMES = [...Object.keys(CHECK_BLOCKS), 'track_file']

/** Reads `vrrp_script`, `vrrp_track_process`, `vrrp_track_file` or `track_file` into `checks`. */
export function readCheck(
  statement: Statement,
  reader: StatementReader,
  checks: Record<string, unknown>,
  weights: OwnWeights
): void {
  const keyword = statement.keyword === 'track_file' ? 'vrrp_track_file' : statement.keyword
  const kind = Object.entries(CHECK_BLOCKS).find(([name]) => name === keyword)?.[1]
  const name = reader.name(statement, checks)
  if (name === undefined || !kind) return
  const draft: CheckDraft = {
    ...newDraft(['checks', name], reader),
    weight: { weight: kind.weight, reverse: false }
  }
  draft.assign('type', kind.type)
  reader.place(draft.path, statement)
  const [key, directive] = kind.required
  reader.placeEntry([...draft.path, key], directive, statement.position)
  reader.block(statement, kind.block, kind.directives, draft)
  // keepalived: param_match without parameters wants a process that has none.
  if (reader.has(statement, 'param_match'))
    draft.assign('parameters', draft.get('parameters') ?? '')
  checks[name] = draft.value
  weights.set(`${kind.trackedBy} ${name}`, draft.weight)
}
