// Builds the packages: node packaging/build.mjs [deb] [rpm] [npm] [--out FOLDER]. `npm run package`.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buildDeb } from './deb.mjs'
import { runProgram } from './program.mjs'
import { buildRpm } from './rpm.mjs'
import { ROOT, stage } from './stage.mjs'

const KINDS = ['deb', 'rpm', 'npm']
const [kinds, out] = readArguments(process.argv.slice(2))
process.umask(0o022)
mkdirSync(out, { recursive: true })
const work = mkdtempSync(join(tmpdir(), 'tsha-package-'))
try {
  for (const kind of kinds) process.stdout.write(`${await build(kind)}\n`)
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function build(kind) {
  if (kind === 'npm')
    return join(
      out,
      runProgram('npm', ['pack', '--silent', '--pack-destination', out], { cwd: ROOT }).trim()
    )
  const tree = join(work, kind)
  await stage(tree)
  return kind === 'deb' ? buildDeb(tree, out) : buildRpm(tree, join(work, 'rpmbuild'), out)
}

function readArguments(args) {
  const at = args.indexOf('--out')
  const rest = at === -1 ? args : [...args.slice(0, at), ...args.slice(at + 2)]
  const unknown = rest.filter((each) => !KINDS.includes(each))
  if (unknown.length > 0 || (at !== -1 && !args[at + 1])) {
    process.stderr.write(
      `packaging: expected [${KINDS.join('] [')}] [--out FOLDER]; found ${args.join(' ')}\n`
    )
    process.exit(2)
  }
  return [
    rest.length > 0 ? rest : KINDS,
    resolve(at === -1 ? join(ROOT, 'packages') : args[at + 1])
  ]
}
