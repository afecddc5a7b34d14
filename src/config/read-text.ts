import { readFile } from 'node:fs/promises'
import { ConfigError, errnoOf, messageOf } from '../errors.js'

/** Larger configuration files are refused; the largest real ones are a hundredth of it. */
const MAX_FILE_BYTES = 4_194_304

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory'
}

/**
 * Reads a configuration file.
 * @throws {ConfigError} saying why it cannot be read, or that it is too large
 */
export async function readText(file: string): Promise<string> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const reason = READ_ERRORS[errnoOf(error) ?? ''] ?? `cannot be read: ${messageOf(error)}`
    throw new ConfigError([{ code: 'TSHA_E_FILE', message: `file ${file} ${reason}` }])
  }
  if (text.length > MAX_FILE_BYTES) {
    const message = `file ${file} is larger than ${MAX_FILE_BYTES} bytes`
    throw new ConfigError([{ code: 'TSHA_E_FILE', message }])
  }
  // Editors on other systems put a byte order mark first; it means nothing in UTF-8.
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}
