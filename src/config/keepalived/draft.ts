import type { Path } from '../source.js'
import { isRecord, memberOf } from '../source.js'
import type { Statement } from './parser.js'
import type { Directive, StatementReader } from './statement-reader.js'

/** A mapping of `tsha.yaml` that is being read from a block. */
export interface Draft {
  readonly value: Record<string, unknown>
  readonly path: Path
  /** Sets the value at a path such as `announcements.repeat`; an undefined one is left out. */
  readonly set: (keys: string, value: unknown, line: Statement) => void
  /** The same without a place. */
  readonly assign: (keys: string, value: unknown) => void
  readonly get: (keys: string) => unknown
  readonly remove: (key: string) => void
}

/** An empty mapping at `path`. */
export function newDraft(path: Path, reader: StatementReader): Draft {
  const value: Record<string, unknown> = {}
  const assign = (keys: string, found: unknown): void => {
    if (found !== undefined) assignAt(value, keys.split('.'), found)
  }
  return {
    value,
    path,
    assign,
    set: (keys, found, line) => {
      reader.place([...path, ...keys.split('.')], line)
      assign(keys, found)
    },
    get: (keys) => {
      let inner: unknown = value
      for (const part of keys.split('.')) inner = memberOf(inner, part)
      return inner
    },
    remove: (key) => {
      Reflect.deleteProperty(value, key)
    }
  }
}

function assignAt(target: Record<string, unknown>, keys: readonly string[], value: unknown): void {
  const [key = '', ...rest] = keys
  if (rest.length === 0) target[key] = value
  else {
    const found = target[key]
    const inner = isRecord(found) ? found : {}
    target[key] = inner
    assignAt(inner, rest, value)
  }
}

/** A directive whose argument is the value of a key. */
export function text(key: string): Directive<Draft> {
  return {
    takes: 'value',
    read: (line, draft, reader) => {
      draft.set(key, reader.text(line), line)
    }
  }
}

export function number(key: string): Directive<Draft> {
  return {
    takes: 'value',
    read: (line, draft, reader) => {
      draft.set(key, reader.number(line), line)
    }
  }
}

export function seconds(key: string): Directive<Draft> {
  return {
    takes: 'value',
    read: (line, draft, reader) => {
      draft.set(key, reader.seconds(line), line)
    }
  }
}

/** A switch that sets a key to one of two values. */
export function flag(key: string, on: unknown, off: unknown): Directive<Draft> {
  return {
    takes: 'flag',
    read: (line, draft, reader) => {
      draft.set(key, reader.isOn(line) ? on : off, line)
    }
  }
}

/** A program in quotes, with the user and group that it runs as behind it. */
export function program(key: string): Directive<Draft> {
  return {
    takes: 'value',
    read: (line, draft, reader) => {
      const [command, user, group] = line.args.map((arg) => arg.text)
      if (line.args.length > 3) reader.notSupportedWord(line, 3)
      const value =
        user === undefined
          ? command
          : {
              command,
              user,
              ...(group === undefined ? {} : { group: groupOf(group, line, reader) })
            }
      draft.set(key, value, line)
    }
  }
}

/** keepalived's `:group` sets the supplementary groups too. */
export function groupOf(
  group: string,
  line: Statement,
  reader: StatementReader
): string | undefined {
  if (!group.startsWith(':')) return group
  reader.note(
    `${line.keyword}: the supplementary groups that ":" asks for are those that the system gives`
  )
  return group === ':' ? undefined : group.slice(1)
}
