import { access, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Host } from './host.js'

/** The root of the repository, seen from the compiled program. */
export const REPOSITORY = resolve(import.meta.dirname, '../../../..')

/** The compiled `tsha` command. */
export const TSHA_COMMAND = join(REPOSITORY, 'dist/bin/tsha.js')

/**
 * The configuration files of the pair: the examples of the documentation, or any other directory with
 * files of the same names in the environment variable `TSHA_PAIR_DIR`.
 */
export const PAIR_DIRECTORY = resolve(
  process.env['TSHA_PAIR_DIR'] ?? join(REPOSITORY, 'docs/examples/pair')
)

/** Which of the two directors a machine is. */
export type Role = 'master' | 'backup'

/** Paths of the files on a director, the same as on the machines of production. */
export const ON_DIRECTOR = {
  keepalived: '/etc/keepalived/keepalived.conf',
  check: '/etc/keepalived/check_nginx.sh',
  nginx: '/etc/nginx/nginx.conf',
  tsha: '/etc/tsha/tsha.yaml'
} as const

/** Puts the pair's files, byte for byte, where a director has them. `tsha.yaml` may be missing. */
export async function installPairFiles(host: Host, role: Role): Promise<void> {
  const files: readonly (readonly [string, string, number])[] = [
    [`keepalived-${role}.conf`, ON_DIRECTOR.keepalived, 0o644],
    ['check_nginx.sh', ON_DIRECTOR.check, 0o755],
    ['nginx.conf', ON_DIRECTOR.nginx, 0o644],
    ['tsha.yaml', ON_DIRECTOR.tsha, 0o644]
  ]
  for (const [name, inside, mode] of files) {
    const path = join(PAIR_DIRECTORY, name)
    if (name === 'tsha.yaml' && !(await exists(path))) continue
    await host.writeFile(inside, await readFile(path), mode)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false
  )
}
