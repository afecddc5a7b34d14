#!/usr/bin/env node
import type { Argv } from 'yargs'
import { COMMANDS } from '../src/cli/commands.js'
import { COMPLETE_FLAG } from '../src/cli/completion-scripts.js'
import type { CommandDefinition } from '../src/cli/definition.js'
import { failWith } from '../src/cli/fail.js'
import { TARGET_FLAGS } from '../src/cli/flags.js'
import { formatOverview } from '../src/cli/help.js'
import { ConfigError, EXIT_CONFIG } from '../src/errors.js'
import { VERSION } from '../src/director/version.js'

/*
 * The command line: what is typed becomes a command of src/cli. Each of them is loaded when it is used, so
 * that none pays for the others.
 */

/** What the command comes to, and whether something of it may be left that would hold the process. */
const outcome = { code: 0, endsAtOnce: false }

async function parse(words: readonly string[]): Promise<void> {
  const { default: yargs } = await import('yargs')
  const parser = COMMANDS.reduce(addCommand, yargs())
    .scriptName('tsha')
    // What is given twice counts as it was given last.
    .parserConfiguration({ 'duplicate-arguments-array': false })
    .strict()
    .version(VERSION)
    .alias({ help: 'h', version: 'V' })
    .wrap(Math.min(100, process.stdout.columns || 100))
    .exitProcess(false)
    .fail((message, error: Error | undefined) => {
      throw error ?? new ConfigError([{ code: 'TSHA_E_FLAG', message: lowerFirst(message) }])
    })
  await parser.parseAsync(words, {}, (_error: unknown, argv: Values, output: string) => {
    if (output === '') return
    process.stdout.write(isOverview(argv) ? formatOverview(COMMANDS) : `${output}\n`)
  })
}

function addCommand(parser: Argv, command: CommandDefinition): Argv {
  const places = Object.entries(command.positionals).map(([key, { optional }]) =>
    optional ? `[${key}]` : `<${key}>`
  )
  const usage = [command.name, ...places].join(' ')
  return parser.command(
    command.isDefault ? [usage, '$0'] : usage,
    command.describe,
    (argv) => addWords(argv, command),
    async (argv) => {
      outcome.endsAtOnce = command.endsAtOnce ?? false
      outcome.code = await command.run(argv)
      if (outcome.endsAtOnce) await endNow(outcome.code)
    }
  )
}

function addWords(argv: Argv, { details, positionals, flags, examples }: CommandDefinition): Argv {
  for (const [key, { describe, choices }] of Object.entries(positionals)) {
    argv.positional(key, { type: 'string', describe, ...(choices ? { choices } : {}) })
  }
  for (const [key, flag] of Object.entries(flags)) {
    const { type, describe, alias, choices, required, conflicts } = flag
    argv.option(key, {
      type,
      describe,
      ...(type === 'string' ? { requiresArg: true } : {}),
      ...(alias === undefined ? {} : { alias }),
      ...(choices ? { choices } : {}),
      ...(required ? { demandOption: true } : {}),
      ...(conflicts ? { conflicts: [...conflicts] } : {}),
      ...(Object.hasOwn(TARGET_FLAGS, key) ? { group: 'Which director:' } : {})
    })
  }
  for (const { command, describe } of examples) argv.example(command, describe)
  if (details.length > 0) argv.epilogue(details.join('\n\n'))
  return argv
}

type Values = Readonly<Record<string, unknown>>

/** Whether the help that yargs has made is that of no command in particular. */
function isOverview(argv: Values): boolean {
  return argv['help'] === true && Array.isArray(argv['_']) && argv['_'].length === 0
}

/** What the tab key is answered; yargs itself refuses a line that is not complete yet. */
async function printCompletions(words: readonly string[]): Promise<void> {
  const [{ complete }, { liveNames }] = await Promise.all([
    import('../src/cli/complete.js'),
    import('../src/cli/live-names.js')
  ])
  const found = await complete(words, COMMANDS, liveNames)
  process.stdout.write(found.map((word) => `${word}\n`).join(''))
}

/** Ends a director at once: neither sockets of ended workers nor a name server may hold it. */
async function endNow(code: number): Promise<void> {
  try {
    const { exitNow } = await import('../src/linux/syscalls/process.js')
    exitNow(code)
  } catch {
    // Without the native module it ends a little later.
    process.exit(code)
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

try {
  const [first, ...others] = process.argv.slice(2)
  if (first === COMPLETE_FLAG) await printCompletions(others)
  else await parse(process.argv.slice(2))
  process.exitCode = outcome.code
} catch (error) {
  const code = failWith(error)
  // What is wrong with the configuration is found before anything is open.
  if (outcome.endsAtOnce && code !== EXIT_CONFIG) await endNow(code)
  process.exit(code)
}
