import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'

/** What is lost when the reader of the log stands still this long: nothing may wait for it. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024

export type Log = Logger

/** The log, and how to write out the rest of it before the process ends. */
export interface LogOutput {
  readonly log: Log
  readonly flush: () => void
}

/**
 * Opens the log on standard output: JSON lines, or readable text on a terminal. Writing is
 * asynchronous, so that a slow reader never delays an advertisement.
 */
export function openLog(): LogOutput {
  const output = pino.destination({ dest: 1, sync: false, maxLength: MAX_BUFFERED_BYTES })
  // The reader is gone (EPIPE): an election is no reason to stop for want of an audience.
  output.on('error', () => undefined)
  const stream = process.stdout.isTTY
    ? pretty({
        destination: output,
        colorize: process.env['NO_COLOR'] === undefined,
        ignore: 'pid,hostname'
      })
    : output
  return {
    log: pino({ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, stream),
    flush() {
      try {
        output.flushSync()
      } catch {
        // Not opened yet, or the reader is gone: there is nobody left to tell.
      }
    }
  }
}
