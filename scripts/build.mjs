// Compiles everything to dist/ and makes the command runnable, as docs/install.md links it. `npm run build`.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const ok = compile('tsconfig.json') && compile('tsconfig.page.json')
if (ok) {
  chmodSync(join(ROOT, 'dist/bin/tsha.js'), 0o755)
  // The page of the admin API is served as it is written; it was only checked.
  const page = join(ROOT, 'dist/src/admin/page')
  rmSync(page, { recursive: true, force: true })
  cpSync(join(ROOT, 'src/admin/page'), page, { recursive: true })
}
process.exitCode = ok ? 0 : 1

function compile(project) {
  const compiler = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project],
    { cwd: ROOT, stdio: 'inherit' }
  )
  return compiler.status === 0
}
