import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'
import { Journal } from './journal.js'

/** What is lost when the reader of the log stands still this long: nothing may wait for it. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024

/** How long the end of the process waits for the reader of the log. */
const CLOSE_LIMIT_MS = 500

export type Log = Logger

/**
 * The log, what it said so far, and how to end it: `close` resolves when all is written, or its reader
 * takes nothing for half a second.
 */
export interface LogOutput {
  readonly log: Log
  readonly journal: Journal
  readonly close: () => Promise<void>
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
  const journal = new Journal()
  const flush = (): void => {
    try {
      output.flushSync()
    } catch {
      // Not opened yet, or the reader is gone: there is nobody left to tell.
    }
  }
  let isClosed = false
  const write = (line: string): void => {
    if (!isClosed) stream.write(line)
  }
  const close = (): Promise<void> => {
    isClosed = true
    // A process that ends at once takes with it what a thread is about to write.
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_LIMIT_MS)
      output.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      stream.end()
    })
  }
  return { log: journaledLog(journal, write, flush), journal, close }
}

/**
 * A log of which each line goes to the journal too.
 *
 * @param write takes one line of JSON with its line feed
 * @param flushSync called after a fatal line, with which everything may end
 */
export function journaledLog(
  journal: Journal,
  write: (line: string) => void,
  flushSync: () => void = () => undefined
): Log {
  const stream = {
    write(line: string) {
      write(line)
      journal.take(line)
    },
    flushSync
  }
  return pino({ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}
