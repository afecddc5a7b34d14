import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the program of a command is looked for that is written without a `/`. */
const PROGRAM_DIRECTORIES: readonly string[] = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin'
]

/** Scripts are read up to this size to see what they look for. */
const MAX_SCRIPT_BYTES = 65_536

/** A program that can be run, or the reason why not, as the end of a sentence. */
export type Program =
  { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string }

/** Finds a program by its absolute path or its name, and makes sure that it can be run. */
export async function findProgram(name: string): Promise<Program> {
  if (name.startsWith('/')) return canRun(name)
  if (name.includes('/')) return { ok: false, reason: 'is not an absolute path; use one' }
  for (const directory of PROGRAM_DIRECTORIES) {
    const found = await canRun(join(directory, name))
    if (found.ok) return found
  }
  return { ok: false, reason: `does not exist in ${PROGRAM_DIRECTORIES.join(', ')}` }
}

async function canRun(path: string): Promise<Program> {
  try {
    const found = await stat(path)
    if (!found.isFile()) return { ok: false, reason: 'is not a file; use a program' }
  } catch {
    // Whatever stat says, the program cannot be started: the sentence is the same.
    return { ok: false, reason: 'does not exist; use the path of a program' }
  }
  try {
    await access(path, constants.X_OK)
    return { ok: true, path }
  } catch {
    return { ok: false, reason: 'is not executable; use chmod +x' }
  }
}

/** The beginning of a script's text, or null when it cannot be read or is no text. */
export async function readScript(path: string): Promise<string | null> {
  try {
    const file = await open(path)
    try {
      const buffer = Buffer.alloc(MAX_SCRIPT_BYTES)
      const { bytesRead } = await file.read(buffer, 0, MAX_SCRIPT_BYTES, 0)
      const bytes = buffer.subarray(0, bytesRead)
      return bytes.includes(0) ? null : bytes.toString('utf8')
    } finally {
      await file.close()
    }
  } catch {
    // Not readable: then nothing is known about it, and it runs as it is.
    return null
  }
}
