import { viewOf, type View } from './style.js'

/**
 * Writes to standard output, and waits while its reader is slow.
 *
 * @returns false when nobody reads any more, as in `tsha events -f | head`
 */
export async function write(text: string): Promise<boolean> {
  if (isReaderGone()) return false
  return await new Promise((resolve) => {
    process.stdout.write(text, (error) => {
      resolve(!error)
    })
  })
}

/** Writes lines, each with its end. @returns false when nobody reads any more */
export async function writeLines(lines: readonly string[]): Promise<boolean> {
  return lines.length === 0 ? true : await write(lines.map((line) => `${line}\n`).join(''))
}

/** How standard output is to look. */
export function outputView(): View {
  return viewOf(process.stdout, process.env)
}

let hasListener = false

function isReaderGone(): boolean {
  if (!hasListener) {
    hasListener = true
    // Each write is told of its own failure; without a listener this event would end the process.
    process.stdout.on('error', () => undefined)
  }
  return process.stdout.destroyed || process.stdout.writableEnded
}
