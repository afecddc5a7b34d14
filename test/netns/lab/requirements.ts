import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { CLEAN_ENVIRONMENT } from './lab-process.js'

/** Every program that the network itself needs. */
const LAB_PROGRAMS = ['ip', 'mount', 'nsenter', 'unshare']

/**
 * Why tests that build the network cannot run here, or false when they can: the value of tap's
 * `skip` option.
 * @param programs that the test needs beyond the network's own, such as `keepalived`
 */
export function cannotRun(...programs: readonly string[]): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  const missing = [...LAB_PROGRAMS, ...programs].filter((program) => !isInstalled(program))
  return missing.length === 0 ? false : `needs ${missing.join(', ')}`
}

/** Whether a program is on the path of the lab's machines. */
export function isInstalled(program: string): boolean {
  return (CLEAN_ENVIRONMENT['PATH'] ?? '').split(':').some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
