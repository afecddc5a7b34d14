// The main job of tsha on one machine: two directors, two web servers and a client in network
// namespaces, and what an administrator tries on a new pair. `npm run demo`.
//
//   node scripts/demo.mjs [--interactive]
import { spawnSync } from 'node:child_process'
import { dirname, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')

if (process.argv.includes('--help')) {
  process.stdout.write(`npm run demo                      plays the story of a pair, about a minute
npm run demo -- --interactive     starts the pair and leaves it to you, until Ctrl-C
`)
  process.exit(0)
}
if (process.getuid?.() !== 0) {
  const rest = process.argv.slice(2).join(' ')
  const flags = rest === '' ? '' : ` -- ${rest}`
  process.stderr.write(`the demo builds a network inside this machine, which only root may do; run:
  sudo env "PATH=${dirname(process.execPath)}:$PATH" npm run demo${flags}
`)
  process.exit(1)
}
const setup = spawnSync(process.execPath, [resolve(ROOT, 'scripts/setup.mjs'), '--for', 'demo'], {
  stdio: 'inherit'
})
if (setup.status !== 0) process.exit(setup.status ?? 1)
await import(`file://${resolve(ROOT, 'dist/test/netns/demo/main.js')}`)
