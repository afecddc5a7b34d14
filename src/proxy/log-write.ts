import { fstat, ftruncate, read, write } from 'node:fs'
import { promisify } from 'node:util'
import { errnoOf } from '../errors.js'

const LINE_END = 0x0a
/** A pipe takes so many bytes whole or not at all (POSIX PIPE_BUF): no other writer gets in between. */
const PIPE_BUF = 4096

/** How a write of lines ended. */
export interface WriteResult {
  /** What was not written, from the beginning of a line; empty when all was. */
  readonly rest: Buffer
  /** Lines that can be written no more. */
  readonly lost: number
  /** What stands against the rest. */
  readonly error: Error | null
}

/**
 * Appends lines to a file or pipe, as far as it takes them. What was begun of a line when a disk is
 * full is cut off again, so that neither our next line nor that of another process is glued to it.
 * Never rejects.
 * @param lines whole lines
 */
export async function writeLines(fd: number, lines: Buffer, isPipe: boolean): Promise<WriteResult> {
  let from = 0
  try {
    while (from < lines.length) {
      const to = isPipe ? endOfPipePiece(lines, from) : lines.length
      from += await writeOnce(fd, lines, from, to - from)
    }
    return { rest: EMPTY, lost: 0, error: null }
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    const lineStart = from === 0 ? 0 : lines.lastIndexOf(LINE_END, from - 1) + 1
    const begun = lines.subarray(lineStart, from)
    if (begun.length === 0) return { rest: lines.subarray(from), lost: 0, error }
    // A pipe that is full goes on where it stopped.
    if (errnoOf(error) === 'EAGAIN') return { rest: lines.subarray(from), lost: 0, error }
    if (await cutOff(fd, begun)) return { rest: lines.subarray(lineStart), lost: 0, error }
    const next = lines.indexOf(LINE_END, from)
    return { rest: Buffer.concat([NEW_LINE, lines.subarray(next + 1)]), lost: 1, error }
  }
}

const EMPTY = Buffer.alloc(0)
const NEW_LINE = Buffer.from('\n')
const statOf = promisify(fstat)
const truncate = promisify(ftruncate)

function writeOnce(fd: number, bytes: Buffer, from: number, length: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, from, length, null, (error, written) => {
      if (error === null) resolve(written)
      else reject(error)
    })
  })
}

/** The end of the last line that fits into one write to a pipe; of a longer line, as much as fits. */
function endOfPipePiece(lines: Buffer, from: number): number {
  if (lines.length - from <= PIPE_BUF) return lines.length
  const end = lines.lastIndexOf(LINE_END, from + PIPE_BUF - 1)
  return end < from ? from + PIPE_BUF : end + 1
}

/** Takes bytes off the end of a file if they are still the last ones. Returns whether they were. */
async function cutOff(fd: number, begun: Buffer): Promise<boolean> {
  try {
    const stats = await statOf(fd)
    const start = stats.size - begun.length
    if (!stats.isFile() || start < 0) return false
    const last = Buffer.alloc(begun.length)
    const count = await new Promise<number>((resolve, reject) => {
      read(fd, last, 0, last.length, start, (error, bytesRead) => {
        if (error === null) resolve(bytesRead)
        else reject(error)
      })
    })
    if (count !== begun.length || !last.equals(begun)) return false
    await truncate(fd, start)
    return true
  } catch {
    // A file that we may only write to, or a disk that fails altogether.
    return false
  }
}
