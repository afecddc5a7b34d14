import { z } from 'zod'
import { parseAddress } from './addresses.js'
import { MAX_DURATION_MS, formatDuration, parseDuration } from './units.js'

/*
 * What the parts of the schema are made of. The message of every issue is the rest of a sentence that
 * begins with the key and what was found, as in `vrid 300 | is out of range; use 1 to 255`;
 * validate.ts joins the two.
 */

/** Separates the known keys in the message of an `unrecognized_keys` issue, for validate.ts. */
export const KEY_SEPARATOR = ' '

type Shape = Readonly<Record<string, z.ZodType>>

export function section<T extends Shape>(shape: T) {
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys'
        ? Object.keys(shape).join(KEY_SEPARATOR)
        : `is not a mapping; use keys such as ${Object.keys(shape).slice(0, 3).join(', ')}`
  })
}

export function named<T extends z.ZodType>(entry: T) {
  const error = 'is not a mapping; use a name with its settings below'
  return z.record(z.string(), entry, { error })
}

export function whole(min: number, max: number) {
  const error = `is out of range; use ${min} to ${max}`
  return z
    .int({ error: `is not a whole number; use ${min} to ${max}` })
    .min(min, { error })
    .max(max, { error })
}

export function text(expected: string, pattern: RegExp) {
  return z
    .string({ error: `is not text; use ${expected}` })
    .regex(pattern, { error: `is not valid; use ${expected}` })
}

export const yesOrNo = z.boolean({ error: 'is not a yes or no; use true or false' })

export function switchOff() {
  return yesOrNo.default(false)
}

export function absolutePath() {
  return text('an absolute path', /^\/[^\0]*$/)
}

export function parsed<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string({ error: `is not text; use ${expected}` }).transform((found, context): T => {
    const value = parse(found)
    if (value !== undefined) return value
    context.issues.push({ code: 'custom', input: found, message: `is not valid; use ${expected}` })
    return z.NEVER
  })
}

export function ipAddress() {
  return parsed('an IP address such as 192.0.2.2 or 2001:db8::2', parseAddress)
}

export const interfaceName = text('the name of a network interface', /^[^\s/]{1,15}$/)

export const accountName = text('the name of a user or group', /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/)

export function duration(minMs: number, maxMs: number, isWholeSeconds = false) {
  const example = isWholeSeconds ? '"1s" or "3s"' : '"250ms", "1s" or "5m"'
  return z
    .string({
      error: ({ input }) =>
        `${typeof input === 'number' ? 'has no unit' : 'is not a duration'}; use one such as ${example}`
    })
    .transform((found, context) => {
      const durationMs = parseDuration(found)
      const range = `${formatDuration(minMs)} to ${formatDuration(maxMs)}`
      let message: string
      if (durationMs === undefined) {
        const hasUnit = !/^\d+(\.\d+)?$/.test(found)
        message = `${hasUnit ? 'is not a duration' : 'has no unit'}; use one such as ${example}`
      } else if (durationMs < minMs || durationMs > maxMs) {
        message = `is out of range; use ${range}`
      } else if (isWholeSeconds && durationMs % 1000 !== 0) {
        message = `is not whole seconds; use ${range}`
      } else {
        return durationMs
      }
      context.issues.push({ code: 'custom', input: found, message })
      return z.NEVER
    })
}

export const positiveDuration = duration(1, MAX_DURATION_MS)
export const anyDuration = duration(0, MAX_DURATION_MS)
export const CHECK_INTERVAL_MAX_MS = 3_600_000
export const checkDuration = duration(10, CHECK_INTERVAL_MAX_MS)
export const count = whole(1, 1_000_000)
