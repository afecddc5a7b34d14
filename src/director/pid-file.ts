import { readFile, rm, writeFile } from 'node:fs/promises'
import { messageOf } from '../errors.js'
import type { Log } from './log.js'

/**
 * Writes our process id where log rotation and scripts look for it. A file that cannot be written is
 * told and no more: the service does not depend on it.
 */
export async function writePidFile(path: string, log: Log): Promise<void> {
  try {
    await writeFile(path, `${process.pid}\n`)
  } catch (error) {
    log.warn({ path }, `cannot write the pid file: ${messageOf(error)}`)
  }
}

/** Removes the pid file if it still holds our own id. */
export async function removePidFile(path: string): Promise<void> {
  try {
    const found = await readFile(path, 'utf8')
    if (found.trim() === String(process.pid)) await rm(path)
  } catch {
    // It was never written, or somebody else removed it.
  }
}
