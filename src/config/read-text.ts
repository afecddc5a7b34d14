import { open } from 'node:fs/promises'
import { ConfigError, errnoOf, messageOf } from '../errors.js'

/** Larger configuration files are refused; the largest real ones are a hundredth of it. */
const MAX_FILE_BYTES = 4_194_304
const CHUNK_BYTES = 65_536

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
  let text: string | null
  try {
    text = await readAtMost(file, MAX_FILE_BYTES)
  } catch (error) {
    const reason = READ_ERRORS[errnoOf(error) ?? ''] ?? `cannot be read: ${messageOf(error)}`
    throw new ConfigError([{ code: 'TSHA_E_FILE', message: `file ${file} ${reason}` }])
  }
  if (text === null) {
    const message = `file ${file} is larger than ${MAX_FILE_BYTES} bytes`
    throw new ConfigError([{ code: 'TSHA_E_FILE', message }])
  }
  // Editors on other systems put a byte order mark first; it means nothing in UTF-8.
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

/** The text of a file, which may be a device without an end; null when it has more bytes than that. */
async function readAtMost(file: string, maxBytes: number): Promise<string | null> {
  const handle = await open(file, 'r')
  try {
    const chunks: Buffer[] = []
    let size = 0
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES))
      if (bytesRead === 0) return Buffer.concat(chunks).toString('utf8')
      size += bytesRead
      if (size > maxBytes) return null
      chunks.push(buffer.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}
