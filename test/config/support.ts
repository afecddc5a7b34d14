import { chmodSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, formatProblem } from '../../src/errors.js'
import { loadConfig } from '../../src/config/load.js'
import type { LoadOptions } from '../../src/config/load.js'
import type { Machine } from '../../src/config/machine.js'
import type { LoadedConfig, Role } from '../../src/config/model.js'

/** A machine with four CPUs, run as root, that has the user and group nginx and nobody. */
export const ROOT_MACHINE: Machine = {
  isRoot: true,
  cpuCount: 4,
  hostname: 'director1',
  hasUser: (name) => Promise.resolve(['nginx', 'nobody'].includes(name)),
  hasGroup: (name) => Promise.resolve(name === 'nginx')
}

/** The same without root. */
export const USER_MACHINE: Machine = { ...ROOT_MACHINE, isRoot: false }

/** Makes directories of files for one test; `t.testdir` of tap. */
export interface TestDirectory {
  readonly testdirName: string
  testdir: (files: Record<string, string | Record<string, string>>) => string
}

/** Loads files from their texts: the keys are file names, of which the known ones are loaded. */
export async function load(
  t: TestDirectory,
  files: Readonly<Record<string, string | Record<string, string>>>,
  options: { role?: Role; machine?: Machine } = {}
): Promise<LoadedConfig> {
  const directory = t.testdir({ ...files })
  if ('check.sh' in files) chmodSync(join(directory, 'check.sh'), 0o755)
  const chosen: LoadOptions = {
    role: options.role ?? null,
    ...('tsha.yaml' in files ? { config: join(directory, 'tsha.yaml') } : {}),
    ...('keepalived.conf' in files ? { keepalivedConf: join(directory, 'keepalived.conf') } : {}),
    ...('nginx.conf' in files ? { nginxConf: join(directory, 'nginx.conf') } : {})
  }
  return loadConfig(chosen, options.machine ?? ROOT_MACHINE)
}

/** The problems of files as `line:column: message [CODE]`, without the directory. */
export async function problemsOf(
  t: TestDirectory,
  files: Readonly<Record<string, string | Record<string, string>>>,
  options: { role?: Role; machine?: Machine } = {}
): Promise<string[]> {
  try {
    await load(t, files, options)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) =>
      formatProblem(problem).replaceAll(`${t.testdirName}/`, '')
    )
  }
  return []
}

/** The text of a file of `docs/examples/pair`. */
export function readExample(name: string): Promise<string> {
  return readFile(new URL(`../../../docs/examples/pair/${name}`, import.meta.url), 'utf8')
}
