import { randomBytes } from 'node:crypto'
import {
  access,
  chown,
  constants,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  unlink
} from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../errors.js'

/** Older ones are removed. */
const MOST_FILES = 5
const FILE = /^tsha-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}Z\.jsonl$/
/** What a process that was killed while it wrote has left. */
const UNFINISHED = /^\.tsha-[-\w.]+\.part$/

/**
 * Makes sure that a user can write into the directory of recordings: it is created if it is missing,
 * and one that is ours and holds nothing but recordings is given to that user. To be called while this
 * process still may.
 *
 * @param user null keeps what this process is
 */
export async function prepareDirectory(
  directory: string,
  user: { readonly uid: number; readonly gid: number } | null
): Promise<void> {
  const isNew = await isCreated(directory)
  if (user === null || process.geteuid?.() !== 0) return
  const isOurs = isNew || (await stat(directory)).uid === 0
  if (!isOurs) return
  const names = await readdir(directory)
  if (names.every((name) => FILE.test(name) || UNFINISHED.test(name))) {
    await chown(directory, user.uid, user.gid)
  }
}

async function isCreated(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { mode: 0o750 })
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/** @throws the system's error when this process cannot write into the directory */
export async function checkDirectory(directory: string): Promise<void> {
  await access(directory, constants.W_OK | constants.X_OK)
}

/** A recording that is in its directory; only a machine that goes down can lose it. */
export interface WrittenRecording {
  readonly path: string
  /** Settles when it is on the disk, which may take seconds on a disk that is busy. */
  readonly onDisk: Promise<void>
}

/**
 * Writes a recording, whole or not at all, and removes what is too old.
 *
 * @param at when the director was lost, by the wall clock
 * @param signal ends it; nothing is left behind then
 * @throws the system's error
 */
export async function writeRecording(
  directory: string,
  text: Iterable<string>,
  at: Date,
  signal: AbortSignal
): Promise<WrittenRecording> {
  await removeOld(directory, MOST_FILES - 1)
  const name = nameOf(at)
  const path = join(directory, name)
  const unfinished = join(directory, `.${name}.${randomBytes(4).toString('hex')}.part`)
  const file = await open(unfinished, 'wx', 0o640)
  try {
    // Whatever the umask took away.
    await file.chmod(0o640)
    await file.writeFile([...text].join(''), { signal })
    signal.throwIfAborted()
    await rename(unfinished, path)
  } catch (error) {
    await file.close()
    await unlink(unfinished)
    throw error
  }
  const onDisk = file.sync().finally(() => file.close())
  // Whoever has no time left does not wait for it.
  onDisk.catch(() => undefined)
  return { path, onDisk }
}

/** Names are in the order of time. */
function nameOf(at: Date): string {
  return `tsha-${at.toISOString().replaceAll(':', '-')}.jsonl`
}

async function removeOld(directory: string, most: number): Promise<void> {
  const names = await readdir(directory)
  const files = names.filter((name) => FILE.test(name)).sort()
  const old = files.slice(0, Math.max(0, files.length - most))
  const unfinished = names.filter((name) => UNFINISHED.test(name))
  for (const name of [...old, ...unfinished]) await unlink(join(directory, name))
}

/**
 * The newest recording in a directory, by its name.
 *
 * @param since older ones are none
 * @returns its path; null when there is none
 * @throws the system's error
 */
export async function newestRecording(directory: string, since: Date): Promise<string | null> {
  const names = await readdir(directory)
  const first = nameOf(since)
  const newest = names
    .filter((name) => FILE.test(name) && name >= first)
    .sort()
    .at(-1)
  return newest === undefined ? null : join(directory, newest)
}
