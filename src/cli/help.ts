import { GROUPS, usageOf, type CommandDefinition } from './definition.js'

/** What tsha is, in a line. */
export const PURPOSE = 'keepalived and nginx in one program, for a pair of directors'

/** What the exit codes of every command mean, but for `tsha status --check`. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done'],
  [1, 'refused'],
  [2, 'wrong flags or configuration'],
  [3, 'no director answers']
]

/** `tsha --help`: the commands in groups, and where to read on. */
export function formatOverview(commands: readonly CommandDefinition[]): string {
  const width = Math.max(...commands.map((command) => usageOf(command).length))
  const groups = GROUPS.map((group) => {
    const lines = commands
      .filter((command) => command.group === group)
      .map((command) => `  ${usageOf(command).padEnd(width)}  ${command.describe}`)
    return [`${group}:`, ...lines, ''].join('\n')
  })
  return [
    `tsha: ${PURPOSE}`,
    '',
    'Usage: tsha [COMMAND] [OPTIONS]',
    '',
    ...groups,
    'Without a command a director is run, with --role master or --role backup.',
    '',
    'More: tsha COMMAND --help, man tsha, tsha --version',
    '',
    `Exit codes: ${EXIT_CODES.map(([code, meaning]) => `${code} ${meaning}`).join('; ')}`,
    ''
  ].join('\n')
}
