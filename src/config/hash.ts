import { scryptSync } from 'node:crypto'
import type { Config } from './model.js'

const SALT = 'tsha configuration'
const BYTES = 6

/**
 * A short name of a whole configuration with its defaults: 12 hexadecimal digits that are others after
 * any change, that of a password too. Everybody who may ask for the status sees it, so it must not be
 * a way to try passwords: it is slow on purpose (scrypt, about 50 ms), and never to be made on the loop
 * of a director that runs.
 */
export function configurationHash(config: Config): string {
  return scryptSync(JSON.stringify(config, withoutLoss), SALT, BYTES).toString('hex')
}

/** What JSON has no form of: keys are bytes, and no limit is Infinity. */
function withoutLoss(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return value === Infinity ? 'Infinity' : value
}
