import { readFile } from 'node:fs/promises'
import { parseDuration } from '../config/units.js'
import { ConfigError, messageOf, type Problem } from '../errors.js'

export const DEFAULT_SOCKET = '/run/tsha/admin.sock'

/** Where a director is asked. */
export type Target =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'url'
      readonly url: URL
      readonly token: string | null
      /** PEM of the authorities that are trusted; null for those of the system. */
      readonly authorities: string | null
    }

/** The flags of every command that asks a director. */
export interface TargetFlags {
  readonly socket: string | undefined
  readonly url: string | undefined
  readonly 'token-file': string | undefined
  readonly ca: string | undefined
  readonly timeout: string | undefined
}

/**
 * Reads the flags that say where the director is.
 *
 * @param env `TSHA_SOCKET` is the socket that is meant when no flag names one
 * @throws {ConfigError} with everything that is wrong with them
 */
export async function readTarget(
  flags: TargetFlags,
  env: Readonly<Record<string, string | undefined>>
): Promise<Target> {
  const { socket, url: written, 'token-file': tokenFile, ca } = flags
  if (written === undefined) {
    if (tokenFile !== undefined || ca !== undefined) {
      throw flagError('--token-file and --ca belong to --url: the socket asks for neither')
    }
    return { kind: 'socket', path: socket ?? (env['TSHA_SOCKET'] || DEFAULT_SOCKET) }
  }
  const problems: Problem[] = []
  const read = async (flag: string, path: string | undefined): Promise<string | null> => {
    if (path === undefined) return null
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      const message = `${flag}: cannot read ${path}: ${messageOf(error)}`
      problems.push({ code: 'TSHA_E_FILE', message })
      return null
    }
  }
  const url = URL.canParse(written) ? new URL(written) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    problems.push(flagProblem(`--url is ${written}; expected https://HOST:PORT`))
  }
  if (url?.protocol === 'http:' && tokenFile !== undefined && !isLoopback(url.hostname)) {
    problems.push(flagProblem(`--url is ${written}: the token would cross the network in clear`))
  }
  const token = (await read('--token-file', tokenFile))?.trim() ?? null
  if (token !== null && !/^[\x21-\x7E]+$/.test(token)) {
    // The token itself is not told.
    problems.push(flagProblem(`--token-file: ${tokenFile ?? ''} holds no token: expected one line`))
  }
  const authorities = await read('--ca', ca)
  if (url === null || problems.length > 0) throw new ConfigError(problems)
  return { kind: 'url', url, token, authorities }
}

/**
 * @param fallbackMs how long the command waits when nothing else is said
 * @throws {ConfigError}
 */
export function readTimeout(written: string | undefined, fallbackMs: number): number {
  return written === undefined ? fallbackMs : readDuration('--timeout', written)
}

/** @throws {ConfigError} when a flag is no duration longer than nothing */
export function readDuration(flag: string, written: string): number {
  const durationMs = parseDuration(written)
  if (durationMs === undefined || durationMs === 0) {
    throw flagError(`${flag} is ${written}; expected a duration such as 500ms, 10s or 5m`)
  }
  return durationMs
}

/**
 * Reads a number or the word `default`.
 * @returns null for `default`
 * @throws {ConfigError}
 */
export function readNumber(
  what: string,
  written: string,
  [least, most]: readonly [number, number]
): number | null {
  if (written === 'default') return null
  const value = /^\d{1,6}$/.test(written) ? Number(written) : NaN
  if (value >= least && value <= most) return value
  throw flagError(`${what} is ${written}; expected ${least} to ${most}, or default`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}

function flagProblem(message: string): Problem {
  return { code: 'TSHA_E_FLAG', message }
}

/** One thing that is wrong with the command line. */
export function flagError(message: string): ConfigError {
  return new ConfigError([flagProblem(message)])
}
