import t from 'tap'
import { COMMANDS } from '../../src/cli/commands.js'
import { parse } from '../../src/cli/parser.js'
import { fencedLines, readPages, withoutFences } from './pages.js'

/** Where a command of a shell may begin. */
const BEGINS = /(?:^|[|;&(`]|\bsudo) *(tsha(?: (?! )[^ |;&>#)`]+)*)/g
/** What stands for any command. */
const PLACEHOLDER = /^tsha (?:COMMAND|…|\.\.\.)/

/** Every command line of tsha that a page shows, with its place. */
function commandsOf(path: string, text: string): readonly { command: string; place: string }[] {
  const found: { command: string; place: string }[] = []
  for (const { line, number } of fencedLines(text)) {
    for (const [, command = ''] of line.trim().replace(/^# /, '').matchAll(BEGINS)) {
      if (/^tsha(?: |$)/.test(command)) found.push({ command, place: `${path}:${number}` })
    }
  }
  for (const [, span = ''] of withoutFences(text).matchAll(/`(tsha [^`]+)`/g)) {
    found.push({ command: span.split(/[|;&>]| # /)[0] ?? span, place: path })
  }
  return found.filter(({ command }) => !PLACEHOLDER.test(command))
}

/** The words of a command as a shell would give them; brackets of a usage line are none. */
function wordsOf(command: string): readonly string[] {
  const words = command.replaceAll(/[[\]]/g, '').match(/'[^']*'|"[^"]*"|\S+/g) ?? []
  return words.slice(1).map((word) => word.replaceAll(/^['"]|['"]$/g, ''))
}

await t.test('every tsha command that a page shows has the words and flags of tsha', async (t) => {
  const wrong: string[] = []
  const used = new Set<string>()
  const nothing = (): Promise<void> => Promise.resolve()
  for (const { path, text } of readPages()) {
    for (const { command, place } of commandsOf(path, text)) {
      const words = wordsOf(command)
      const [name = ''] = words
      // What is printed and not parsed; what a tab completes; a command that is only named.
      if (/^--(?:help|version)?$/.test(words.at(-1) ?? '')) continue
      if (words.length === 1 && COMMANDS.some((each) => each.name === name)) {
        used.add(name)
        continue
      }
      try {
        await parse(words, COMMANDS, (found) => {
          used.add(found.name)
          return nothing()
        })
      } catch (error) {
        wrong.push(`${place}: ${command.trim()}: ${String(error)}`)
      }
    }
  }
  t.same(wrong, [])
  t.same(
    COMMANDS.map(({ name }) => name).filter((name) => !used.has(name)),
    [],
    'each command is shown somewhere'
  )
})
