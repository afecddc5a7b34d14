import { GROUPS, usageOf, type CommandDefinition, type Flag } from './definition.js'
import { CONFIG_FLAGS, TARGET_FLAGS } from './flags.js'
import { EXIT_CODES } from './help.js'
import { flagText, flagUsage, ownFlags } from './man-page.js'

/** Between these lines `docs/cli.md` is written by scripts/cli-docs.mjs. */
export const BEGIN = '<!-- begin: written by scripts/cli-docs.mjs -->'
export const END = '<!-- end -->'

/** The page with its part about commands made anew; the rest is left as it is. */
export function renewCliPage(page: string, commands: readonly CommandDefinition[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new RangeError(`${BEGIN} and ${END} are not in the page`)
  return `${page.slice(0, begin)}${BEGIN}\n\n${formatReference(commands)}\n${page.slice(end)}`
}

/** Every command in Markdown, from the descriptions that the parser and the help have. */
function formatReference(commands: readonly CommandDefinition[]): string {
  return [
    ...GROUPS.flatMap((group) => [
      `## ${group}`,
      '',
      ...commands.filter((command) => command.group === group).flatMap(formatCommand)
    ]),
    '## Flags that commands share',
    '',
    'Commands that ask a director:',
    '',
    ...flagTable(Object.entries(TARGET_FLAGS)),
    '',
    'Commands that read a configuration:',
    '',
    ...flagTable(Object.entries(CONFIG_FLAGS)),
    '',
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...EXIT_CODES.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    ''
  ].join('\n')
}

function formatCommand(command: CommandDefinition): readonly string[] {
  const positionals = Object.entries(command.positionals)
  const own = ownFlags(command)
  return [
    `### \`tsha ${usageOf(command)}\``,
    '',
    sentence(command.describe),
    '',
    ...command.details.flatMap((detail) => [escape(detail), '']),
    ...(positionals.length + own.length === 0
      ? []
      : [
          '| | |',
          '|---|---|',
          ...positionals.map(
            ([name, { describe }]) => `| \`${name.toUpperCase()}\` | ${escape(describe)} |`
          ),
          ...own.map(flagRow),
          ''
        ]),
    '```',
    ...command.examples.map(({ command: typed, describe }) => `${typed}    # ${describe}`),
    '```',
    ''
  ].filter((line, index, lines) => command.examples.length > 0 || !isFence(line, index, lines))
}

/** Of a command without examples. */
function isFence(line: string, index: number, lines: readonly string[]): boolean {
  return line === '```' || (line === '' && lines[index - 1] === '```')
}

function flagTable(flags: readonly (readonly [string, Flag])[]): readonly string[] {
  return ['| | |', '|---|---|', ...flags.map(flagRow)]
}

function flagRow([name, flag]: readonly [string, Flag]): string {
  return `| \`${flagUsage(name, flag)}\` | ${escape(flagText(flag))} |`
}

function sentence(words: string): string {
  return `${escape(words.charAt(0).toUpperCase() + words.slice(1))}.`
}

function escape(words: string): string {
  return words.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
