// Writes packaging/man/tsha.8 and the reference in docs/cli.md from the commands in src/cli. A test compares them.
// node scripts/build.mjs && node scripts/cli-docs.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const { COMMANDS } = await import('../dist/src/cli/commands.js')
const { formatManPage } = await import('../dist/src/cli/man-page.js')
const { renewCliPage } = await import('../dist/src/cli/cli-page.js')

const manPage = join(ROOT, 'packaging/man/tsha.8')
mkdirSync(dirname(manPage), { recursive: true })
const date = new Date().toLocaleDateString('en-US', {
  month: 'long',
  day: 'numeric',
  year: 'numeric'
})
const before = readOr(manPage, '')
const kept = /^\.Dd (.*)$/m.exec(before)?.[1] ?? date
// The date is that of the last change, so that nothing changes when nothing has changed.
const isSame = formatManPage(COMMANDS, kept) === before
writeFileSync(manPage, isSame ? before : formatManPage(COMMANDS, date))

const cliPage = join(ROOT, 'docs/cli.md')
writeFileSync(cliPage, renewCliPage(readFileSync(cliPage, 'utf8'), COMMANDS))

function readOr(path, fallback) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return fallback
  }
}
