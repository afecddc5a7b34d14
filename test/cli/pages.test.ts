import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { renewCliPage } from '../../src/cli/cli-page.js'
import { COMMANDS } from '../../src/cli/commands.js'
import { usageOf } from '../../src/cli/definition.js'
import { formatManPage } from '../../src/cli/man-page.js'

const MAN_PAGE = fileURLToPath(new URL('../../../packaging/man/tsha.8', import.meta.url))
const CLI_PAGE = fileURLToPath(new URL('../../../docs/cli.md', import.meta.url))
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0
const AGAIN = 'node scripts/cli-docs.mjs writes it anew'

t.test('the manual page and docs/cli.md say what the commands say', (t) => {
  const page = readFileSync(MAN_PAGE, 'utf8')
  const date = /^\.Dd (.*)$/m.exec(page)?.[1] ?? ''
  t.match(date, /^[A-Z][a-z]+ \d{1,2}, \d{4}$/)
  t.equal(page, formatManPage(COMMANDS, date), AGAIN)
  const markdown = readFileSync(CLI_PAGE, 'utf8')
  t.equal(markdown, renewCliPage(markdown, COMMANDS), AGAIN)
  t.end()
})

t.test(
  'every command and every flag is in the manual page, and groff has nothing to complain of',
  { skip: has('groff') ? false : 'needs groff' },
  (t) => {
    const groff = spawnSync('groff', ['-ww', '-mdoc', '-Tascii', '-P-cbou', MAN_PAGE], {
      encoding: 'utf8'
    })
    t.equal(groff.stderr, '')
    for (const command of COMMANDS) {
      t.ok(groff.stdout.includes(`     ${usageOf(command)}`), usageOf(command))
      for (const flag of Object.keys(command.flags)) {
        t.ok(groff.stdout.includes(`--${flag}`), flag)
      }
    }
    t.end()
  }
)

t.test('man has nothing to complain of', { skip: has('man') ? false : 'needs man' }, (t) => {
  const man = spawnSync('man', ['--warnings', '-l', MAN_PAGE], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', MANPAGER: 'cat' }
  })
  t.equal(man.stderr, '')
  t.end()
})

t.test(
  'no command has a flag that means something else elsewhere, and all have an example',
  (t) => {
    const names = COMMANDS.map(({ name }) => name)
    t.same(names, [...new Set(names)])
    for (const { name, examples, describe, flags } of COMMANDS) {
      t.ok(examples.length > 0, name)
      for (const { command } of examples) t.match(command, /tsha/)
      t.ok(describe.length <= 74, `${name} fits the overview`)
      const letters = Object.values(flags).flatMap(({ alias }) => alias ?? [])
      t.same(letters, [...new Set(letters)], name)
    }
    t.end()
  }
)
