import { spawnSync } from 'node:child_process'

const LIMIT_MS = 5 * 60_000

/** Runs a program to its end. Throws with what it said when it fails. */
export function runProgram(program, args, options = {}) {
  const outcome = spawnSync(program, args, { encoding: 'utf8', timeout: LIMIT_MS, ...options })
  if (outcome.error?.code === 'ENOENT') throw new Error(`${program} is not installed`)
  if (outcome.status !== 0) {
    throw new Error(`${program} ${args.join(' ')}:\n${outcome.stdout ?? ''}${outcome.stderr ?? ''}`)
  }
  return outcome.stdout
}
