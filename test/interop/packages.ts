import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { REPOSITORY } from '../netns/lab/pair-files.js'

const BUILD_TIMEOUT_MS = 300_000

/** Builds packages of this tree, as `npm run package` does. Resolves with their paths. */
export async function buildPackages(
  kinds: readonly ('deb' | 'rpm' | 'npm')[],
  folder: string
): Promise<readonly string[]> {
  const script = join(REPOSITORY, 'packaging/build.mjs')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [script, ...kinds, '--out', folder],
    { timeout: BUILD_TIMEOUT_MS }
  )
  return stdout.trim().split('\n')
}
