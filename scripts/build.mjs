// Compiles everything to dist/ and makes the command runnable, as docs/install.md links it. `npm run build`.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const compiler = spawnSync(
  process.execPath,
  [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'],
  { cwd: ROOT, stdio: 'inherit' }
)
if (compiler.status === 0) {
  chmodSync(join(ROOT, 'dist/bin/tsha.js'), 0o755)
  // The page of the admin API is served as it is written.
  cpSync(join(ROOT, 'src/admin/page'), join(ROOT, 'dist/src/admin/page'), { recursive: true })
}
process.exitCode = compiler.status ?? 1
