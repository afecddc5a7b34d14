/**
 * How values become JSON and values again: one description of a shape does both, so that what was
 * written is what is read. JSON has names with underscores and units; the values have their own.
 */
export interface Codec<Value> {
  encode(value: Value): Json
  /** @throws {DecodeError} at the first thing that is not as described */
  decode(json: unknown): Value
}

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** JSON that is not what was expected; the message says where, what was found, what is expected. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

const LONGEST_SHOWN = 60

function unexpected(json: unknown, expected: string): DecodeError {
  const text = JSON.stringify(json)
  const shown = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
  return new DecodeError(`found ${shown}, expected ${expected}`)
}

function primitive<Value extends string | number | boolean>(
  type: 'string' | 'number' | 'boolean',
  expected: string
): Codec<Value> {
  return {
    encode: (value) => value,
    decode: (json) => {
      if (typeof json !== type) throw unexpected(json, expected)
      return json as Value
    }
  }
}

export const text: Codec<string> = primitive('string', 'a text')
export const number: Codec<number> = primitive('number', 'a number')
export const flag: Codec<boolean> = primitive('boolean', 'true or false')

/** One of some words. */
export function word<Value extends string | number>(...words: readonly Value[]): Codec<Value> {
  return {
    encode: (value) => value,
    decode: (json) => {
      const found = words.find((each) => each === json)
      if (found === undefined) throw unexpected(json, `one of ${words.join(', ')}`)
      return found
    }
  }
}

export function nullable<Value>(codec: Codec<Value>): Codec<Value | null> {
  return {
    encode: (value) => (value === null ? null : codec.encode(value)),
    decode: (json) => (json === null ? null : codec.decode(json))
  }
}

export function list<Value>(codec: Codec<Value>): Codec<readonly Value[]> {
  return {
    encode: (values) => values.map((value) => codec.encode(value)),
    decode: (json) => {
      if (!Array.isArray(json)) throw unexpected(json, 'a list')
      return json.map((each: unknown, i) => within(`[${i}]`, () => codec.decode(each)))
    }
  }
}

/** Each field of a value with its name in JSON, in the order in which they are written. */
export type Fields<Value> = {
  readonly [Key in keyof Value]-?: readonly [name: string, codec: Codec<Value[Key]>]
}

interface Field {
  readonly key: string
  readonly name: string
  readonly codec: Codec<unknown>
}

/** An object with exactly these fields. */
export function shape<Value extends object>(fields: Fields<Value>): Codec<Value> {
  const all: readonly Field[] = Object.entries(
    fields as Record<string, readonly [string, Codec<unknown>]>
  ).map(([key, [name, codec]]) => ({ key, name, codec }))
  const names = new Set(all.map(({ name }) => name))
  return {
    encode: (value) => {
      const json: Record<string, Json> = {}
      for (const { key, name, codec } of all) {
        json[name] = codec.encode((value as Record<string, unknown>)[key])
      }
      return json
    },
    decode: (json) => {
      const found = objectOf(json)
      const unknown = Object.keys(found).find((name) => !names.has(name))
      if (unknown !== undefined) throw new DecodeError(`${unknown} is not known here`)
      const value: Record<string, unknown> = {}
      for (const { key, name, codec } of all) {
        if (!(name in found)) throw new DecodeError(`${name} is missing`)
        value[key] = within(name, () => codec.decode(found[name]))
      }
      return value as Value
    }
  }
}

/** A value that is one of several shapes, which its field `tag` tells apart. */
export function oneOf<Tag extends string, Value extends Readonly<Record<Tag, string>>>(
  tag: Tag,
  cases: { readonly [Name in Value[Tag]]: Codec<Extract<Value, Readonly<Record<Tag, Name>>>> }
): Codec<Value> {
  const codecs = new Map(Object.entries(cases as Record<string, Codec<unknown>>))
  return {
    encode: (value) => {
      const codec = codecs.get(value[tag])
      if (!codec) throw new RangeError(`no ${tag} ${value[tag]}`)
      return codec.encode(value)
    },
    decode: (json) => {
      const found = objectOf(json)[tag]
      const codec = typeof found === 'string' ? codecs.get(found) : undefined
      if (!codec) {
        throw new DecodeError(
          found === undefined
            ? `${tag} is missing`
            : `${tag}: ${unexpected(found, `one of ${[...codecs.keys()].join(', ')}`).message}`
        )
      }
      return codec.decode(json) as Value
    }
  }
}

/** Values that are JSON already. */
export const facts: Codec<Readonly<Record<string, Json>>> = {
  encode: (value) => value,
  decode: (json) => objectOf(json) as Readonly<Record<string, Json>>
}

function objectOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw unexpected(json, 'an object')
  }
  return json as Readonly<Record<string, unknown>>
}

function within<Value>(name: string, decode: () => Value): Value {
  try {
    return decode()
  } catch (error) {
    if (error instanceof DecodeError) throw new DecodeError(`${name}: ${error.message}`)
    throw error
  }
}
