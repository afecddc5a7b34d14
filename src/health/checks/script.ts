import { spawn, type ChildProcess } from 'node:child_process'
import type { CheckResult, CheckRun } from '../scheduler.js'

/** After SIGTERM a script has this long before it is killed (keepalived). */
const KILL_DELAY_MS = 2000

/** A script whose exit status says whether the check passes. */
export interface ScriptOptions {
  /** Program and arguments; run without a shell. */
  readonly command: readonly string[]
  readonly timeoutMs: number
  /** User to run as; undefined keeps ours. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/**
 * A check that runs a script as keepalived does: status 0 passes, anything else fails; a script that
 * runs longer than its timeout has failed, its process group gets SIGTERM and 2 s later SIGKILL.
 *
 * @param fork wraps the call that starts the process, so that it gets none of our capabilities
 */
export function scriptCheck(
  options: ScriptOptions,
  fork: (start: () => ChildProcess) => ChildProcess
): CheckRun {
  const [program = '', ...args] = options.command
  return (signal) =>
    new Promise<CheckResult>((resolve) => {
      const child = fork(() =>
        spawn(program, args, {
          stdio: 'ignore',
          detached: true,
          cwd: '/',
          ...(options.uid === undefined ? {} : { uid: options.uid }),
          ...(options.gid === undefined ? {} : { gid: options.gid })
        })
      )
      let isTimedOut = false
      let killTimer: NodeJS.Timeout | null = null
      const timer = setTimeout(() => {
        isTimedOut = true
        signalGroup(child, 'SIGTERM')
        killTimer = setTimeout(() => {
          signalGroup(child, 'SIGKILL')
        }, KILL_DELAY_MS)
      }, options.timeoutMs)
      const abort = (): void => {
        signalGroup(child, 'SIGKILL')
      }
      signal.addEventListener('abort', abort)
      const end = (result: CheckResult): void => {
        signal.removeEventListener('abort', abort)
        clearTimeout(timer)
        if (killTimer) clearTimeout(killTimer)
        resolve(result)
      }
      child.on('error', (error) => {
        end({ passed: false, detail: `could not be run: ${error.message}` })
      })
      child.on('exit', (status, killer) => {
        if (isTimedOut) {
          // What the script started may outlive it; the group ends with it.
          signalGroup(child, 'SIGKILL')
          end({ passed: false, detail: `timed out after ${options.timeoutMs} ms` })
        } else if (killer) {
          end({ passed: false, detail: `killed by ${killer}` })
        } else {
          end({ passed: status === 0, detail: `exited with status ${status ?? 'unknown'}` })
        }
      })
    })
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: the group has ended by itself.
  }
}
