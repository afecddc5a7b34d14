// Looks for bytes that tsha and llhttp, Node's own parser, understand differently. `npm run fuzz`.
//
//   node scripts/fuzz.mjs [--seconds 60] [--seed INTEGER]
//
// Every round has its own seed, which is printed. The exit code is 1 if a difference was found.
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')

run([join(ROOT, 'scripts/setup.mjs'), '--for', 'test', '--allow-missing', '--no-build'])
run([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.json')])
const program = join(ROOT, 'dist/test/fuzz/main.js')
run(['--enable-source-maps', program, ...process.argv.slice(2)])

function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
