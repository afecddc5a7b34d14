import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'
import { Journal } from './status/journal.js'

/** What is lost when the reader of the log stands still this long: nothing may wait for it. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024

/** How long the last lines may take: an end must not wait for a reader that stands still. */
const END_MS = 500

export type Log = Logger

/** The log, what it said so far, and how to end it. */
export interface LogOutput {
  readonly log: Log
  readonly journal: Journal
  /** Resolves when all of it is written, or after half a second; what is logged later is lost. */
  readonly end: () => Promise<void>
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
  let isEnded = false
  const write = (line: string): void => {
    if (!isEnded) stream.write(line)
  }
  const flushSync = (): void => {
    try {
      output.flushSync()
    } catch {
      // Not opened yet, or the reader is gone: there is nobody left to tell.
    }
  }
  // A line that is being written is none that can be flushed: it is lost if the process ends now.
  const end = async (): Promise<void> => {
    if (isEnded) return
    isEnded = true
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, END_MS)
      output.once('close', () => {
        clearTimeout(patience)
        resolve()
      })
      stream.end()
    })
  }
  return { log: journaledLog(journal, write, flushSync), journal, end }
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
