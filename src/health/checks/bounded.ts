import { wasPaused } from '../pause.js'
import type { CheckResult } from '../scheduler.js'

/** Ends a check with its result; only the first call counts. */
export type EndCheck = (passed: boolean, detail: string, isOurs?: boolean) => void

/** Errors that tell of a lack on our side, and nothing about whom we wanted to ask. */
const LACKS: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']

/** Ends a check with the error of its connection. */
export function endWithError(end: EndCheck, error: Error): void {
  end(false, error.message, 'code' in error && LACKS.includes(error.code))
}

/**
 * One run over the network: ends by its deadline, and when `signal` is aborted, and lets go of its
 * connection however it ends. A deadline that passed while we stood still says nothing of others: their
 * answer may not have been read yet, or they stood still with us, so they get the time once more.
 *
 * @param late what is told when the deadline passes; it holds for the whole run, since a server that
 * drips bytes is not well
 * @param begin opens the connection, which must report its errors to `end` for life
 */
export function boundedRun(
  signal: AbortSignal,
  timeoutMs: number,
  late: string,
  begin: (end: EndCheck) => { destroy(): unknown }
): Promise<CheckResult> {
  return new Promise((resolve) => {
    const end: EndCheck = (passed, detail, isOurs = false) => {
      signal.removeEventListener('abort', abort)
      clearTimeout(timer)
      connection.destroy()
      resolve({ passed, detail, ...(isOurs ? { isOurs } : {}) })
    }
    const abort = (): void => {
      end(false, 'ended with tsha')
    }
    let begun = performance.now()
    const expire = (): void => {
      if (!wasPaused(begun, timeoutMs)) {
        end(false, late)
        return
      }
      begun = performance.now()
      timer = setTimeout(expire, timeoutMs)
    }
    let timer = setTimeout(expire, timeoutMs)
    signal.addEventListener('abort', abort)
    const connection = begin(end)
  })
}
