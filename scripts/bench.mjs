// tsha beside nginx, HAProxy and http-proxy on one machine. `npm run bench`; options: --help.
//
//   node scripts/bench.mjs [options]
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')

const setup = spawnSync(
  process.execPath,
  [resolve(ROOT, 'scripts/setup.mjs'), '--for', 'bench', '--allow-missing'],
  { stdio: 'inherit' }
)
if (setup.status !== 0) process.exit(setup.status ?? 1)
// Where servers live, and which is not in the path of everybody but root.
process.env.PATH = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin`
await import(`file://${resolve(ROOT, 'dist/bench/main.js')}`)
