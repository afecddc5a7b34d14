import { constants } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { messageOf } from '../errors.js'
import type { Log } from './log.js'

/** A FIFO of that name must hold neither a start nor a reload. */
const { O_CREAT, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants

/**
 * Writes our process id where log rotation and scripts look for it. A file that cannot be written is
 * told and no more: the service does not depend on it.
 */
export async function writePidFile(path: string, log: Log): Promise<void> {
  try {
    await writeFile(path, `${process.pid}\n`, {
      flag: O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK
    })
  } catch (error) {
    log.warn({ path }, `cannot write the pid file: ${messageOf(error)}`)
  }
}

/** Removes the pid file if it still holds our own id. */
export async function removePidFile(path: string): Promise<void> {
  try {
    const found = await readFile(path, { encoding: 'utf8', flag: O_RDONLY | O_NONBLOCK })
    if (found.trim() === String(process.pid)) await rm(path)
  } catch {
    // It was never written, or somebody else removed it.
  }
}
