import { CommandRun, type ChildStarter, type RunEnd, type RunOptions } from '../run-command.js'
import type { CheckResult, CheckRun } from '../scheduler.js'

/** A script whose exit status says whether the check passes, or why it cannot be run. */
export type ScriptOptions = RunOptions & {
  /** Such as a user that does not exist; then nothing is started. */
  readonly obstacle?: string | undefined
}

/**
 * A check that runs a script as keepalived does: status 0 passes, anything else fails; one that runs
 * longer than its timeout has failed then and there. While it still dies no other run is begun, and
 * each one that is due has failed.
 */
export function scriptCheck(options: ScriptOptions, starter: ChildStarter): CheckRun {
  const { timeoutMs, obstacle } = options
  let isDying = false
  return async (signal) => {
    if (obstacle !== undefined) return unrunnable(obstacle)
    if (isDying) return { passed: false, detail: `has not ended since it timed out` }
    const run = new CommandRun(options, starter, signal)
    isDying = true
    void run.gone.then(() => {
      isDying = false
    })
    return describe(await run.end, timeoutMs)
  }
}

function describe(end: RunEnd, timeoutMs: number): CheckResult {
  switch (end.kind) {
    case 'exited':
      return { passed: end.status === 0, detail: `exited with status ${end.status}` }
    case 'killed':
      return { passed: false, detail: `killed by ${end.signal}` }
    case 'timed-out':
      return { passed: false, detail: `timed out after ${timeoutMs} ms` }
    case 'not-started':
      return unrunnable(end.message)
    case 'terminated':
    case 'aborted':
      return { passed: false, detail: 'ended with tsha' }
  }
}

function unrunnable(why: string): CheckResult {
  return { passed: false, detail: `could not be run: ${why}`, isUnrunnable: true }
}
