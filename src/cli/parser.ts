import yargs, { type Argv } from 'yargs'
import { VERSION } from '../director/version.js'
import { ConfigError } from '../errors.js'
import type { CommandDefinition, Values } from './definition.js'
import { TARGET_FLAGS } from './flags.js'
import { formatOverview } from './help.js'

/** Does what a command says. */
export type CarryOut = (command: CommandDefinition, values: Values) => Promise<void>

/**
 * Finds the command that is meant by words, and has it carried out; help and version are printed here.
 *
 * @throws {ConfigError} when there is no such command or flag; and what the command throws
 */
export async function parse(
  words: readonly string[],
  commands: readonly CommandDefinition[],
  carryOut: CarryOut
): Promise<void> {
  const parser = commands
    .reduce((argv, command) => addCommand(argv, command, carryOut), yargs())
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
    process.stdout.write(isOverview(argv) ? formatOverview(commands) : `${output}\n`)
  })
}

function addCommand(parser: Argv, command: CommandDefinition, carryOut: CarryOut): Argv {
  const places = Object.entries(command.positionals).map(([key, { optional }]) =>
    optional ? `[${key}]` : `<${key}>`
  )
  const usage = [command.name, ...places].join(' ')
  return parser.command(
    command.isDefault ? [usage, '$0'] : usage,
    command.describe,
    (argv) => addWords(argv, command),
    (argv) => carryOut(command, argv)
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

/** Whether the help that yargs has made is that of no command in particular. */
function isOverview(argv: Values): boolean {
  return argv['help'] === true && Array.isArray(argv['_']) && argv['_'].length === 0
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
