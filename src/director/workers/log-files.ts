import { close, fstat } from 'node:fs'
import { chown, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, TshaError } from '../../errors.js'
import { openForAppend } from '../../proxy/log-file.js'
import type { ProxyConfig } from '../../proxy/model.js'

/** Numeric user and group of the workers. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * Makes sure that every log file of the proxy exists and belongs to the workers, which open it
 * themselves. Called at start and before each reopening, since a rotated file is made anew.
 *
 * @param owner null when the workers run as this process does
 * @throws {TshaError} `TSHA_E_LOG_FILE`
 */
export async function prepareLogFiles(config: ProxyConfig, owner: Owner | null): Promise<void> {
  await Promise.all(logPaths(config).map((path) => prepare(path, owner)))
}

/** Every log file of the proxy, once. */
export function logPaths(config: ProxyConfig): readonly string[] {
  const paths = new Set<string>()
  if (config.errorLog) paths.add(config.errorLog.path)
  for (const server of config.servers) {
    for (const log of server.accessLogs) paths.add(log.path)
    for (const route of server.routes) for (const log of route.accessLogs) paths.add(log.path)
  }
  return [...paths]
}

/** As every program makes its files: the umask decides who may read them. */
const MODE = 0o666
const statOf = promisify(fstat)
const closeFile = promisify(close)

async function prepare(path: string, owner: Owner | null): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    const fd = await openForAppend(path, MODE)
    try {
      // Devices such as /dev/stderr are not ours to give away.
      if (owner && (await statOf(fd)).isFile()) await chown(path, owner.uid, owner.gid)
    } finally {
      await closeFile(fd)
    }
  } catch (cause) {
    throw new TshaError('TSHA_E_LOG_FILE', `cannot open log file ${path}: ${messageOf(cause)}`, {
      cause
    })
  }
}
