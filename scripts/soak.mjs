// The proxy under mixed load and faults for minutes, each response verified. `npm run soak`; options: --help.
//
//   node scripts/soak.mjs [--minutes 10] [--rate auto|N] [--seed S] [--workers N]
//
// The exit code is 1 if anything was found.
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')

run([join(ROOT, 'scripts/setup.mjs'), '--for', 'test', '--allow-missing', '--no-build'])
run([join(ROOT, 'scripts/build.mjs')])
await import(`file://${join(ROOT, 'dist/test/soak/main.js')}`)

function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
