import { parseArgs } from 'node:util'

/** What a run is to be. */
export interface SoakOptions {
  readonly seconds: number
  /** Requests per second; null for a share of the peak. */
  readonly rate: number | null
  readonly seed: number
  readonly workers: number
  /** Seconds of load without faults, for finding the peak; 0 if the rate is given. */
  readonly calibrateSeconds: number
  readonly sampleMs: number
}

export const USAGE = `npm run soak -- [options]     the proxy under mixed load and faults, each response verified

  --minutes N      how long (default 10)
  --rate N|auto    requests per second (default auto: 70 % of the peak that is measured first)
  --seed S         the seed of all traffic and faults (default: by the clock; it is printed)
  --workers N      worker processes of tsha (default 2)
`

const CALIBRATE_SECONDS = 5
const SAMPLE_MS = 5000

/** @returns null when only help is wanted. @throws {Error} that says what is wrong with the arguments */
export function readOptions(args: readonly string[]): SoakOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      rate: { type: 'string', default: 'auto' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      workers: { type: 'string', default: '2' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return null
  const rate = values.rate === 'auto' ? null : number('--rate', values.rate, 1, 100_000)
  return {
    seconds: number('--minutes', values.minutes, 0.1, 24 * 60) * 60,
    rate,
    seed: Math.floor(number('--seed', values.seed, 0, 2 ** 31)),
    workers: Math.floor(number('--workers', values.workers, 1, 64)),
    calibrateSeconds: rate === null ? CALIBRATE_SECONDS : 0,
    sampleMs: SAMPLE_MS
  }
}

function number(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text !== '' && value >= least && value <= most) return value
  throw new Error(`${flag} takes a number from ${least} to ${most}; found ${text}`)
}
