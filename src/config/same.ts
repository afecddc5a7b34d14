/**
 * Whether two values of the configuration model say the same: plain data, and bytes. The order of keys
 * does not matter, that of lists does.
 */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return false
  if (isList(one) || isList(other)) return isList(one) && isList(other) && areSame(one, other)
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => key in other && isSame(memberOf(one, key), memberOf(other, key)))
  )
}

function areSame(one: List, other: List): boolean {
  if (one.length !== other.length) return false
  for (let i = 0; i < one.length; i += 1) if (!isSame(one[i], other[i])) return false
  return true
}

type List = readonly unknown[] | Uint8Array

function isList(value: object): value is List {
  return Array.isArray(value) || value instanceof Uint8Array
}

function memberOf(value: object, key: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[key]
}
