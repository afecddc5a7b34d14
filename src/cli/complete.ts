import type { CommandDefinition, Flag, LiveNames } from './definition.js'

/** What the director is asked for. */
export type AskNames = (what: LiveNames, words: readonly string[]) => Promise<readonly string[]>

/**
 * What the word under the cursor can become.
 *
 * @param words the command line up to the cursor, `tsha` included; the last one is what is begun, or empty
 * @param ask names of the running director; none when it does not answer
 * @returns nothing where file names are meant
 */
export async function complete(
  words: readonly string[],
  commands: readonly CommandDefinition[],
  ask: AskNames
): Promise<readonly string[]> {
  const current = words.at(-1) ?? ''
  const before = words.slice(1, -1)
  const fitting = (candidates: readonly string[]): readonly string[] =>
    candidates.filter((candidate) => candidate.startsWith(current))
  const command = commandOf(before, commands)
  const flags = command?.flags ?? commands.find(({ isDefault }) => isDefault)?.flags ?? {}
  const previous = flagOf(before.at(-1) ?? '', flags)
  if (previous?.type === 'string') return fitting(previous.choices ?? [])
  const [written, begun] = splitFlag(current)
  if (begun !== null) {
    const choices = flagOf(written, flags)?.choices ?? []
    return fitting(choices.map((choice) => `${written}=${choice}`))
  }
  if (current.startsWith('-')) {
    const given = new Set(before.map((word) => splitFlag(word)[0]))
    return fitting([...Object.keys(flags), 'help'].map((name) => `--${name}`)).filter(
      (flag) => flag === current || !given.has(flag)
    )
  }
  if (command === undefined) return fitting(commands.map(({ name }) => name))
  const place = positionalsBefore(before, command).length
  const positional = Object.values(command.positionals)[place]
  if (positional?.choices) return fitting(positional.choices)
  return positional?.live ? fitting(await ask(positional.live, words)) : []
}

/** The command is the first word that is neither a flag nor the value of one. */
function commandOf(
  before: readonly string[],
  commands: readonly CommandDefinition[]
): CommandDefinition | undefined {
  const word = before.find((word, index) => {
    if (word.startsWith('-')) return false
    const previous = before[index - 1] ?? ''
    return !commands.some(({ flags }) => flagOf(previous, flags)?.type === 'string')
  })
  return commands.find(({ name }) => name === word)
}

function positionalsBefore(
  before: readonly string[],
  { name, flags }: CommandDefinition
): readonly string[] {
  const others = before.filter(
    (word, index) =>
      !word.startsWith('-') && flagOf(before[index - 1] ?? '', flags)?.type !== 'string'
  )
  return others.slice(others.indexOf(name) + 1)
}

function flagOf(word: string, flags: Readonly<Record<string, Flag>>): Flag | undefined {
  if (word.startsWith('--')) return flags[word.slice(2)]
  return Object.values(flags).find(({ alias }) => alias !== undefined && word === `-${alias}`)
}

/** `--level=wa` into its two halves; the second is null where there is no equals sign. */
function splitFlag(word: string): readonly [flag: string, value: string | null] {
  const match = /^(--[^=]+)=(.*)$/s.exec(word)
  return match ? [match[1] ?? '', match[2] ?? ''] : [word, null]
}
