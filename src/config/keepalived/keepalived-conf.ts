import type { Problem } from '../../errors.js'
import type { Role } from '../model.js'
import { Places } from '../source.js'
import type { Source } from '../source.js'
import { RouterReader } from './router-reader.js'
import { StatementReader } from './statement-reader.js'
import { parse } from './parser.js'
import type { Statement } from './parser.js'

/** A `keepalived.conf` in the shape of `tsha.yaml`, and the role that its `state` lines give. */
export interface KeepalivedSource extends Source {
  /** Null when there is no `state`, or `state` differs between virtual routers. */
  readonly role: Role | null
}

/**
 * Reads the text of a `keepalived.conf`: `global_defs { router_id }`, `vrrp_script`, `vrrp_instance`.
 * Every other directive is a problem. keepalived's defaults (2.2.8) are filled in here where they
 * differ from those of `tsha.yaml`.
 * @param role the role that the administrator has asked for; a `state` that contradicts is a problem
 */
export function readKeepalivedConf(
  file: string,
  text: string,
  role: Role | null
): KeepalivedSource {
  const { statements, problems: syntaxProblems } = parse(file, text)
  const problems: Problem[] = [...syntaxProblems]
  const places = new Places(file)
  const reader = new StatementReader(problems, places)
  const routers = new RouterReader(reader, role)
  const value: Record<string, unknown> = {}
  const checks: Record<string, unknown> = {}
  const virtualRouters: Record<string, unknown> = {}
  const scripts = statements.filter(({ keyword }) => keyword === 'vrrp_script')
  const weights = new Map<string, number | string>()

  for (const statement of statements) {
    if (statement.keyword === 'global_defs') readGlobals(statement, reader, value)
  }
  for (const statement of scripts) {
    readScript(statement, reader, checks, weights)
  }
  for (const statement of statements) {
    if (statement.keyword === 'vrrp_instance') {
      routers.read(statement, virtualRouters, weights)
    } else if (!['global_defs', 'vrrp_script'].includes(statement.keyword)) {
      reader.notSupported(statement)
    }
  }
  if (routers.count === 0) {
    reader.problem('TSHA_E_REQUIRED', 'vrrp_instance is missing; use at least one', {
      file,
      line: 1,
      column: 1
    })
  }
  value['checks'] = checks
  value['virtual_routers'] = virtualRouters
  return {
    value,
    places,
    problems,
    ignored: [],
    notes: routers.notes,
    isStrict: false,
    role: routers.role
  }
}

function readGlobals(
  statement: Statement,
  reader: StatementReader,
  value: Record<string, unknown>
): void {
  reader.block(statement, {
    router_id: (line) => {
      value['router_id'] = reader.text(line)
      reader.place(['router_id'], line)
    }
  })
}

function readScript(
  statement: Statement,
  reader: StatementReader,
  checks: Record<string, unknown>,
  weights: Map<string, number | string>
): void {
  const name = reader.name(statement, checks)
  if (name === undefined) return
  const check: Record<string, unknown> = {}
  const path = ['checks', name]
  const seconds = (key: string) => (line: Statement) => {
    check[key] = reader.seconds(line)
    reader.place([...path, key], line)
  }
  const number = (key: string) => (line: Statement) => {
    check[key] = reader.number(line)
    reader.place([...path, key], line)
  }
  checks[name] = check
  // keepalived's default weight is 0: a failure stops the virtual router.
  weights.set(name, 0)
  reader.place(path, statement)
  reader.placeEntry([...path, 'command'], 'script', statement.position)
  reader.block(statement, {
    script: (line) => {
      // One quoted word is a whole command line; several words are the program and its arguments.
      const words = line.args.map(({ text }) => text)
      check['command'] = words.length === 1 ? words[0] : words
      reader.place([...path, 'command'], line)
    },
    interval: seconds('interval'),
    timeout: seconds('timeout'),
    rise: number('rise'),
    fall: number('fall'),
    weight: (line) => {
      const weight = reader.number(line)
      if (weight !== undefined) weights.set(name, weight)
      if (line.args.length > 1) reader.notSupportedWord(line, 1)
    }
  })
}
