import { GROUPS, usageOf, type CommandDefinition, type Example, type Flag } from './definition.js'
import { CONFIG_FLAGS, TARGET_FLAGS } from './flags.js'
import { EXIT_CODES, PURPOSE } from './help.js'

/** What commands read and are told by; besides their flags. */
const FILES: readonly (readonly [path: string, describe: string])[] = [
  ['/etc/tsha/tsha.yaml', 'the configuration, the same on both directors'],
  ['/etc/tsha/tsha.env', 'options of the service, TSHA_OPTIONS'],
  ['/run/tsha/admin.sock', 'the admin socket, for root and its group']
]

const ENVIRONMENT: readonly (readonly [name: string, describe: string])[] = [
  ['TSHA_SOCKET', 'the admin socket that is asked when no flag names one'],
  ['NO_COLOR', 'no colours when it has a value'],
  ['COLUMNS', 'how wide tables may be that are not on a terminal']
]

/**
 * The manual page tsha(8) in mdoc, from the descriptions that the parser and the help have.
 *
 * @param date when tsha was last changed, such as `November 23, 2026`
 */
export function formatManPage(commands: readonly CommandDefinition[], date: string): string {
  return [
    '.\\" Written by scripts/cli-docs.mjs from the commands in src/cli; changes belong there.',
    `.Dd ${date}`,
    '.Dt TSHA 8',
    '.Os',
    '.Sh NAME',
    '.Nm tsha',
    `.Nd ${text(PURPOSE)}`,
    '.Sh SYNOPSIS',
    '.Nm',
    '.Op Ar command',
    '.Op Ar options',
    '.Sh DESCRIPTION',
    '.Nm',
    text(
      'speaks VRRP, holds the virtual addresses while it is master, and spreads HTTP requests over upstream servers. One director of the pair is started with --role master, the other with --role backup. The other commands look at a director that runs, or tell it what to do, through its admin socket.'
    ),
    ...GROUPS.flatMap((group) => [
      `.Ss ${text(group)}`,
      '.Bl -tag -width Ds',
      ...commands.filter((command) => command.group === group).flatMap(commandItem),
      '.El'
    ]),
    '.Sh OPTIONS',
    'Commands that read a configuration have these:',
    ...flagList(CONFIG_FLAGS),
    'Commands that ask a director have these:',
    ...flagList(TARGET_FLAGS),
    'Every command has',
    '.Fl \\-help .',
    'Durations are written as 500ms, 10s, 5m or 2h.',
    '.Sh ENVIRONMENT',
    ...list(ENVIRONMENT.map(([name, describe]) => [`.It Ev ${text(name)}`, describe])),
    '.Sh FILES',
    ...list(FILES.map(([path, describe]) => [`.It Pa ${text(path)}`, describe])),
    '.Sh EXIT STATUS',
    ...list(EXIT_CODES.map(([code, meaning]) => [`.It ${code}`, meaning])),
    '.Nm',
    '.Cm status Fl \\-check',
    'has those of monitoring plugins: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.',
    '.Sh EXAMPLES',
    ...commands.flatMap(({ examples }) => examples).flatMap(exampleLines),
    '.Sh SEE ALSO',
    '.Xr systemctl 1 ,',
    '.Xr journalctl 1 ,',
    '.Xr ip 8',
    ''
  ].join('\n')
}

/** Flags that several commands share are told once, under OPTIONS. */
export function ownFlags({ flags }: CommandDefinition): readonly (readonly [string, Flag])[] {
  return Object.entries(flags).filter(
    ([name]) => !Object.hasOwn(TARGET_FLAGS, name) && !Object.hasOwn(CONFIG_FLAGS, name)
  )
}

/** `-f, --follow` or `--level LEVEL`. */
export function flagUsage(name: string, { alias, value }: Flag): string {
  const short = alias === undefined ? '' : `-${alias}, `
  return `${short}--${name}${value === undefined ? '' : ` ${value}`}`
}

/** What a flag is for, with the values that it takes. */
export function flagText({ describe, choices, required }: Flag): string {
  const values = choices === undefined ? '' : `; one of ${choices.join(', ')}`
  return `${describe}${values}${required ? '; required' : ''}`
}

function commandItem(command: CommandDefinition): readonly string[] {
  const [name = '', ...places] = usageOf(command).split(' ')
  const words = places.map((place) => ` Ar ${text(place)}`).join('')
  const positionals = Object.entries(command.positionals)
  const own = ownFlags(command)
  return [
    `.It Cm ${text(name)}${words}`,
    sentence(command.describe),
    ...command.details.flatMap((detail) => ['.Pp', text(detail)]),
    ...(positionals.length + own.length === 0
      ? []
      : [
          '.Bl -tag -width Ds',
          ...positionals.flatMap(([key, { describe }]) => [
            `.It Ar ${text(key.toUpperCase())}`,
            sentence(describe)
          ]),
          ...own.flatMap(([key, flag]) => [flagItem(key, flag), sentence(flagText(flag))]),
          '.El'
        ])
  ]
}

function flagItem(name: string, { alias, value }: Flag): string {
  const short = alias === undefined ? '' : `Fl ${alias} , `
  return `.It ${short}Fl \\-${text(name)}${value === undefined ? '' : ` Ar ${text(value)}`}`
}

function flagList(flags: Readonly<Record<string, Flag>>): readonly string[] {
  return list(Object.entries(flags).map(([name, flag]) => [flagItem(name, flag), flagText(flag)]))
}

function list(items: readonly (readonly [item: string, describe: string])[]): readonly string[] {
  return [
    '.Bl -tag -width Ds',
    ...items.flatMap(([item, describe]) => [item, sentence(describe)]),
    '.El'
  ]
}

function exampleLines({ command, describe }: Example): readonly string[] {
  return [sentence(describe), `.Dl ${text(command)}`, '.Pp']
}

/** Upper case at the beginning and a stop at the end, as sentences of a manual have. */
function sentence(words: string): string {
  const stop = /[.?]$/.test(words) ? '' : '.'
  return text(words.charAt(0).toUpperCase() + words.slice(1) + stop)
}

/** Plain text as roff takes it: nothing in it is a request, an escape or typographic. */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replaceAll('`', '\\(ga')
    .replace(/^\./, '\\&.')
}
